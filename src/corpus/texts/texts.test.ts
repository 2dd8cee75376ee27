import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { CriaError, cutStream, cutText, Rng } from "../../base/index.ts";
import type { TextOptions } from "./forms.ts";
import { streamLineFeeds, toLineFeeds } from "./line-ends.ts";
import { longestWhole } from "./plain-text.ts";
import { splitText } from "./split-text.ts";
import { openEach, openTexts } from "./texts.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-texts-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function texts(paths: string[], options: TextOptions = {}): Promise<string[]> {
  await using opened = await openTexts(paths, options);
  return collect(opened.documents());
}

test("text files: one document each, or split at a separator or at blank lines; LF and no BOM, unless newlines are kept", async () => {
  const a = file("a.txt", "\ufeffone\r\n\r\n\r\ntwo\nlines\n \nthree\r");
  const b = file("b.md", "x<|end|>y<|end|><|end|> \n");
  expect(await texts([a])).toEqual(["one\n\n\ntwo\nlines\n \nthree\n"]);
  expect(await texts([a], { newlines: "keep" })).toEqual(["one\r\n\r\n\r\ntwo\nlines\n \nthree\r"]);
  expect(await texts([a], { separator: "blank-lines" })).toEqual(["one", "two\nlines", "three"]);
  const c = file("c.txt", "one\r\ntwo\r\n\r\nthree\r\n");
  expect(await texts([c], { separator: "blank-lines", newlines: "keep" })).toEqual(["one\r\ntwo", "three"]);
  expect(await texts([b], { separator: "<|end|>" })).toEqual(["x", "y"]);
  expect(await texts([c], { separator: "\r\n\r\n" })).toEqual(["one\ntwo", "three\n"]);
});

test("JSON Lines: the field of every line, empty lines passed over, line ends inside the text too", async () => {
  const path = file("a.jsonl", '{"text":"é\\r\\n1"}\r\n\n{"text":"2","content":"c"}\n');
  expect(await texts([path])).toEqual(["é\n1", "2"]);
  expect(await texts([path], { newlines: "keep" })).toEqual(["é\r\n1", "2"]);
  await expect(texts([path], { field: "content" })).rejects.toThrow(/a\.jsonl:1: the object has no "content"/);
});

test("JSON: a list of records, one record, or records one after another", async () => {
  const records = [{ text: 'a "quoted", [bracketed] {braced} \\ one' }, { text: "b\n", more: [{ x: "]" }, []] }, { text: "c" }];
  for (const [i, content] of [
    JSON.stringify(records),
    JSON.stringify(records, null, 2),
    records.map((record) => JSON.stringify(record)).join("\n"),
    records.map((record) => JSON.stringify(record, null, 2)).join("\n"),
    `[${JSON.stringify(records[0])}]\n${JSON.stringify(records.slice(1))}`,
  ].entries())
    expect(await texts([file(`r${i}.json`, content)])).toEqual(records.map(({ text }) => text));
  const refused: [string, RegExp][] = [
    ['[{"text":"a"}', /it ends inside a list, without its "\]": the file is cut short/],
    ['[{"text":"a"}, {"te', /it ends inside a record: the file is cut short/],
    ['[{"text":"a"},]', /"\]" stands where a record must/],
    ['[{"text":"a"} {"text":"b"}]', /stands behind a record where "," or "\]" must/],
    ['{"text":"a"}]', /"\]" stands where none is open/],
    ['[{"text":"a"}, 7]', /record 2 is 7 but must be a JSON object/],
    ['[{"text":"a"}, {text:"b"}]', /record 2 is not JSON \(/],
    ['{"data": [{"text":"a"}]}', /the object has no "text": name the field that holds the text \(it has data\)/],
  ];
  for (const [content, message] of refused) await expect(texts([file("bad.json", content)])).rejects.toThrow(message);
});

test("tables: the column by its name, quoted line ends, and what is wrong by its line", async () => {
  const csv = file("t.csv", '\ufeffid,text,body\r\n1,"a ""quoted"", long\r\nline",x\r\n\r\n2,b,"y"\r\n');
  expect(await texts([csv])).toEqual(['a "quoted", long\nline', "b"]);
  expect(await texts([csv], { newlines: "keep" })).toEqual(['a "quoted", long\r\nline', "b"]);
  expect(await texts([csv], { field: "body" })).toEqual(["x", "y"]);
  expect(await texts([file("t.tsv", "text\tid\na, b\t1\n")])).toEqual(["a, b"]);
  await expect(texts([csv], { field: "txt" })).rejects.toThrow(
    /t\.csv: there is no column "txt", did you mean "text"\? its columns are "id", "text", "body"; name one as the field/,
  );
  await expect(texts([file("semicolons.csv", "id;text\n1;a\n")])).rejects.toThrow(
    /its columns are "id;text"; ";" seems to stand between the cells: save it with commas or tabs/,
  );
  await expect(texts([file("tabs.csv", "id\ttext\n1\ta\n")])).rejects.toThrow(/read it with the format tsv/);
  const refused: [string, RegExp][] = [
    ["id,text\n1,a\n2,b,c\n", /the row that ends at line 3 has 3 cells but there are 2 columns/],
    ['text\n"a\nb\n', /a quoted cell is still open at the end, line 3/],
    ["text,text\na,b\n", /two columns are called "text"/],
  ];
  for (const [content, message] of refused) await expect(texts([file("bad.csv", content)])).rejects.toThrow(message);
});

test("HTML: paragraphs without markup, scripts, styles and menus; main and article where there are some", async () => {
  const body =
    "<h1>A &amp; B</h1>\n<p>One <b>bold</b>\n word,&nbsp;<a href='x'>link</a>.<p>Two<br>lines<ul><li>x</li><li>y</li></ul><pre>a\n  b</pre>";
  const page = (inner: string) =>
    `<!doctype html><html><head><title>T</title><style>p {}</style><script>let a = "<p>no</p>";</script></head><body><nav>menu</nav>${inner}<footer>f</footer></body></html>`;
  const text = "A & B\n\nOne bold word,\u00a0link.\n\nTwo\nlines\n\nx\ny\n\na\n  b\n";
  expect(await texts([file("a.html", page(body))])).toEqual([text]);
  expect(await texts([file("b.html", page(`<div>around</div><main>${body}</main>`))])).toEqual([text]);
  expect(await texts([file("c.html", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>")])).toEqual(["a\tb\nc\n"]);
  expect(await texts([file("deep.html", `${"<div>".repeat(200_000)}deep`)])).toEqual(["deep\n"]);
  expect(await texts([file("cut.html", "<p>a<script>let")])).toEqual(["a\n"]);
});

test.each([
  [
    "a page whose text is in a header",
    `<body><header><p>${"a text ".repeat(40)}end</p></header><p>menu</p>`,
    `${"a text ".repeat(40)}end\n\nmenu\n`,
  ],
  [
    "an article that is a card beside the text",
    `<p>${"a text ".repeat(40)}end</p><article>card</article>`,
    `${"a text ".repeat(40)}end\n\ncard\n`,
  ],
  [
    "an article beside a menu",
    `<header>menu</header><p>more</p><article>${"a text ".repeat(4)}end</article>`,
    `${"a text ".repeat(4)}end\n`,
  ],
  ["a head without its end tag", "<html><head><title>T</title><meta charset=utf-8><body><p>one<p>two", "one\n\ntwo\n"],
  ["an element that is open when the one around it ends", "<p>one</p><aside>x<nav>y</aside><p>two</p>", "one\n\ntwo\n"],
  ["a menu that is open when its box ends", "<p>one</p><div><nav><a>y</a></div><p>two</p>", "one\n\ntwo\n"],
  ["end tags of what is not open", "<p>one</nav></div></aside><nav>y</nav><p>two</p>", "one\n\ntwo\n"],
  ["an article's own header, and the page's", "<header>menu</header><article><header><h1>T</h1></header><p>one</article>", "T\n\none\n"],
  ["a header that is open when its article ends", "<article>one<header>T</article><article>two</article>", "one\nT\ntwo\n"],
])("HTML: %s hides no text", async (_, page, text) => {
  expect(await texts([file("open.html", page)], { content: "whole" })).toEqual([text]);
});

test("gzip of every form, of several members, by content and not by name", async () => {
  expect(await texts([file("a.txt.gz", Buffer.concat([gzipSync("one "), gzipSync("two")]))])).toEqual(["one two"]);
  expect(await texts([file("a.jsonl.gz", gzipSync('{"text":"x"}\n'))])).toEqual(["x"]);
  expect(await texts([file("a.csv.gz", gzipSync("text\ny\n"))])).toEqual(["y"]);
  expect(await texts([file("packed.txt", gzipSync("without an ending"))])).toEqual(["without an ending"]);
  expect(await texts([file("plain.txt.gz", "not packed at all")])).toEqual(["not packed at all"]);
  const packed = gzipSync("some text ".repeat(1000));
  await expect(texts([file("cut.txt.gz", packed.subarray(0, -20))])).rejects.toThrow(/cut\.txt\.gz: its gzip data is damaged or cut short/);
  const wrong = Buffer.from(packed);
  wrong[wrong.length - 6]! ^= 1;
  await expect(texts([file("sum.txt.gz", wrong)])).rejects.toThrow(/its gzip data is damaged or cut short \(incorrect data check\)/);
});

test("a file's form is what format says, what its ending says, or what it holds", async () => {
  const lines = '{"text":"x"}\n{"text":"y"}\n';
  expect(await texts([file("lines.txt", lines)])).toEqual([lines]);
  expect(await texts([file("lines.txt", lines)], { format: "jsonl" })).toEqual(["x", "y"]);
  await using opened = await openTexts([file("lines", lines), file("notes.rst", "a text"), file("README", "another")]);
  expect(opened.files.map(({ form }) => form.name)).toEqual(["jsonl", "text", "text"]);
  expect(opened.notes).toEqual([
    expect.stringMatching(/^read as text by content, not by name: .*notes\.rst, .*README$/),
    expect.stringMatching(/^read as jsonl by content, not by name: .*lines$/),
  ]);
  await expect(texts([file("x.bin", Buffer.of(1, 2, 0, 3))])).rejects.toThrow(
    /x\.bin: it holds bytes that no text has: name a text \(\.txt /,
  );
});

test("a key that applies to none of the files is refused by name", async () => {
  const [plain, lines] = [file("k.txt", "x"), file("k.jsonl", '{"body":"y"}')];
  await expect(texts([plain], { field: "body" })).rejects.toThrow(
    /field is "body", but .*k\.txt is read as text, which has none: field is for jsonl, json, csv, tsv/,
  );
  await expect(texts([lines], { separator: "blank-lines" })).rejects.toThrow(/separator is "blank-lines", but .* is for text/);
  expect(await texts([plain, lines], { field: "body" })).toEqual(["x", "y"]);
  const each = await openEach([plain, lines], { field: "body" });
  expect(each.map(({ bytes }) => bytes)).toEqual([1, 12]);
  await expect(openEach([plain], { field: "body" })).rejects.toThrow(/field is "body"/);
});

test("standard input is read as often as needed, from a copy that goes", async () => {
  vi.stubEnv("TMPDIR", mkdtempSync(join(folder, "tmp-"))); // other programs keep their copies in the system's folder
  const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith("cria-pipe-")).length;
  const before = copies();
  {
    await using opened = await openTexts(["-"], {}, { stdin: stream(['{"text":"a"}\n', '{"text":"b"}']).map(bytesOf) });
    expect(await collect(opened.documents())).toEqual(["a", "b"]);
    expect(await collect(opened.documents())).toEqual(["a", "b"]);
    expect(opened.notes).toEqual(["read as jsonl by content, not by name: standard input"]);
    expect(copies()).toBe(before + 1);
  }
  expect(copies()).toBe(before);
  await expect(openTexts(["-"])).rejects.toThrow(/- and \/dev\/stdin stand for standard input/);
});

test.skipIf(process.platform === "win32")(
  "a pipe is read once and its documents any number of times; waiting for one that is never written ends with the signal",
  async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", 'gzip -c > "$0"', pipe], { stdio: ["pipe", "ignore", "inherit"] });
    writer.stdin.end('{"text":"a"}\n{"text":"b"}\n');
    await using opened = await openTexts([pipe]);
    for (let round = 0; round < 2; round++) expect(await collect(opened.documents())).toEqual(["a", "b"]);
    expect(opened.notes).toEqual([expect.stringMatching(/^read as jsonl by content, not by name: .*pipe$/)]);
    const controller = new AbortController();
    const waiting = openTexts([pipe], {}, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(waiting).rejects.toThrow("enough");
  },
);

test("a long text becomes several documents, cut between paragraphs, and nothing of it is lost", async () => {
  const paragraph = `${"word ".repeat(200)}\n\n`;
  const text = paragraph.repeat(Math.ceil((longestWhole * 2.2) / paragraph.length));
  const found = await texts([file("long.txt", text)]);
  expect(found.length).toBe(3);
  expect(found.every((document) => document.endsWith("\n\n") && document.length <= longestWhole)).toBe(true);
  expect(found.join("") === text).toBe(true);
});

test("cut texts joined again are the text, however chunks fall, and no surrogate pair is cut", async () => {
  const rng = new Rng(5);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: rng.below(60) }, () => ["a", " ", "\n", "\n\n", "🦙", "\r", "\r\n"][rng.below(7)]).join("");
    const most = 2 + rng.below(9);
    const parts = [...cutText(text, most)];
    expect(parts.join("")).toBe(text);
    expect(parts.every((part) => part.length <= most && !/^[\udc00-\udfff]|[\ud800-\udbff]$/.test(part))).toBe(true);
    const chunks = [...cutText(text, 1 + rng.below(5))];
    expect((await collect(cutStream(stream(chunks), most))).join("")).toBe(text);
    expect((await collect(streamLineFeeds(stream(chunks)))).join("")).toBe(toLineFeeds(text));
  }
});

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

test("splitting does not depend on where chunks fall", async () => {
  const rng = new Rng(1);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: rng.below(40) }, () => "aab"[rng.below(3)]).join("");
    const separator = ["a", "ab", "aab", "aa", "b"][rng.below(5)]!;
    const chunks: string[] = [];
    for (let rest = text; rest !== ""; rest = rest.slice(chunks.at(-1)!.length)) chunks.push(rest.slice(0, 1 + rng.below(4)));
    const parts = await collect(
      splitText(stream(chunks), separator, 1000, () => {
        throw new Error("too long");
      }),
    );
    expect(parts).toEqual(text.split(separator));
  }
});

/** Chunks as a stream; `map` makes others of them. */
function stream(chunks: readonly string[]): AsyncGenerator<string> & { map<T>(make: (chunk: string) => T): AsyncGenerator<T> } {
  const made = async function* <T>(make: (chunk: string) => T) {
    for (const chunk of chunks) yield make(chunk);
  };
  return Object.assign(
    made((chunk) => chunk),
    { map: made },
  );
}

test("a part longer than allowed is refused before it is held", async () => {
  const parts = splitText(stream(["ab,", "abcdef"]), ",", 5, (part) => {
    throw new Error(`part ${part}`);
  });
  await expect(collect(parts)).rejects.toThrow("part 1");
});

function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while ((bytes[start]! & 0xc0) === 0x80) start--;
  return start;
}

test("characters across chunk borders arrive whole; a wrong byte is named by its offset, wherever it stands", async () => {
  const text = "aé✓🦙".repeat(400_000); // 4.0 MB, so that borders fall inside characters
  const bytes = Buffer.from(text);
  expect((await texts([file("whole.txt", bytes)])).join("") === text).toBe(true);
  for (const at of [0, 7, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, bytes.length - 1]) {
    const wrong = Buffer.from(bytes);
    wrong[at] = 0xff;
    await expect(texts([file("wrong.txt", wrong)])).rejects.toThrow(
      new RegExp(`wrong\\.txt: byte 0x.. at offset ${characterStart(bytes, at)} begins no UTF-8 character`),
    );
  }
  await expect(texts([file("cut.txt", bytes.subarray(0, bytes.length - 2))])).rejects.toThrow(/inside a character that began at 3999996/);
});

const bad: readonly [string, () => Promise<unknown>, RegExp][] = [
  ["a missing file", () => texts([join(folder, "none.txt")]), /none\.txt: no such file or folder/],
  ["zero bytes", () => texts([file("zero.txt", "abcdefg\0")]), /zero\.txt: the byte at offset 7 is zero, which no text has/],
  [
    "UTF-16",
    () => texts([file("wide.txt", Buffer.from("\ufeffab", "utf16le"))]),
    /wide\.txt: its text is UTF-16, not UTF-8: convert it \(iconv -f UTF-16 -t UTF-8 .*wide\.txt > .*wide\.utf8\.txt\)/,
  ],
  [
    "UTF-16 without a mark, packed",
    () => texts([file("wide 2.txt.gz", gzipSync(Buffer.from("hello, world", "utf16le")))]),
    /its text is UTF-16LE, .* \(gzip -dc '.*wide 2\.txt\.gz' \| iconv -f UTF-16LE -t UTF-8 > '.*wide 2\.utf8\.txt'\)/,
  ],
  [
    "Latin-1",
    () => texts([file("latin.txt", Buffer.from("caf\xe9 au lait", "latin1"))]),
    /byte 0xe9 at offset 3 begins no UTF-8 character: it looks like Latin-1 or Windows-1252, convert it \(iconv -f WINDOWS-1252 -t UTF-8/,
  ],
  [
    "Shift JIS, packed",
    () => texts([file("sjis.txt.gz", gzipSync(Buffer.from([0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9])))]),
    /byte 0x82 at offset 0 of the unpacked text begins no .* \(gzip -dc .* \| iconv -f ENCODING .*, ENCODING being SHIFT_JIS/,
  ],
  ["half of a surrogate pair", () => texts([file("x.jsonl", '{"text":"a\\ud83d"}')]), /x\.jsonl:1: "text" has half of a surrogate pair/],
  ["surrogates in UTF-8", () => texts([file("sur.txt", Buffer.of(97, 0xed, 0xa0, 0x80))]), /byte 0xed at offset 1/],
  ["a broken line", () => texts([file("x.jsonl", '{"text":"a"}\n{"text":')]), /x\.jsonl:2: the line is not JSON/],
  ["a line that is a list", () => texts([file("x.jsonl", "[1]")]), /x\.jsonl:1: the line is not a JSON object/],
  ["a field of another name", () => texts([file("x.jsonl", '{"txt":"a"}')]), /has no "text", did you mean "txt"\?/],
  ["a field that is no text", () => texts([file("x.jsonl", '{"text":7}')]), /"text" is 7 but must be a string/],
];

test.each(bad)("%s is refused in the house's form", async (_, act, message) => {
  const error = await act().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CriaError);
  expect((error as Error).message).toMatch(/^\[data\] /);
  expect((error as Error).message).toMatch(message);
});
