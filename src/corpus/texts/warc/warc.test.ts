// Crawls beside what PyPI's warcio finds in them (test/goldens/make_crawls.py), and damaged ones: what is whole is read, all else is counted.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { formCalled, type ReadingNote, type TextDocument } from "../forms.ts";
import { pageText } from "../html/page-text.ts";
import { readDocuments, readTextDocuments } from "../read-file.ts";
import { openTexts } from "../texts.ts";

interface Golden {
  /** Base64 of a file whose records are gzip members. */
  readonly warc: string;
  readonly records: readonly { readonly url: string; readonly date: string; readonly content: string }[];
}

const path = join(import.meta.dirname, "../../../../test/goldens/crawls.golden.json");
const golden = JSON.parse(readFileSync(path, "utf8")) as Golden;
const packed = Buffer.from(golden.warc, "base64");
const plain = gunzipSync(packed);
const wanted = golden.records.map(({ url, date, content }) => ({
  text: content.startsWith("<") ? pageText(content) : content.replaceAll("\r\n", "\n"),
  facts: { url, date },
}));
const where = "data";
const folder = mkdtempSync(join(tmpdir(), "cria-warc-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: Uint8Array | string, name = "a.warc"): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function read(content: Uint8Array | string, name?: string): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const notes: ReadingNote[] = [];
  const documents: TextDocument[] = [];
  const file = { path: write(content, name), name: "a.warc", form: formCalled("warc") };
  for await (const document of readTextDocuments(file, {}, { where, onNote: (note) => notes.push(note) })) documents.push(document);
  return { documents, notes };
}

function damage(notes: readonly ReadingNote[]): string[] {
  return notes.filter(({ kind }) => kind === "damaged").map(({ what }) => what);
}

/** Where each gzip member begins, and the end of the last. */
function memberStarts(): number[] {
  const starts: number[] = [];
  for (let at = 0; at >= 0; at = packed.indexOf(Uint8Array.of(0x1f, 0x8b, 8, 0), at + 1)) starts.push(at);
  return [...starts, packed.length];
}

test("pages and texts are those that warcio finds, packed, in one piece, or plain", async () => {
  const whole = [packed, plain, gzipSync(plain)];
  for (const content of whole) {
    const { documents, notes } = await read(content);
    expect(documents).toEqual(wanted);
    expect(notes.filter(({ kind }) => kind === "left out")).toHaveLength(11);
    expect(notes.filter(({ kind }) => kind === "converted").map(({ what }) => what)).toEqual([
      "windows-1252",
      "windows-1251",
      "shift_jis",
      "gbk",
    ]);
    expect(damage(notes)).toEqual([]);
  }
});

test("files are known by their names, and by their content", async () => {
  for (const name of ["a.warc.gz", "b.wet.gz", "without-an-ending"]) {
    await using texts = await openTexts([write(packed, name)]);
    expect(texts.files[0]?.form.name).toBe("warc");
  }
});

test("behind a damaged or cut member reading goes on, and it is told once", async () => {
  const starts = memberStarts();
  expect(starts.length).toBe(24);
  for (const [member, what] of [
    [0, "gzip data that is damaged"],
    [4, "gzip data that is damaged"],
    [22, "gzip data that is damaged"],
  ] as const) {
    const changed = Buffer.from(packed);
    changed[starts[member + 1]! - 6]! ^= 0x10; // its checksum
    const { documents, notes } = await read(changed);
    expect(documents).toEqual(wanted.filter((_, i) => i !== member / 2));
    expect(damage(notes)).toEqual([what]);
  }
  const cut = Buffer.concat([packed.subarray(0, starts[3]! - 40), packed.subarray(starts[3]!)]);
  const behind = await read(cut);
  expect(behind.documents).toEqual(wanted.filter((_, i) => i !== 1));
  expect(damage(behind.notes)).toEqual(["gzip data that is damaged"]);
  const end = await read(packed.subarray(0, -20));
  expect(end.documents).toEqual(wanted.slice(0, -1));
  expect(damage(end.notes)).toEqual(["gzip data that is cut short"]);
});

test("a wrong length costs its record, and bytes between records are passed over", async () => {
  const text = plain.toString("latin1");
  for (const wrong of ["Content-Length: 7\r\n", "Content-Length: 99\r\n", "Content-Length: x\r\n"]) {
    const { documents, notes } = await read(Buffer.from(text.replace(/Content-Length: \d+\r\n/, wrong), "latin1"));
    expect(documents).toEqual(wanted.slice(1));
    expect(damage(notes)).toHaveLength(1);
  }
  const between = Buffer.concat([Buffer.from("nonsense\nWARC\n"), plain]);
  expect(await read(between)).toMatchObject({
    documents: wanted,
    notes: [
      { what: "bytes that belong to no record", place: "a.warc: byte 0" },
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
      {},
    ],
  });
});

test("damage stops a reading that does not count it, and says what to do", async () => {
  const file = { path: write(packed.subarray(0, -20)), name: "a.warc.gz", form: formCalled("warc") };
  const all = async () => {
    for await (const _ of readDocuments(file, {}, { where }));
  };
  await expect(all()).rejects.toThrow(
    /^\[data\] a\.warc\.gz: byte \d+: gzip data that is cut short: mend the file, or give its source "steps: \[\]"/,
  );
});

function response(head: string, body: string): string {
  const content = `HTTP/1.1 ${head}\r\n\r\n${body}`;
  return `WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}\r\n\r\n`;
}

test.each([
  ["404 Not Found\r\nContent-Type: text/html", "<p>x", "left out", "response with status 404"],
  ["200 OK\r\nContent-Type: image/png", "x", "left out", "response that is no HTML"],
  ["200 OK\r\nContent-Type: text/html", "<script>x</script>", "left out", "page without text"],
  ["200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked", "5\r\nab", "damaged", "response whose chunks are wrong"],
  ["200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br", "xyz", "damaged", "response whose compressed data is damaged"],
])("%j is no page", async (head, body, kind, what) => {
  expect(await read(response(head, body))).toMatchObject({ documents: [], notes: [{ kind, what }] });
});

test("ARC: addresses with spaces, and servers that are no HTTP", async () => {
  const page = "HTTP/1.0 200 OK\nContent-Type: text/html\n\n<p>a llama</p>";
  const dns = "20080430204825\nexample 10 IN A 1.2.3.4\n";
  const arc = `filedesc://a.arc 0.0.0.0 20080430204825 text/plain 10\n1 0 Cria\n\n\ndns:a.example 1.2.3.4 20080430204825 text/dns ${dns.length}\n${dns}\nhttp://a.example/a b 1.2.3.4 20080430204826 text/html ${page.length}\n${page}\n`;
  const { documents, notes } = await read(arc, "a.arc");
  expect(documents).toEqual([{ text: "a llama\n", facts: { url: "http://a.example/a b", date: "2008-04-30T20:48:26Z" } }]);
  expect(notes.map(({ what }) => what)).toEqual(["record of type warcinfo", "response that is not HTTP"]);
});

test("lengths that are all too great cost no more than reading twice", async () => {
  const record = "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3000000\r\n\r\n";
  const { notes } = await read(record.repeat(60_000));
  expect(notes.length).toBeLessThan(10);
});
