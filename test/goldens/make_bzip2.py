"""Writes bzip2.golden.json: what Python's bz2 makes of texts, and what it reads in them. Run: python3 test/goldens/make_bzip2.py"""
import base64, bz2, hashlib, json, pathlib, random

rng = random.Random(14)
words = ["llama", "alpaca", "é", "日本", "\n", "guanaco "]
text = "".join(rng.choice(words) for _ in range(1500)).encode()
runs = b"".join(bytes([rng.randrange(256)]) * rng.choice([1, 2, 3, 4, 5, 6, 254, 255, 256, 259, 260, 1000]) for _ in range(300))
noise = bytes(rng.randrange(256) for _ in range(2000))
cases = [
    ("text", bz2.compress(text, 1)),
    ("runs", bz2.compress(runs, 9)),
    ("noise", bz2.compress(noise, 5)),
    ("nothing", bz2.compress(b"")),
    ("one byte", bz2.compress(b"x")),
    ("streams", bz2.compress(text, 1) + bz2.compress(b"") + bz2.compress(runs, 9)),
    ("blocks", bz2.compress(text * 20 + noise, 1)),
    ("a long run", bz2.compress(b"\0" * 3_000_000)),
    ("periods", bz2.compress(b"abcab" * 30_000 + b"abca", 1)),
]
golden = [
    {"name": name, "packed": base64.b64encode(data).decode(), "bytes": len(bz2.decompress(data)), "sha256": hashlib.sha256(bz2.decompress(data)).hexdigest()}
    for name, data in cases
]
(pathlib.Path(__file__).parent / "bzip2.golden.json").write_text(json.dumps(golden, indent=1) + "\n")
