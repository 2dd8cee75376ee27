"""Writes wikitext.golden.json: what mwparserfromhell's strip_code leaves of wikitext, after what our step drops too was taken out of it.

Needs: pip install mwparserfromhell==0.7.2. Run: python test/goldens/make_wikitext.py
"""
import json, pathlib, random
import mwparserfromhell

PIECES = [
    "'''Llamas''' are ''camelids''.", "See [[Alpaca]], [[Guanaco|guanacos]] and [[Vicuña]]s.", "{{Infobox|name=Llama|image=[[File:x.jpg|thumb|A [[llama]]]]}}",
    "[[File:Llama.jpg|thumb|left|A llama in [[Peru]], {{circa|1900}}]]", "[[Category:Camelids]]", "[[de:Lama (Kamel)]]", "<!-- a comment [[x]] {{y}} -->",
    "Wool<ref name=\"a\">{{cite book|title=Wool|page=[[1]]}}</ref> is soft<ref name=\"a\" />.", "{{nested|{{inner|[[link|label]]}}|x={{y}}}}",
    "An [https://example.org/a external link], [https://example.org/b] and {{url|x}}.", "{| class=\"wikitable\"\n! a !! b\n|-\n| c || [[d]] {{e}}\n|}",
    "== History ==\nThe Inca kept them.", "* one\n* [[two]]\n** three", "A&nbsp;&amp;&nbsp;B &mdash; 5&nbsp;&lt; 6", "<span style=\"color: red\">red</span> and <small>small</small>",
    "<math>x^2 < y</math> holds", "<gallery>\nFile:a.jpg|A\n</gallery>", "<nowiki>[[not a link]]</nowiki>", "{{#if:x|[[y]]|z}} end.",
    "L'''[[Aconcagua]]''' and ''[[Andes|the ''Andes'']]''", "{|\n| outer\n{|\n| inner\n|}\n|}", "[[:Category:Camelids|camelids]] belong here", "{{{1|default}}} text",
]
DROPPED = {"ref", "gallery", "math", "table"}


def judge(text):
    code = mwparserfromhell.parse(text)
    for tag in code.filter_tags(recursive=True):
        if str(tag.tag).lower() in DROPPED:
            try:
                code.remove(tag)
            except ValueError:
                pass
    for link in code.filter_wikilinks(recursive=True):
        if str(link.title).split(":")[0] in ("File", "Category", "de"):
            try:
                code.remove(link)
            except ValueError:
                pass
    for argument in code.filter_arguments():
        try:
            code.remove(argument)  # it keeps the default, and we drop all of templates
        except ValueError:
            pass
    return code.strip_code().split()


rng = random.Random(14)
texts = PIECES + ["\n".join(rng.sample(PIECES, rng.randrange(2, 8))) for _ in range(60)]
golden = [{"text": text, "words": judge(text)} for text in texts]
(pathlib.Path(__file__).parent / "wikitext.golden.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
