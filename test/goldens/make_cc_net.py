# What cc_net's normaliser makes of every character, and its perplexities (cc-net.golden.json):
# `LMPLZ=… python3 make_cc_net.py FOLDER_OF_CC_NET > cc-net.golden.json`, with facebookresearch/cc_net, kpu/kenlm's lmplz, PyPI's kenlm 0.3.0 and
# sentencepiece 0.2.3, Python 3.11 (Unicode 14).
import base64
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

import kenlm
import sentencepiece

sys.path.insert(0, os.path.join(sys.argv[1], "cc_net"))
import text_normalizer

BLOCK = 4096
# An accent in Unicode 14, no accent from Unicode 16 on, whose tables cria has.
CHANGED = 0x1171E
WORDS = "The llama ran down 12 hills, “slowly” — and DRANK… at the café № 7！ Ça été naïve； Übung über Ärger？ und das Wasser war kalt".split()


def assigned():
    ranges, first = [], None
    for point in range(0x110001):
        known = point < 0x110000 and unicodedata.category(chr(point)) not in ("Cn", "Cs", "Co") and point != CHANGED
        if known and first is None:
            first = point
        elif not known and first is not None:
            ranges.append([first, point - 1])
            first = None
    return ranges


def hashes(ranges, normalise):
    blocks = {}
    for first, last in ranges:
        for point in range(first, last + 1):
            blocks.setdefault(point // BLOCK, []).append(chr(point))
    ways = ["{}", "é{}\u0308b"]
    return [[block, sha("\n".join(normalise(way.format(c)) for c in characters for way in ways))] for block, characters in blocks.items()]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def document(rng, lines):
    return "\n".join(" ".join(rng.choices(WORDS, k=rng.randint(0, 12))) for _ in range(lines))


def perplexity(model, pieces, texts):
    """DocLM.do: log scores and lengths of all lines, one more word per line."""
    score, length = 0, 0
    for text in texts:
        line = " ".join(pieces.encode_as_pieces(text_normalizer.normalize(text)))
        score += model.score(line)
        length += len(line.split()) + 1
    return round(10.0 ** (-score / length), 1)


def main():
    rng = random.Random(11)
    ranges = assigned()
    texts = [document(rng, 1 + i % 4) for i in range(12)]
    training = [text_normalizer.normalize(line) for _ in range(60) for line in document(rng, 3).split("\n")]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training), model_writer=out, vocab_size=56, model_type="unigram", normalization_rule_name="identity", num_threads=1, minloglevel=2
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    lines = "".join(" ".join(pieces.encode_as_pieces(line)) + "\n" for line in training)
    arpa = subprocess.run([os.environ["LMPLZ"], "-o", "3", "-S", "10%", "--discount_fallback"], input=lines.encode(), check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.arpa")
        with open(path, "wb") as file:
            file.write(arpa)
        model = kenlm.Model(path)
    golden = {
        "blockSize": BLOCK,
        "assigned": ",".join(f"{first:x}-{last:x}" for first, last in ranges),
        "normalised": hashes(ranges, text_normalizer.normalize),
        "normalisedForDedup": hashes(ranges, text_normalizer.normalize_for_dedup),
        "tokenizer": packed(out.getvalue()),
        "arpa": packed(arpa),
        "perplexities": [
            {"text": text, "lines": perplexity(model, pieces, text.split("\n")), "whole": perplexity(model, pieces, [text])} for text in texts
        ],
    }
    json.dump(golden, sys.stdout, ensure_ascii=False, separators=(",", ":"))


def packed(data):
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


main()
