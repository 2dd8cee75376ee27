// Every reader on files with something in them changed: documents, notes, or a CriaError. Anything else, a TypeError from deep inside, a hang, a temporary
// file that stays, is a fault.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "vitest";
import { CriaError, Rng } from "../../base/index.ts";
import { tarOf } from "./archives/tar.test.helper.ts";
import { type FormName, formCalled } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";

/** A reader and a whole file of its form. */
export interface FuzzedReader {
  readonly name: string;
  readonly form: FormName;
  readonly bytes: Uint8Array;
  /** What readers of this form look out for. */
  readonly pieces?: readonly string[];
  /** Documents that are in the file, and in no changed one more than some. */
  readonly documents: number;
}

/** What came of changed files. */
export interface FuzzOutcome {
  refused: number;
  /** Files of which something was told. */
  told: number;
  whole: number;
}

const goldens = join(import.meta.dirname, "../../../test/goldens");
const golden = (name: string) => JSON.parse(readFileSync(join(goldens, `${name}.golden.json`), "utf8"));

interface ArchiveCase {
  readonly name: string;
  readonly how: string;
  readonly content: string;
}

/** All readers, each with what it looks out for. */
export function fuzzedReaders(): readonly FuzzedReader[] {
  const { cases } = golden("archives") as { cases: readonly ArchiveCase[] };
  const archived = (name: string, how: string) => {
    const found = cases.find((one) => one.name === name && one.how === how);
    return gunzipSync(Buffer.from(found?.content ?? "", "base64"));
  };
  const { warc } = golden("crawls") as { warc: string };
  const packedWarc = Buffer.from(warc, "base64");
  const bz2 = Buffer.from((golden("bzip2") as readonly { packed: string }[])[0]?.packed ?? "", "base64");
  const zst = (golden("texts") as { cases: readonly { name: string; content: string; times?: number }[] }).cases.find(
    ({ name, times }) => name.endsWith(".zst") && times === undefined,
  );
  const code = tarOf({
    LICENSE: "MIT License\nPermission is hereby granted",
    "a/b.py": "print('é')\n# SPDX-License-Identifier: MIT\n",
    "c.rs": "fn main() {}\n",
  });
  const latex = tarOf({ "ms.tex": article, "sec/one.tex": "\\section{One} \\input{ms} text", "ms.bbl": "\\begin{thebibliography}{1}" });
  const text = (name: string, form: FormName, content: string, documents: number, pieces: readonly string[] = []): FuzzedReader => ({
    ...{ name, form, documents, pieces },
    bytes: Buffer.from(content),
  });
  return [
    text("text", "text", "Some text é\r\n\r\nmore 日本\n".repeat(8), 1),
    text("JSON Lines", "jsonl", '{"text":"a é \\ud83e\\udd99","url":"u","facts":{"x":1}}\n'.repeat(6), 6, ['"', "\\", "{", "}", "\\ud800"]),
    text("JSON", "json", `[${'{"text":"a","more":[1,{"x":"]"}]},'.repeat(5)}{"text":"b"}]`, 6, ['"', "[", "]", "{", "}", ","]),
    text("CSV", "csv", 'id,text\n1,"a ""b""\nc"\n2,d\n3,"e"\n', 3, ['"', ",", "\r", "\n"]),
    text(
      "HTML",
      "html",
      `<!doctype html><head><title>T</title></head><body><nav>m</nav>${"<p>a &amp; <b>b</b><pre>x\n</pre>".repeat(4)}`,
      1,
      [
        "<",
        ">",
        "&",
        "<!--",
        "<svg",
        "</",
        "<table><tr><td>",
        "<br><br>",
        "<h1>",
        " class=comment>",
        "<div style=display:none>",
        "</body>",
      ],
    ),
    text("Wikipedia", "wikipedia", wiki, 2, ["<", ">", "</page>", "<page>", "&#x110000;", "<!ENTITY a 'b'>", "&a;", "<text>"]),
    text("Stack Exchange", "stackexchange", posts, 2, ['"', "<", "/>", "&#xD800;", "&lt;", '="', "</posts>"]),
    { name: "WARC in gzip members", form: "warc", bytes: packedWarc, documents: 20 },
    {
      name: "WARC",
      form: "warc",
      bytes: unpackedMembers(packedWarc),
      documents: 20,
      pieces: ["WARC/1.0\r\n", "Content-Length: 99999999999\r\n", "\r\n\r\n", "filedesc:"],
    },
    {
      name: "tar, GNU",
      form: "archive",
      bytes: archived("t.tar", "gnu"),
      documents: 6,
      pieces: ["ustar", "77777777777", "\x80\xff\xff", "../"],
    },
    {
      name: "tar, pax",
      form: "archive",
      bytes: archived("t.tar", "pax"),
      documents: 6,
      pieces: ["99999 size=9999999999\n", "g", "x", "path="],
    },
    {
      name: "zip",
      form: "archive",
      bytes: archived("t.zip", "deflated"),
      documents: 4,
      pieces: ["PK\x01\x02", "PK\x05\x06", "PK\x03\x04", "\xff\xff\xff\xff"],
    },
    { name: "7z", form: "archive", bytes: archived("s.7z", "LZMA2"), documents: 4, pieces: ["\xff\xff\xff\xff"] },
    {
      name: "LZ4",
      form: "text",
      bytes: archived("p.txt.lz4", "frames and a skippable one"),
      documents: 1,
      pieces: ["\xff\xff\xff\x7f", "\x04\x22\x4d\x18"],
    },
    { name: "gzip", form: "text", bytes: gzipSync("one two ".repeat(20)), documents: 1 },
    { name: "bzip2", form: "text", bytes: bz2, documents: 1 },
    { name: "Zstandard", form: "text", bytes: Buffer.from(zst?.content ?? "", "base64"), documents: 1 },
    {
      name: "Parquet, plain",
      form: "parquet",
      bytes: archived("t.parquet", "none"),
      documents: 60,
      pieces: ["\xff\xff\xff\xff\x0f", "PAR1"],
    },
    { name: "Parquet, Snappy", form: "parquet", bytes: archived("t.parquet", "snappy"), documents: 60, pieces: ["\xff\xff\xff\xff\x0f"] },
    { name: "EPUB", form: "epub", bytes: archived("b.epub", "ebooklib"), documents: 1, pieces: ["PK\x01\x02", "\xff\xff\xff\xff"] },
    {
      name: "LaTeX",
      form: "latex",
      bytes: latex,
      documents: 1,
      pieces: ["\\input{ms}", "\\begin{document}", "%", "{", "}", "\\verb|", "../"],
    },
    { name: "code", form: "code", bytes: code, documents: 2, pieces: ["SPDX-License-Identifier: ((", "LICENSE", "\0"] },
  ];
}

const article = "\\documentclass{article}\\begin{document}\\input{sec/one} % x\n\\bibliography{refs}\\end{document}";
const wiki = `<mediawiki xml:lang="en"><siteinfo><base>https://x.org/wiki/M</base><namespaces><namespace key="6">File</namespace></namespaces></siteinfo>
${["a", "b"].map((title) => `<page><title>${title}</title><ns>0</ns><revision><timestamp>t</timestamp><model>wikitext</model><text>'''${title}''' &amp; text</text></revision></page>`).join("\n")}
</mediawiki>`;
const posts = `<?xml version="1.0"?>\n<posts>\n${[1, 2].map((id) => `<row Id="${id}" PostTypeId="1" Score="${id}" Title="t" Body="&lt;p&gt;b&lt;/p&gt;" />\n<row Id="${id + 5}" PostTypeId="2" ParentId="${id}" Score="3" Body="a" />\n`).join("")}</posts>\n`;

function unpackedMembers(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes);
}

/** Reads so many changed files. @returns what came of them */
export async function fuzzReader(
  { name, form, bytes, pieces = [], documents }: FuzzedReader,
  seed: number,
  rounds: number,
): Promise<FuzzOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "cria-fuzz-"));
  const path = join(folder, "file");
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const rng = new Rng(seed);
  const outcome: FuzzOutcome = { refused: 0, told: 0, whole: 0 };
  try {
    for (let round = 0; round < rounds; round++) {
      writeFileSync(path, changed(bytes, rng, pieces));
      let [found, notes] = [0, 0];
      const onNote = round % 3 === 0 ? undefined : () => notes++;
      try {
        for await (const document of readTextDocuments(
          { path, name: "file", root: folder, form: formCalled(form) },
          {},
          { where: "data", onNote },
        )) {
          expect(document.text).toBeTypeOf("string");
          found++;
        }
        outcome[notes > 0 ? "told" : "whole"]++;
      } catch (error) {
        if (!(error instanceof CriaError)) throw new Error(`${name}, seed ${seed}, round ${round}`, { cause: error });
        outcome.refused++;
      }
      expect(found, `${name}, seed ${seed}, round ${round}`).toBeLessThanOrEqual(3 * documents + 30);
      expect(readdirSync(folder), `${name}, round ${round}`).toEqual(["file"]);
    }
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    rmSync(folder, { recursive: true });
  }
  return outcome;
}

/** The file with bits turned, bytes overwritten, taken out, doubled, cut off, or with a piece that its readers look out for. */
function changed(bytes: Uint8Array, rng: Rng, pieces: readonly string[]): Uint8Array {
  let out = Buffer.from(bytes);
  for (let i = 1 + rng.below(4); i > 0 && out.length > 0; i--) {
    const at = rng.below(out.length);
    const behind = Math.min(out.length, at + 1 + rng.below(1 + rng.below(40)));
    const kind = rng.below(pieces.length > 0 ? 8 : 6);
    const joined = (...parts: readonly Uint8Array[]) => Buffer.concat([out.subarray(0, at), ...parts]);
    if (kind === 0) out[at] = (out[at] ?? 0) ^ (1 << rng.below(8));
    else if (kind === 1) out.fill([0, 0xff, 0x7f, rng.below(256)][rng.below(4)] ?? 0, at, behind);
    else if (kind === 2) out = joined(out.subarray(behind));
    else if (kind === 3) out = joined(out.subarray(at, behind), out.subarray(at));
    else if (kind === 4) out = rng.below(3) === 0 ? joined() : out;
    else if (kind === 5) out = joined(Buffer.from(Array.from({ length: behind - at }, () => rng.below(256))), out.subarray(behind));
    else {
      const piece = Buffer.from(pieces[rng.below(pieces.length)] ?? "", "latin1");
      out = joined(piece, out.subarray(kind === 6 ? at : Math.min(out.length, at + piece.length)));
    }
  }
  return out;
}
