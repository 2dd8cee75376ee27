// How fast is tokenizer training, and encoding with the result? `node bench/tokenizer.mjs [--vocab N] [--mb N] [FILE...]`
// Without files: the English text of the data folder beside the checkout (novels, Wikipedia, LaTeX, then the strings of the evaluation
// sets), in alphabetical order up to --mb megabytes, nothing twice.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { createTokenizer, trainTokenizer } from "../dist/tokenizer/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const kinds = [{ kind: "sentencepiece" }, { kind: "bytes", pattern: "llama3" }, { kind: "bytes", pattern: "gpt2" }, { kind: "word" }];

export async function run(args = []) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { vocab: { type: "string", default: "32000" }, mb: { type: "string", default: "100" } },
  });
  const files = positionals.length > 0 ? positionals : defaultFiles();
  if (files.length === 0) return console.log("no data folder beside the checkout: name text files");
  const { documents, bytes, sources } = gather(files, Number(values.mb) * 1e6);
  console.log(`corpus: ${(bytes / 1e6).toFixed(1)} MB of UTF-8, ${documents.length} documents, from ${sources.join(", ")}`);
  for (const options of kinds) await measure({ ...options, vocabSize: Number(values.vocab) }, documents, bytes);
}

async function measure(options, documents, bytes) {
  const started = performance.now();
  const model = await trainTokenizer(documents, options);
  const trained = performance.now();
  const tokenizer = createTokenizer(model);
  const rates = [];
  let tokens = 0;
  for (let round = 0; round < 3; round++) {
    const before = performance.now();
    tokens = 0;
    for (const text of documents) tokens += tokenizer.encode(text).length;
    rates.push(bytes / 1e3 / (performance.now() - before));
  }
  console.log(
    `${[options.kind, options.pattern].filter(Boolean).join(" ")}: ${model.pieces.length} pieces in ${seconds(trained - started)}, ` +
      `encoding ${rates.toSorted((a, b) => a - b)[1].toFixed(1)} MB/s (first round ${rates[0].toFixed(1)}), ${(bytes / tokens).toFixed(2)} bytes per token, ` +
      `memory ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
  );
}

function seconds(milliseconds) {
  return `${(milliseconds / 1e3).toFixed(1)} s`;
}

export function defaultFiles() {
  const data = [process.env.CRIA_DATA, join(root, "../shared/data")].find((path) => path && existsSync(path));
  if (data === undefined) return [];
  const isEnglish = (file) => !/wagahaiwa|wikipedia-dump|language_identification/.test(file);
  return ["text", "eval"].flatMap((folder) =>
    readdirSync(join(data, folder), { recursive: true })
      .map((file) => join(data, folder, file))
      .filter((file) => /\.(txt|tex|jsonl|jsonl\.gz|csv)$/.test(file) && isEnglish(file))
      .sort(),
  );
}

export function gather(files, limit) {
  const documents = [];
  const sizes = new Map();
  let total = 0;
  for (const file of files) {
    for (const text of documentsOf(file)) {
      if (total >= limit) break;
      const size = Buffer.byteLength(text);
      const folder = relative(root, dirname(file)).replace(/^.*data\//, "");
      sizes.set(folder, (sizes.get(folder) ?? 0) + size);
      total += size;
      documents.push(text);
    }
  }
  return { documents, bytes: total, sources: [...sizes].map(([folder, size]) => `${folder} ${(size / 1e6).toFixed(1)}`) };
}

function* documentsOf(file) {
  const bytes = file.endsWith(".gz") ? gunzipSync(readFileSync(file)) : readFileSync(file);
  const text = bytes.toString("utf8");
  if (!/\.jsonl(\.gz)?$/.test(file) || extname(file) === ".txt") yield text;
  else for (const line of text.split("\n")) if (line.trim() !== "") yield strings(JSON.parse(line)).join("\n");
}

/** All strings of a JSON value but the short ones, which are labels and names. */
function strings(value) {
  if (typeof value === "string") return value.length > 20 ? [value] : [];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
