"""What other programs make of markup, as JSON lines: `python3 judge_markup.py wikitext FILE.jsonl` or `python3 judge_markup.py html WARC...`

wikitext: of each {"text"}, {"text"} by PyPI's mwparserfromhell 0.7.2, strip_code, after pictures, categories, links to other languages and what is no prose
were taken out. html: of each page in the WARC files, {"html", "text"} by PyPI's Resiliparse 2.0.1, extract_plain_text with main_content.
"""

import json
import re
import sys

TAGS = set("ref references gallery math chem table timeline score syntaxhighlight source imagemap".split())
PREFIX = re.compile(r"\s*(?:file|image|category|attels|fails|kategoreja|[a-z]{2,3}(?:-[a-z-]{2,12})?)\s*:", re.I)


def wikitext(path):
    import mwparserfromhell

    for line in open(path, encoding="utf-8"):
        code = mwparserfromhell.parse(json.loads(line)["text"])
        dropped = [tag for tag in code.filter_tags(recursive=True) if str(tag.tag).lower() in TAGS]
        dropped += [link for link in code.filter_wikilinks(recursive=True) if PREFIX.match(str(link.title))]
        for node in dropped:
            try:
                code.remove(node)
            except ValueError:
                pass  # within one that was removed
        yield {"text": code.strip_code()}


def html(*paths):
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    for path in paths:
        for record in ArchiveIterator(open(path, "rb"), record_types=WarcRecordType.response):
            if "html" not in (record.http_content_type or "") or (record.http_headers and record.http_headers.status_code != 200):
                continue
            page = record.reader.read()
            page = bytes_to_str(page, detect_encoding(page))
            yield {"html": page, "text": extract_plain_text(page, main_content=True, alt_texts=False, links=False)}


for found in {"wikitext": wikitext, "html": html}[sys.argv[1]](*sys.argv[2:]):
    print(json.dumps(found))
