"""What datatrove 0.10's filters say of documents, with Python's str.split as tokenizer of words and marks of sentences as that of sentences.

    python3 make_clean_filters.py > clean-filters.golden.json     random documents, under parameters that suit short ones; twice gives the same bytes
    python3 make_clean_filters.py FILE.jsonl > verdicts.jsonl     {"text"} a line, under the published parameters

Made with datatrove 0.10.1, Python 3.11.
"""

import json
import random
import sys

from datatrove.data import Document
from datatrove.pipeline.filters.c4_filters import C4ParagraphFilter, C4QualityFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.pipeline.formatters.pii import PIIFormatter
from datatrove.utils import word_tokenizers
from datatrove.utils.text import TERMINAL_PUNCTUATION

CLOSERS = set("\"'’”»)]}」』）")


class Plain(word_tokenizers.WordTokenizer):
    """Words between white space; sentences end at marks with white space behind them."""

    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text[a:b] for a, b in self.span_tokenize(text)]

    def span_tokenize(self, text):
        spans, start, open_, ending = [], 0, False, False
        for at, character in enumerate(text):
            if character.isspace():
                if ending:
                    spans.append((start, at))
                    start, open_, ending = at, False, False
            else:
                open_ = True
                ending = character in TERMINAL_PUNCTUATION or (ending and character in CLOSERS)
        return spans + [(start, len(text))] if open_ else spans


import datatrove.utils.text  # noqa: E402

word_tokenizers.load_word_tokenizer = lambda language: Plain()

# Parameters by our names, and the filter of datatrove with the same ones.
PUBLISHED = [
    ("gopherQuality", {}, lambda: GopherQualityFilter()),
    ("gopherRepetition", {}, lambda: GopherRepetitionFilter()),
    ("finewebQuality", {}, lambda: FineWebQualityFilter()),
    ("c4Quality", {"lineEnds": [".", "?", "!", '"', "'"]}, lambda: C4QualityFilter()),
    ("c4Paragraphs", {}, lambda: C4ParagraphFilter()),
]
SHORT = [
    ("gopherQuality", {"minWords": 4, "maxWords": 60, "minMeanLength": 3, "maxMeanLength": 6, "maxBulletLines": 0.5, "minStopWords": 1},
     lambda: GopherQualityFilter(min_doc_words=4, max_doc_words=60, min_avg_word_length=3, max_avg_word_length=6, max_bullet_lines_ratio=0.5, min_stop_words=1)),
    ("gopherRepetition", {"topGrams": {"2": 0.3, "3": 0.4}, "repeatedGrams": {"2": 0.25, "3": 0.2, "5": 0.1}},
     lambda: GopherRepetitionFilter(top_n_grams=((2, 0.3), (3, 0.4)), dup_n_grams=((2, 0.25), (3, 0.2), (5, 0.1)))),
    ("finewebQuality", {"maxRepeatedCharacters": 0.2}, lambda: FineWebQualityFilter(char_duplicates_ratio=0.2)),
    ("c4Quality", {"lineEnds": [".", "?", "!", '"', "'"], "minSentences": 2, "maxWordLength": 12},
     lambda: C4QualityFilter(min_num_sentences=2, max_word_length=12)),
    ("c4Quality", {"lineEnds": [".", "?", "!", '"', "'"], "minSentences": 1, "minWords": 2, "dropsEllipses": True, "removesCitations": False},
     lambda: C4QualityFilter(min_num_sentences=1, min_words_per_line=2, remove_citations=False)),
    ("c4Quality", {"lineEnds": [], "minSentences": 2, "dropsEllipses": False},
     lambda: C4QualityFilter(min_num_sentences=2, filter_no_terminal_punct=False)),
]


def verdict(make, text):
    document = Document(text=text, id="0")
    try:
        said = make().filter(document)
    except ZeroDivisionError:
        return "error"
    if said is True:
        return {"kept": document.text} if document.text != text else True
    return said[1]


WORDS = ("the be to of and that have with a in it llama Llamas grass hill #tag - • ... … 1999 42 ¿qué? naïve École Straße МОСКВА книга 学校 は 大きい。 "
         "𝔘𝔫𝔦 😀 👍🏽 عربية؟ हिन्दी। {x} [1] [edit] [citation needed] javascript JavaScript lorem ipsum terms of use Uses CooKies Privacy Policy "
         "incomprehensibilities supercalifragilistic don't (it's) \"quoted.\" end. what? yes! 'so.' K İstanbul ΣΑΣ ﬁn ｗｏｗ！").split(" ")
GAPS = [" "] * 30 + ["\n"] * 6 + ["\n\n", "\n\n\n", ".\n", "! ", ". ", "...\n", "\r\n", "\u2028", "\x85", "\x0b", "\u3000", "\xa0", "\t", "\x1c", "\u200b", "\ufeff"]


def random_text(rng):
    words = rng.sample(WORDS, rng.randint(2, 25))
    parts = []
    for _ in range(rng.randint(1, 45)):
        parts.append(rng.choice(words))
        parts.append(rng.choice(GAPS))
        if rng.random() < 0.15 and len(parts) > 8:
            at = rng.randrange(0, len(parts) - 6)
            parts += parts[at : at + rng.choice([4, 6, 10])]
        if rng.random() < 0.08:
            parts.append("\n- " if rng.random() < 0.5 else "\n• ")
    return "".join(parts)


PERSONAL = (
    "a@b.co john.doe@example.com x_y@z.org. <m@n.de> @ a@ @b.c 1.2.3.4 8.8.8.8 192.168.1.1 10.0.0.1 172.20.1.1 256.1.1.1 01.2.3.4 100.64.0.1 100.1.1.1 203.0.113.5 198.18.0.1 v1.2.3.4.5 "
    "é@b.com a..b@c.com a@b-.com a@-b.com a@b.c-d foo@bar mailto:q@w.er a@b@c.de 's@t.uv' (k@l.mn) a@b.com,c@d.net 224.0.0.1 240.0.0.1 169.254.1.1 127.0.0.1 x@1.2.3.4 a.@b.com .a@b.com !a!b@c.dd and"
).split(" ")


def personal():
    """Texts with e-mail and IP addresses, and what datatrove makes of them."""
    rng = random.Random(8)
    texts = PERSONAL + [" ".join(rng.choices(PERSONAL, k=rng.randint(2, 8))) for _ in range(120)]
    formatter = PIIFormatter(email_replacement="E", ip_replacement="I")
    return [[text, formatter.format(text)] for text in texts]


def golden():
    rng = random.Random(7)
    texts = ["", " ", "\n", "one", "one\ntwo\n"] + [random_text(rng) for _ in range(160)]
    cases = [{"step": step, "parameters": parameters, "verdicts": [verdict(make, text) for text in texts]} for step, parameters, make in SHORT]
    json.dump({"texts": texts, "cases": cases, "personal": personal()}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


def judge(path):
    for line in open(path, encoding="utf-8"):
        text = json.loads(line)["text"]
        print(json.dumps({step: verdict(make, text) for step, _, make in PUBLISHED}, ensure_ascii=False))


if len(sys.argv) > 1:
    judge(sys.argv[1])
else:
    golden()
