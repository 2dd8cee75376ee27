"""What other programs make of markup: `python3 judge_markup.py FILE.jsonl > theirs.jsonl`, {"kind", "text"} per line, {"text"} per line out.

wikitext: PyPI's mwparserfromhell 0.7.2, strip_code, after pictures, categories, links to other languages and what is no prose were taken out; html: PyPI's Resiliparse 2.0.1, extract_plain_text with main_content.
"""

import json
import re
import sys


TAGS = set("ref references gallery math chem table timeline score syntaxhighlight source imagemap".split())
PREFIX = re.compile(r"\s*(?:file|image|category|attels|fails|kategoreja|[a-z]{2,3}(?:-[a-z-]{2,12})?)\s*:", re.I)


def wikitext(text):
    import mwparserfromhell

    code = mwparserfromhell.parse(text)
    dropped = [tag for tag in code.filter_tags(recursive=True) if str(tag.tag).lower() in TAGS]
    dropped += [link for link in code.filter_wikilinks(recursive=True) if PREFIX.match(str(link.title))]
    for node in dropped:
        try:
            code.remove(node)
        except ValueError:
            pass  # within one that was removed
    return code.strip_code()


def html(text):
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(text, main_content=True, alt_texts=False, links=False)


KINDS = {"wikitext": wikitext, "html": html}
for line in open(sys.argv[1], encoding="utf-8"):
    given = json.loads(line)
    print(json.dumps({"text": KINDS[given["kind"]](given["text"])}))
