"""How Hugging Face's tokenizers (Oniguruma) cuts random strings by the expressions of src/formats/gguf-pre.ts, one after another: gguf-pre.golden.json.

    node -e 'import("../../dist/formats/gguf-pre.js").then((m) => console.log(JSON.stringify(m.expressionsOfPres())))' | python3 make_gguf_pre.py

with tokenizers 0.23.3; twice gives the same bytes."""
import json
import pathlib
import random
import sys

from tokenizers import Regex, pre_tokenizers

rng = random.Random(20261128)
UNITS = [*" \n\t\rabZLx019.,!?()[]<>{}$+=^`|~_-'/&\u00e9\u00df\u0130\u0431\u0416\u03b1\u0645\u0640\u0660\u0967\u0939\u093f\u0e40\u0e01\u1000\u17c1\u4f60\u597d\u3042\u30a2\u30fc\uff71\uac00\u3131\u3105\uff01\uff1a\uff0c\u3002\u3001\u201c\u2026\u2014\u0964\u06d4\u060c\ufb01\u01c5\u02b0\u24b6\u00bd\u00b2\u2167\u0301\u200d\u3000\u00a0\U0001f999\U00010400\U0001d400", "  ", "    ", "\r\n", "\n\n", "'s", "'LL", "don't", "123", "1234567", "99999", "IMGIMGABZ", "<sentinel:12>", "Hello", "HTMLParser", "caf\u00e9", "\u041f\u0440\u0438", "word's"]  # fmt: skip


def words(expressions, text):
    cut = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(one), "isolated") for one in expressions])
    return [word for word, _ in cut.pre_tokenize_str(text)]


pres = json.load(sys.stdin)
texts = ["".join(rng.choice(UNITS) for _ in range(rng.randint(8, 30))) for _ in range(24)]
# A word is written as its length in characters; the words together are the text.
lengths = {name: [" ".join(str(len(word)) for word in words(expressions, text)) for text in texts] for name, expressions in pres.items()}
rows = [f"{json.dumps(name)}: {json.dumps(found, separators=(',', ':'))}" for name, found in lengths.items()]
(pathlib.Path(__file__).parent / "gguf-pre.golden.json").write_text('{"texts": ' + json.dumps(texts, ensure_ascii=False) + ',\n"words": {\n' + ",\n".join(rows) + "\n}}\n")
