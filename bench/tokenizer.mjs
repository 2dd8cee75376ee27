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
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { vocab: { type: "string", default: "32000" }, mb: { type: "string", default: "100" } },
});
const vocabSize = Number(values.vocab);
const limit = Number(values.mb) * 1e6;

const { documents, bytes, sources } = gather(positionals.length > 0 ? positionals : defaultFiles());
console.log(`corpus: ${(bytes / 1e6).toFixed(1)} MB of UTF-8, ${documents.length} documents, from ${sources.join(", ")}`);

for (const options of [
  { kind: "sentencepiece" },
  { kind: "bytes", pattern: "llama3" },
  { kind: "bytes", pattern: "gpt2" },
  { kind: "word" },
]) {
  const name = `${options.kind}${options.pattern ? ` ${options.pattern}` : ""}`;
  const started = performance.now();
  let counted = started;
  const onProgress = ({ task }) => {
    if (task === "counting words") counted = performance.now();
  };
  const model = await trainTokenizer(documents, { ...options, vocabSize, onProgress });
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
  const median = rates.toSorted((a, b) => a - b)[1];
  console.log(
    `${name}: ${model.pieces.length} pieces in ${seconds(trained - started)} (counting ${seconds(counted - started)}), encoding ${median.toFixed(1)} MB/s ` +
      `(first round ${rates[0].toFixed(1)}), ${(bytes / tokens).toFixed(2)} bytes a token, memory ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
  );
}

function seconds(milliseconds) {
  return `${(milliseconds / 1e3).toFixed(1)} s`;
}

function defaultFiles() {
  const data = [process.env.CRIA_SHARED, join(root, "../shared"), join(root, "../../shared")].find((path) => path && existsSync(path));
  if (data === undefined) {
    console.log("no data folder beside the checkout: name text files");
    process.exit(0);
  }
  const isEnglish = (file) => !/wagahaiwa|wikipedia-dump|language_identification/.test(file);
  return ["text", "eval"].flatMap((folder) =>
    readdirSync(join(data, "data", folder), { recursive: true })
      .map((file) => join(data, "data", folder, file))
      .filter((file) => /\.(txt|tex|jsonl|jsonl\.gz|csv)$/.test(file) && isEnglish(file))
      .sort(),
  );
}

function gather(files) {
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
