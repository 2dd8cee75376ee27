"""Signatures and clusters of documents by datatrove's MinHash, with Python's str.split as tokenizer of words.

    python3 make_min_hash.py > min-hash.golden.json       random documents with near-copies; twice gives the same bytes
    python3 make_min_hash.py FILE.jsonl > found.json      {"text"} a line, by 64 bits of xxHash, datatrove's usual ones

Made with datatrove 0.10.1, numpy 2.4.6, xxhash 3.8.2 (4 takes no texts), Python 3.11.
"""

import hashlib
import json
import random
import struct
import sys
import tempfile
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.dedup import minhash
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig


class Plain:
    def word_tokenize(self, text):
        return text.split()


minhash.load_word_tokenizer = lambda language: Plain()

CONFIGS = [("xxhash64", 64, "xxhash"), ("xxhash32", 32, "xxhash"), ("sha1-64", 64, "sha1"), ("sha1-32", 32, "sha1")]


def found(texts, name, precision, function):
    config = MinhashConfig(hash_config=HashConfig(precision=precision, hash_fc=function))
    with tempfile.TemporaryDirectory() as folder:
        signer = MinhashDedupSignature(f"{folder}/signatures", config)
        signatures = []
        for text in texts:
            shingles = signer.get_shingles(text)
            values = [value for bucket in signer.get_signature(shingles) for value in bucket] if shingles.size else None
            signatures.append(values and hashlib.sha256(struct.pack(f"<{len(values)}Q", *values)).hexdigest()[:16])
        signer.run(Document(text=text, id=str(i)) for i, text in enumerate(texts))
        for bucket in range(config.num_buckets):
            MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/pairs", config=config).run(None, bucket, config.num_buckets)
        MinhashDedupCluster(f"{folder}/pairs", f"{folder}/clusters", config, save_cluster_id=True).run(None)
        clusters = {}
        for path in Path(folder, "clusters").glob("*.clusters"):
            for document, cluster in struct.iter_unpack("<2I", path.read_bytes()):
                clusters.setdefault(cluster, []).append(document)
    return {"hash": name, "signatures": signatures, "clusters": sorted(sorted(one) for one in clusters.values())}


WORDS = ("The llama walked to the WATER and drank with 12 others , while it was cold... on the hill; 3.14 1,000 2.5.7 10% ٣٤٫٥ ２０２６年 １． Straße ÉCOLE e\u0301te\u0301 naïve "
         "İstanbul ΟΔΟΣ ΣΑΣ лама МОСКВА 羊驼。 ラマ が हिन्दी। عَرَبِيّ 한국어 ﬁn 𝔘𝔫𝔦 😀 👍🏽 \u0301 \u0308\u0301 - — … don't snake_case a\x01b x\x85y Å \u212b \u037e \u1fef \u0344 \ufeffbom z\u200bw ½ Ⅷ ⎖ 5⎖5 « » ''").split(" ")
GAPS = [" "] * 20 + ["\n", "\n\n", "\t", "  ", "\u3000", "\xa0", "\u2028", "\x1c", "\u180e"]


def random_texts():
    rng = random.Random(21)
    texts = ["", " ", "one two three four", "one two three four five", "\u0301 \u0302 a b c d e"]
    originals = [[rng.choice(WORDS) + str(rng.randrange(40)) for _ in range(rng.randint(20, 90))] for _ in range(18)]
    for words in originals:
        texts.append(join(rng, words))
        for changed in rng.sample([0, 1, 1, 1, 2, 2, 4], 3):
            copy = list(words)
            for at in rng.sample(range(len(copy)), changed):
                copy[at] = rng.choice(WORDS)
            texts.append(join(rng, copy))
    rng.shuffle(texts)
    return texts


def join(rng, words):
    return "".join(word + rng.choice(GAPS) for word in words)


def main():
    if len(sys.argv) > 1:
        texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
        json.dump(found(texts, *CONFIGS[0]), sys.stdout)
    else:
        texts = random_texts()
        json.dump({"texts": texts, "found": [found(texts, *config) for config in CONFIGS]}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


main()
