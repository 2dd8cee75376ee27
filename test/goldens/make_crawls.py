"""Writes crawls.golden.json: a WARC file by warcio's writer, and what warcio's reader finds in it; the judge of the reader of crawls.

Needs: pip install warcio==1.8.1. Run: python test/goldens/make_crawls.py
"""
import base64, gzip, io, json, pathlib, zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = "<html><head><title>t</title>{meta}</head><body><p>{text}</p></body></html>"
#        url, text, charset of the bytes, charset in the header, meta, content coding, chunked
PAGES = [
    ("plain", "llamas graze", "utf-8", "utf-8", "", None, False),
    ("untold", "señor llama", "utf-8", None, "", None, False),
    ("latin", "señor llama", "latin-1", "iso-8859-1", "", None, False),
    ("meta", "лама пасётся", "windows-1251", None, '<meta charset="windows-1251">', None, False),
    ("japanese", "ラマは草を食べる", "shift_jis", "Shift_JIS", "", None, False),
    ("chinese", "羊驼吃草", "gb18030", "gb2312", "", None, False),
    ("wrong", "naïve — café", "utf-8", "iso-8859-1", "", None, False),
    ("gzip", "packed llama", "utf-8", "utf-8", "", "gzip", False),
    ("deflate", "deflated llama", "utf-8", "utf-8", "", "deflate", False),
    ("chunks", "llama in pieces", "utf-8", "utf-8", "", None, True),
    ("both", "packed llama in pieces", "utf-8", "utf-8", "", "gzip", True),
]


def coded(data, coding):
    if coding == "gzip":
        return gzip.compress(data, mtime=0)
    return zlib.compress(data) if coding == "deflate" else data


def chunked(data):
    parts = [data[i : i + 20] for i in range(0, len(data), 20)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def http_headers(charset, coding, chunks):
    fields = [("Content-Type", "text/html" + (f"; charset={charset}" if charset else ""))]
    if coding:
        fields.append(("Content-Encoding", coding))
    if chunks:
        fields.append(("Transfer-Encoding", "chunked"))
    return StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")


def write():
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    head = {"WARC-Date": "2022-02-05T01:02:03Z"}
    for url, text, encoding, charset, meta, coding, chunks in PAGES:
        body = coded(PAGE.format(meta=meta, text=text).encode(encoding), coding)
        body = chunked(body) if chunks else body
        record = writer.create_warc_record(
            f"http://{url}.example/", "response", payload=io.BytesIO(body), http_headers=http_headers(charset, coding, chunks), warc_headers_dict=head
        )
        writer.write_record(record)
        writer.write_record(writer.create_warc_record(f"http://{url}.example/", "metadata", payload=io.BytesIO(b"x: y"), warc_headers_dict=head))
    record = writer.create_warc_record(
        "http://wet.example/", "conversion", payload=io.BytesIO("Texto de una página.\r\nDos líneas.".encode()), warc_content_type="text/plain", warc_headers_dict=head
    )
    writer.write_record(record)
    return out.getvalue()


def read(data):
    """warcio takes off codings; the encodings are ours to know."""
    encodings = {f"http://{url}.example/": encoding for url, _, encoding, *_ in PAGES}
    for record in ArchiveIterator(io.BytesIO(data)):
        url = record.rec_headers.get_header("WARC-Target-URI")
        if record.rec_type in ("response", "conversion"):
            yield {"url": url, "date": record.rec_headers.get_header("WARC-Date"), "content": record.content_stream().read().decode(encodings.get(url, "utf-8"))}


data = write()
golden = {"warc": base64.b64encode(data).decode(), "records": list(read(data))}
assert len(golden["records"]) == len(PAGES) + 1
(pathlib.Path(__file__).parent / "crawls.golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
