"""Makes tiktoken.golden.json: small files of ranks, and what tiktoken makes of difficult texts with them and with special pieces.

    python3 make_tiktoken.py    with tiktoken 0.14.0; twice gives the same bytes

Ranks are learned here by plain byte pair encoding on a few sentences, so that some pieces can be put together in several ways."""

import base64
import json
import pathlib
import random

import tiktoken

HERE = pathlib.Path(__file__).parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TEXT = ("the low lower newest widest of the low town, and the old owl aaaaaaaaaaaaaaaa abababababab ababa aba bab "
        "\u4f60\u597d \u4e16\u754c \U0001f999\U0001f999 caf\u00e9    if x:\n        return 123456 - 7890\n"
        "Sphinx of black quartz judge my vow while several frightened llamas wander through misty mountains yesterday evening ") * 3  # fmt: skip
SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|x|>", "<|x|>y"]
UNITS = [*" \n\t\r\u00a0abcdehilnostwxy\u00e9\u65e5\u4f601\u00bd\u0301\u200d\ufeff\u2581\u0000.,-'", "  ", "    ", "the", " low", "aaa", "abab", "\U0001f999",
         "123456", "'s", *SPECIALS, "<|", "|>"]  # fmt: skip


def main():
    random.seed(20261128)
    made = [golden(name, pattern, size) for name, pattern, size in (("llama3", LLAMA3, 350), ("gpt2", GPT2, 320))]
    (HERE / "tiktoken.golden.json").write_text('{"files":[\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in made) + "\n]}\n")


def golden(pattern, expression, size):
    ranks = learn(size)
    specials = {piece: size + i for i, piece in enumerate(SPECIALS)}
    model = tiktoken.Encoding("small", pat_str=expression, mergeable_ranks=ranks, special_tokens=specials)
    texts = ["", " ", "aaaaa", "abababa", *("".join(random.choice(UNITS) for _ in range(random.randint(1, 12))) for _ in range(70))]
    lists = [[random.randrange(size + len(SPECIALS)) for _ in range(random.randint(1, 8))] for _ in range(30)]
    return dict(
        pattern=pattern,
        specials=list(specials),
        file="".join(f"{base64.b64encode(piece).decode()} {rank}\n" for piece, rank in ranks.items()),
        texts=[dict(text=text, plain=model.encode_ordinary(text), ids=model.encode(text, allowed_special="all")) for text in texts],
        decoded=[dict(ids=ids, text=model.decode(ids)) for ids in lists],
    )


def learn(size):
    # Bytes in an order of their own, as in LLaMA 3's file, where "!" has the rank 0.
    order = [*range(33, 127), *range(161, 173), *range(174, 256), *range(33), 127, *range(128, 161), 173]
    ranks = {bytes([byte]): rank for rank, byte in enumerate(order)}
    words = [[bytes([byte]) for byte in word.encode()] for word in TEXT.replace(" ", "| ").split("|")]
    while len(ranks) < size:
        counts = {}
        for word in words:
            for pair in zip(word, word[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        left, right = max(counts, key=lambda pair: (counts[pair], pair))
        if left + right not in ranks:
            ranks[left + right] = len(ranks)
        words = [merged(word, left, right) for word in words]
    return ranks


def merged(word, left, right):
    out = []
    for symbol in word:
        if out and out[-1] == left and symbol == right:
            out[-1] = left + right
        else:
            out.append(symbol)
    return out


if __name__ == "__main__":
    main()
