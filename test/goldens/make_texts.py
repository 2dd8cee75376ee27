"""Random texts in every form, as Python's own modules write them: csv, json, gzip, and zstandard (PyPI, 0.25.0).
   python3 make_texts.py > texts.golden.json"""
import base64, csv, gzip, io, json, random, zstandard

random.seed(20261128)
PIECES = ["a", "word", " ", "  ", '"', '""', ",", ";", "\t", "\n", "\r\n", "\n\n", "é", "日本", "🦙", "\\", "'", "{", "}", "<b>", "&amp;", "\u00a0", "\u2028"]


def text():
    made = "".join(random.choice(PIECES) for _ in range(random.randrange(1, 40)))
    return made if made.strip() else made + "x"


def table(delimiter, terminator, quoting):
    rows = [[str(i), text(), random.choice(["", "x", text()])] for i in range(random.randrange(1, 20))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=terminator, quoting=quoting)
    writer.writerow(["id", "text", "more"])
    writer.writerows(rows)
    back = list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter))
    assert back[1:] == rows
    return out.getvalue(), [row[1] for row in rows]


def encode(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


cases = []
for delimiter, ending in [(",", "csv"), ("\t", "tsv")]:
    for terminator in ["\n", "\r\n"]:
        for quoting in [csv.QUOTE_MINIMAL, csv.QUOTE_ALL]:
            for _ in range(5):
                content, texts = table(delimiter, terminator, quoting)
                cases.append({"name": f"table.{ending}", "content": encode(content), "texts": texts})
for ascii in [False, True]:
    records = [{"id": i, "text": text(), "more": [text(), {"text": text()}]} for i in range(30)]
    dump = lambda value, **options: json.dumps(value, ensure_ascii=ascii, **options)
    for name, content in [
        ("lines.jsonl", "".join(dump(r) + "\n" for r in records)),
        ("list.json", dump(records)),
        ("list.json", dump(records, indent=2)),
        ("one.json", dump(records[0], indent=1)),
    ]:
        cases.append({"name": name, "content": encode(content), "texts": [r["text"] for r in (records[:1] if name == "one.json" else records)]})

plain = "".join(random.choice(PIECES) for _ in range(1500)) + "end"
random_bytes = bytes(random.choice(b"abcdefghijklmnopqrstuvwxyz \n") for _ in range(30_000)).decode()
half = len(plain) // 2
parameters = zstandard.ZstdCompressionParameters
frames = {
    "level 3": zstandard.ZstdCompressor(level=3).compress(plain.encode()),
    "level 19": zstandard.ZstdCompressor(level=19).compress(plain.encode()),
    "checksum": zstandard.ZstdCompressor(compression_params=parameters(write_checksum=1)).compress(plain.encode()),
    "no size": zstandard.ZstdCompressor(compression_params=parameters(write_content_size=0, write_checksum=1)).compress(plain.encode()),
}
two = zstandard.ZstdCompressor(compression_params=parameters(write_checksum=1))
frames["frames and a skippable one"] = two.compress(plain[:half].encode()) + b"\x5a\x2a\x4d\x18\x03\0\0\0..." + two.compress(plain[half:].encode()) + two.compress(b"")
for name, data in frames.items():
    assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).readable()
    cases.append({"name": "plain.txt.zst", "how": name, "content": encode(data), "texts": [plain]})
cases.append({"name": "long.txt.zst", "content": encode(two.compress((random_bytes * 4).encode())), "times": 4, "texts": [random_bytes]})
cases.append({"name": "plain.txt.gz", "content": encode(gzip.compress(plain.encode(), mtime=0)), "texts": [plain]})
wide = zstandard.ZstdCompressor(compression_params=parameters(window_log=28, write_content_size=0)).compressobj()
refused = {"window": encode(wide.compress(plain.encode()) + wide.flush())}
print(json.dumps({"cases": cases, "refused": refused}, ensure_ascii=False))
