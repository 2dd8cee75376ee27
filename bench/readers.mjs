// How fast are texts read? `node bench/readers.mjs [--repeat N] [FILE...]`
// Rates are per MB (10^6 bytes) of the file as it lies on disk, in brackets unpacked, and per second of the processor's time; the best of some rounds counts.
// Without files: those of the data folder beside the checkout, and archives that are made of them.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { CleanDocument, isDropped, openStages } from "../dist/clean/index.js";
import { openTexts, readPart } from "../dist/corpus/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const data = process.env.CRIA_DATA ?? join(root, "../shared/data");

export async function run(args = []) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { repeat: { type: "string", default: "3" } } });
  const folder = mkdtempSync(join(tmpdir(), "cria-readers-"));
  try {
    const rows = positionals.length > 0 ? positionals.map((path) => ({ path })) : existsSync(data) ? await usualRows(folder) : [];
    if (rows.length === 0) return console.log("no data folder beside the checkout: name files");
    for (const row of rows) await measure(row, Number(values.repeat));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure({ name, path, format, size, step }, repeat) {
  const texts = await openTexts([path], { format });
  let [best, bestStep, documents, characters, left] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0, 0];
  for (let round = 0; round < repeat; round++) {
    const read = [];
    let started = process.cpuUsage();
    for (const file of texts.files)
      for await (const { text, facts } of readPart(file, undefined, 0, { format }, { where: "bench", onNote: () => {} }))
        read.push({ text, facts });
    best = Math.min(best, secondsSince(started));
    [documents, characters] = [read.length, read.reduce((sum, { text }) => sum + text.length, 0)];
    if (step === undefined) continue;
    const [{ chain }] = await openStages([step]);
    started = process.cpuUsage();
    left = 0;
    for (const { text, facts } of read) {
      const { outcome } = chain.apply(new CleanDocument(text, facts));
      if (!isDropped(outcome)) left += outcome.text.length;
    }
    bestStep = Math.min(bestStep, secondsSince(started));
  }
  const bytes = texts.files.reduce((sum, file) => sum + file.bytes, 0);
  const rate = (seconds) =>
    `${(bytes / 1e6 / seconds).toFixed(1).padStart(7)} MB/s${size === undefined ? "" : ` (${(size / 1e6 / seconds).toFixed(1)} unpacked)`}`;
  const label = (name ?? texts.files[0].name.split("/").at(-1)).padEnd(26);
  console.log(
    `${label} ${rate(best)}  ${documents} documents, ${(characters / 1e6).toFixed(2)} M characters of ${(bytes / 1e6).toFixed(2)} MB`,
  );
  if (step !== undefined)
    console.log(
      `  and the step ${step}`.padEnd(26),
      rate(bestStep),
      ` together ${rate(best + bestStep)}, ${((100 * left) / characters).toFixed(1)} % of characters stay`,
    );
}

/** One row per form, of real files where there are some. */
async function usualRows(folder) {
  const put = (name, bytes) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const text = join(data, "text");
  const novels = gunzipSync(readFileSync(join(text, "eltec-eng/eltec-eng.jsonl.gz"))).subarray(0, 24e6);
  const lines = novels.subarray(0, novels.lastIndexOf("\n") + 1);
  const records = lines
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const csv = `text\n${records.map((record) => `"${record.text.replaceAll('"', '""')}"\n`).join("")}`;
  const tar = tarOf(records.map((record, i) => [`novel-${i}.txt`, Buffer.from(record.text)]));
  const sites = readdirSync(join(text, "stackexchange"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("osts.xml"));
  const pages = await htmlPages();
  const dump = readdirSync(join(text, "wikipedia-dump"), { recursive: true, encoding: "utf8" }).find((name) => /enwiki.*bz2$/.test(name));
  const wiki = await unpacked(join(text, "wikipedia-dump", dump));
  return [
    { name: "jsonl", path: put("novels.jsonl", lines) },
    { name: "jsonl, gzip", path: put("novels.jsonl.gz", gzipSync(lines)), size: lines.length },
    { name: "csv", path: put("novels.csv", csv) },
    { name: "tar of texts", path: put("novels.tar", tar) },
    { name: "tar of texts, gzip", path: put("novels.tar.gz", gzipSync(tar)), size: tar.length },
    { name: "html", path: put("pages.tar", tarOf(pages.map((page, i) => [`${i}.html`, page]))) },
    { name: "warc, gzip", path: join(data, "warc/dolma"), format: "warc" },
    { name: "wikipedia", path: put("enwiki-pages-articles.xml", wiki), step: "wikitext" },
    { name: "wikipedia, bzip2", path: join(text, "wikipedia-dump", dump), size: wiki.length, format: "wikipedia" },
    { name: "stackexchange", path: join(text, "stackexchange", sites[0]), format: "stackexchange" },
    { name: "latex, a book", path: put("hott-book.tar", tarOf(texFiles(join(text, "latex/hott-book")))), format: "latex", step: "latex" },
    { name: "code", path: put("src.tar", tarOf(sources())), format: "code", step: "codeOrigin" },
  ];
}

async function unpacked(path) {
  const { openBytes } = await import("../dist/corpus/texts/open-bytes.js");
  const parts = [];
  for await (const part of (await openBytes(path, path, { where: "bench" })).bytes) parts.push(part);
  return Buffer.concat(parts);
}

/** The pages of the data folder's crawls as their servers sent them, several times over. */
async function htmlPages() {
  const [{ ByteReader }, { readRecords }, { httpPage }] = await Promise.all(
    ["byte-reader.js", "warc/warc-records.js", "warc/http-response.js"].map((file) => import(`../dist/corpus/texts/${file}`)),
  );
  const pages = [];
  for (const name of readdirSync(join(data, "warc/dolma")).filter((file) => file.endsWith(".gz"))) {
    const bytes = gunzipSync(readFileSync(join(data, "warc/dolma", name)));
    const chunks = (async function* () {
      yield bytes;
    })();
    for await (const { content } of readRecords(new ByteReader(chunks), new Set(["response"]), () => {})) {
      const page = httpPage(content, (type) => type === "text/html");
      if ("bytes" in page) pages.push(Buffer.from(page.bytes));
    }
  }
  return Array.from({ length: Math.max(1, Math.ceil(2e7 / pages.reduce((sum, page) => sum + page.length, 1))) }, () => pages).flat();
}

function texFiles(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".tex"));
  return names.map((name) => [name, readFileSync(join(folder, name))]);
}

function sources() {
  const names = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return [["LICENSE", readFileSync(join(root, "LICENSE"))], ...names.map((name) => [`src/${name}`, readFileSync(join(root, "src", name))])];
}

function tarOf(files) {
  const parts = files.flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name.slice(-100), 0);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        0", 148);
    header.write("ustar\x0000", 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function secondsSince(started) {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
