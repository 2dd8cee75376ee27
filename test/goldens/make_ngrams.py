# Language models of n-grams, and what KenLM says with them (ngrams.golden.json):
# `LMPLZ=… BUILD_BINARY=… python3 make_ngrams.py > ngrams.golden.json`, with lmplz and build_binary of kpu/kenlm (master of 2025) and PyPI's kenlm 0.3.0.
import base64
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

import kenlm

LMPLZ, BUILD_BINARY = os.environ["LMPLZ"], os.environ["BUILD_BINARY"]
# The last word comes once, at the very end: lmplz takes the n-grams that end with the newest word by another count than all others.
WORDS = "the a llama water hill ran walked drank to from of and cold old ▁pie ce ∑ naïve 羊驼 .".split()
LAST = "zebra"


def corpus(seed, lines):
    rng = random.Random(seed)
    rows = []
    for _ in range(lines):
        row, word = [], rng.randrange(len(WORDS))
        for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 13])):
            row.append(WORDS[word])
            word = (word * 2 + rng.choice([1, 1, 1, 2, 5])) % len(WORDS) if rng.random() < 0.8 else rng.randrange(len(WORDS))
        rows.append(row)
    return rows + [["the", LAST]]


def arpa_of(rows, order, *options):
    text = "".join(" ".join(row) + "\n" for row in rows)
    words = [LMPLZ, "-o", str(order), "-S", "10%", "--discount_fallback", *options]
    return subprocess.run(words, input=text.encode(), check=True, capture_output=True).stdout.decode()


def parse(arpa):
    lists = []
    for line in arpa.split("\n"):
        if line.endswith("-grams:"):
            lists.append([])
        elif "\t" in line:
            lists[-1].append(line.split("\t"))
    return lists


def show(lists):
    head = "\\data\\\n" + "".join(f"ngram {i + 1}={len(rows)}\n" for i, rows in enumerate(lists))
    body = "".join(f"\n\\{i + 1}-grams:\n" + "".join("\t".join(row) + "\n" for row in rows) for i, rows in enumerate(lists))
    return head + body + "\n\\end\\\n"


def with_gaps(arpa, seed):
    """Takes n-grams out that end others but begin none, as SRILM does, and the unknown word; zeros stand for some back-off weights."""
    rng = random.Random(seed)
    lists = parse(arpa)
    lists[0] = [row for row in lists[0] if row[1] != "<unk>"]
    for i in range(1, len(lists) - 1):
        contexts = {" ".join(row[1].split(" ")[:-1]) for row in lists[i + 1]}
        lists[i] = [row for row in lists[i] if row[1] in contexts or rng.random() < 0.5]
    for rows in lists[1:-1]:
        for row in rows:
            if rng.random() < 0.3:
                row[2:] = rng.choice([["0"], ["-0"], []])
    for i in range(len(lists) - 1, 0, -1):
        lists[i] = [row for row in lists[i] if " ".join(row[1].split(" ")[:-1]) in {other[1] for other in lists[i - 1]}]
    return show(lists)


def said(path, sentences):
    model = kenlm.Model(path)
    ways = [(True, True), (True, False), (False, True), (False, False)]
    return [
        {
            "scores": [short(model.score(sentence, bos=bos, eos=eos)) for bos, eos in ways],
            "words": [[short(p), n] for p, n, _ in model.full_scores(sentence)],
        }
        for sentence in sentences
    ]


def short(x):
    """Nine digits tell every float32."""
    return float(f"{x:.9g}")


def packed(data):
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def main():
    rng = random.Random(7)
    rows = corpus(1, 24)
    big = arpa_of(corpus(2, 24), 5)
    arpas = {
        "three words": arpa_of(rows, 3),
        "five words": big,
        "gaps, no unknown word": with_gaps(arpa_of(corpus(3, 20), 4), 4),
        "two words": arpa_of(corpus(4, 12), 2),
    }
    sentences = [" ".join(row) for row in corpus(5, 8)]
    sentences += [" ".join(rng.choices([*WORDS, "unknown", "<unk>", "</s>", "<s>"], k=rng.randint(1, 12))) for _ in range(12)]
    sentences += ["", " ", "the\tllama  ran "]
    models = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arpa in arpas.items():
            path = os.path.join(folder, "model.arpa")
            with open(path, "w", encoding="utf-8") as file:
                file.write(arpa)
            models.append({"name": name, "arpa": packed(arpa.encode()), "said": said(path, sentences)})
            kinds = {"three words": ["probing", "trie", "trie -a 5", "trie -a 22 -q 8 -b 8", "trie -q 4 -b 3"], "gaps, no unknown word": ["probing", "trie"]}
            for kind in kinds.get(name, []):
                binary = os.path.join(folder, "model.bin")
                kind, *options = kind.split(" ")
                subprocess.run([BUILD_BINARY, *options, kind, path, binary], check=True, capture_output=True)
                with open(binary, "rb") as file:
                    model = {"name": f"{name}, {' '.join([kind, *options])}", "binary": packed(file.read())}
                of_arpa, of_binary = said(path, sentences), said(binary, sentences)
                models.append(model if of_binary == of_arpa else {**model, "said": of_binary})
    training = [
        {"name": name, "order": order, "prune": prune, "rows": [" ".join(row) for row in rows], "arpa": packed(arpa_of(rows, order, *(["--prune", *map(str, prune)] if prune else [])).encode())}
        for name, order, prune, rows in [
            ("three words", 3, [], corpus(6, 40)),
            ("five words", 5, [], corpus(7, 30)),
            ("pruned", 4, [0, 0, 1, 2], corpus(8, 50)),
            ("little", 5, [], corpus(9, 1)),
        ]
    ]
    json.dump({"sentences": sentences, "models": models, "training": training}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


main()
