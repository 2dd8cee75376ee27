"""Merges that the trainer of Hugging Face's tokenizers learns from words drawn at random, many of them equally frequent.

`python3 make_hf_training.py > hf-training.golden.json`, with tokenizers 0.23.3; twice gives the same bytes. Their ids are in the order of the characters
that stand for bytes, ours in that of the bytes: the letters here have both in the same order.
"""
import json
import random

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

LETTERS = ["abc", "abcdefghijklmnopqrstuvwxyz", "aAbBcCzZéñü"]


def corpus(seed: int, letters: str) -> list[str]:
    rng = random.Random(seed)
    words = ["".join(rng.choice(letters) for _ in range(rng.randint(1, 9))) for _ in range(120)]
    return [word for word in words for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 7]))]


def merges(words: list[str]) -> list[list[str]]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + 120, min_frequency=1, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(words, trainer)
    return [list(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


cases = []
for seed in range(6):
    words = corpus(seed, LETTERS[seed % len(LETTERS)])
    cases.append({"words": words, "merges": [" ".join(pair) for pair in merges(words)]})
print(json.dumps(cases, ensure_ascii=False, separators=(",", ":")))
