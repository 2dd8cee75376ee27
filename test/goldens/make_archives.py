"""Archives, packed files, tables and books as Python's modules write them: tarfile, zipfile, lz4, py7zr, pyarrow, ebooklib.

    python test/goldens/make_archives.py

writes archives.golden.json, the files in it as gzip data. Needs lz4 4.4.5, py7zr 1.1.4, pyarrow 26.0.1, ebooklib 0.20.
"""

import base64
import datetime
import gzip
import io
import json
import os
import struct
import tarfile
import tempfile
import zipfile

import lz4.frame
import py7zr
import pyarrow
import pyarrow.parquet
from ebooklib import epub

cases = []
texts = {"a.txt": "plain\n", "folder/é.txt": "accents é ✓\n", "b.jsonl": '{"text":"one","url":"https://x.org/1"}\n{"text":"two"}\n', "picture.png": "\x01\x02"}
documents = ["plain\n", "accents é ✓\n", "one", "two"]


def add(name, how, content, expected, **more):
    cases.append({"name": name, "how": how, "content": base64.b64encode(gzip.compress(content, 9, mtime=0)).decode(), "texts": expected, **more})


def tar(fmt, names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for name, text in names.items():
            info = tarfile.TarInfo(name)
            data = text.encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for kind, link in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "a.txt")):
            info = tarfile.TarInfo("link.txt")
            info.type, info.linkname = kind, link
            archive.addfile(info)
        for bad in ("../outside.txt", "/absolute.txt", ".hidden.txt"):
            info = tarfile.TarInfo(bad)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"bad"))
    return out.getvalue()


long_name = "/".join(["deep folder"] * 12) + "/long.txt"  # 139 characters: ustar splits it, others need headers of their own
notes = {"link in an archive": 2, "path outside of the archive's folder in an archive": 2, "hidden file in an archive": 1, "file of no known form in an archive": 1}
for how, fmt in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
    names = {**texts, long_name: "a long name\n", "x" * 99 + ("" if how == "ustar" else "y" * 150) + ".md": "another\n"}
    if how == "ustar":
        names = {**texts, long_name: "a long name\n", "another.md": "another\n"}
    add("t.tar", how, tar(fmt, names), [*documents, "a long name\n", "another\n"], notes=notes)


def zipped(method, **more):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, **more) as archive:
        for name, text in texts.items():
            with archive.open(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)) if method is None else name, "w", force_zip64=True) as member:
                member.write(text.encode())
        archive.writestr("../outside.txt", "bad")
        archive.writestr("folder/", "")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


zip_notes = {"link in an archive": 1, "path outside of the archive's folder in an archive": 1, "file of no known form in an archive": 1}
add("t.zip", "stored", zipped(zipfile.ZIP_STORED), documents, notes=zip_notes)
add("t.zip", "deflated", zipped(zipfile.ZIP_DEFLATED), documents, notes=zip_notes)
add("t.zip", "bzip2", zipped(zipfile.ZIP_BZIP2), [], notes={"file that is packed by method 12 in an archive": 6, "link in an archive": 1})

prose = "".join(f"The {i % 40} llamas of hill {i * i % 97} walk to the water.\n" for i in range(4000))
for how, options in (
    ("independent blocks", {"block_linked": False}),
    ("linked blocks, checksums", {"block_linked": True, "block_checksum": True, "content_checksum": True}),
    ("small linked blocks", {"block_size": lz4.frame.BLOCKSIZE_MAX64KB, "content_checksum": True}),
    ("strong", {"compression_level": 12, "content_checksum": True}),
):
    add("p.txt.lz4", how, lz4.frame.compress(prose.encode(), **options), [prose], isProse=True)
skippable = struct.pack("<II", 0x184D2A53, 5) + b"skip!"
add("p.txt.lz4", "frames and a skippable one", lz4.frame.compress(b"one ") + skippable + lz4.frame.compress(b"two"), ["one two"])

for how, filters in (
    ("LZMA2", [{"id": py7zr.FILTER_LZMA2, "preset": 6}]),
    ("LZMA", [{"id": py7zr.FILTER_LZMA}]),
    ("bzip2", [{"id": py7zr.FILTER_BZIP2}]),
    ("PPMd", [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 16}]),
):
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=filters) as archive:
        for name, text in texts.items():
            archive.writestr(text, name)
        archive.writestr("", "empty.txt")
    add("s.7z", how, out.getvalue(), documents, notes={"file of no known form in an archive": 1})

rows = [f"row {i} " + "x" * (i % 7) for i in range(60)]
dates = [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)] * 60
nested = pyarrow.table(
    {
        "url": [f"https://x.org/{i}" for i in range(60)],
        "text": [None if i == 5 else row for i, row in enumerate(rows)],
        "score": list(range(60)),
        "date": dates,
        "tags": [["a", "b"]] * 60,
        "meta": [{"k": 1}] * 60,
    }
)
wanted = [row for i, row in enumerate(rows) if i != 5]
for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
    out = io.BytesIO()
    pyarrow.parquet.write_table(nested, out, compression=codec, row_group_size=20)
    add("t.parquet", codec, out.getvalue(), wanted, notes={"row whose text is null": 1}, facts={"url": "https://x.org/0", "score": 0, "date": "2020-01-01T00:00:00.000Z"})
out = io.BytesIO()
pyarrow.parquet.write_table(nested, out, use_dictionary=False, data_page_version="2.0", column_encoding={"text": "DELTA_LENGTH_BYTE_ARRAY"})
add("t.parquet", "second version of pages", out.getvalue(), wanted, notes={"row whose text is null": 1})
large = nested.set_column(1, "text", nested.column("text").cast(pyarrow.large_string()).dictionary_encode())
out = io.BytesIO()
pyarrow.parquet.write_table(large, out)
add("t.parquet", "large strings", out.getvalue(), wanted, notes={"row whose text is null": 1})

book = epub.EpubBook()
book.set_identifier("id1")
book.set_title("Hills & Waters")
book.set_language("en")
book.add_author("Ann Author")
chapters = []
for i in range(3):
    chapter = epub.EpubHtml(title=f"Chapter {i}", file_name=f"text/c {2 - i}.xhtml", lang="en")
    chapter.content = f"<h1>Chapter {i}</h1><p>The <i>llama</i> of hill {i}.</p>"
    book.add_item(chapter)
    chapters.append(chapter)
book.toc = tuple(chapters)
book.add_item(epub.EpubNcx())
book.add_item(epub.EpubNav())
book.spine = ["nav", *chapters]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "b.epub")
    epub.write_epub(path, book)
    content = open(path, "rb").read()
text = "\n\n".join(f"Chapter {i}\n\nThe llama of hill {i}." for i in range(3))
add("b.epub", "ebooklib", content, [text], facts={"title": "Hills & Waters", "author": "Ann Author", "language": "en"})

here = os.path.dirname(os.path.abspath(__file__))
for case in cases:
    if case.pop("isProse", False):
        case["texts"] = []
        case["prose"] = True
with open(os.path.join(here, "archives.golden.json"), "w") as file:
    json.dump({"cases": cases}, file, ensure_ascii=False, indent=1)
    file.write("\n")
