"""A tokenizer of Python's world: `tokenizer_peers.py gigatoken|sentencepiece|tiktoken|tokenizers VOCABULARY`. Says "ready", then reads a path per line, encodes
that file on one thread, and answers with the seconds it took, reading not counted."""

import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"


def open_peer(name, path):
    if name == "gigatoken":
        import gigatoken

        peer = gigatoken.Tokenizer.from_sentencepiece(path) if path.endswith(".model") else gigatoken.Tokenizer(path)
        return lambda data: peer.encode(data.decode())
    if name == "sentencepiece":
        import sentencepiece

        peer = sentencepiece.SentencePieceProcessor(model_file=path)
        return lambda data: [peer.encode(line) for line in data.decode().split("\n")]
    if name == "tiktoken":
        import json

        import tiktoken

        characters = {c: b for b, c in byte_characters().items()}
        vocabulary = json.load(open(path))["model"]["vocab"]
        ranks = {bytes(characters[c] for c in piece): id for piece, id in vocabulary.items() if piece != "<|endoftext|>"}
        pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
        peer = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        return lambda data: peer.encode_ordinary(data.decode())
    import tokenizers

    peer = tokenizers.Tokenizer.from_file(path)
    return lambda data: peer.encode(data.decode(), add_special_tokens=False)


def byte_characters():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def main():
    try:
        encode = open_peer(*sys.argv[1:])
    except ModuleNotFoundError as error:
        print(error, flush=True)
        return
    print("ready", flush=True)
    for line in sys.stdin:
        data = open(line.rstrip("\n"), "rb").read()
        started = time.perf_counter()
        encode(data)
        print(time.perf_counter() - started, flush=True)


main()
