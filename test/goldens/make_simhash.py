"""Fingerprints of texts by PyPI's simhash, with the features of RedPajama's books: six letters, digits or underscores in a row, in small letters.

    pip install simhash && python3 make_simhash.py > simhash.golden.json

Made with simhash 2.1.2, whose hash of a feature is the last eight bytes of its MD5.
"""

import json
import random
import re
import sys

from simhash import Simhash, SimhashIndex

WORDS = "the llama walked to the water Grüße naïve İstanbul ΟΔΟΣ лама 羊驼 12 ٣ ½ snake_case e\u0301 😀 𝔘𝔫𝔦 don't".split()
DISTANCE = 5


def features(text, width=6):
    plain = re.sub(r"[^\w]+", "", text.lower())
    return [plain[i : i + width] for i in range(max(len(plain) - width + 1, 1))]


def main():
    rng = random.Random(14)
    texts = ["", "a", "abcdef", "!?", *(" ".join(rng.choices(WORDS, k=rng.randint(1, 60))) for _ in range(40))]
    for length in (400, 900):
        long = rng.choices(WORDS, k=length)
        for changed in (0, 1, 3, 10, 40, 200):
            copy = list(long)
            for at in rng.sample(range(length), changed):
                copy[at] = rng.choice(WORDS)
            texts.append(" ".join(copy))
    made = [Simhash(features(text)) for text in texts]
    index = SimhashIndex([(str(i), one) for i, one in enumerate(made)], k=DISTANCE)
    pairs = sorted({(min(i, int(j)), max(i, int(j))) for i, one in enumerate(made) for j in index.get_near_dups(one) if int(j) != i})
    json.dump(
        {"distance": DISTANCE, "texts": texts, "fingerprints": [f"{one.value:016x}" for one in made], "pairs": pairs},
        sys.stdout,
        ensure_ascii=False,
        separators=(",", ":"),
    )


main()
