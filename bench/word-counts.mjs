// How fast are the words of a file counted for training, by one thread and by two?
// `node bench/word-counts.mjs [--mb N] [FILE...]`; files as of tokenizer.mjs, written as one text of --mb megabytes.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { countTexts, openTexts } from "../dist/corpus/index.js";
import { trainingRules } from "../dist/tokenizer/index.js";
import { interleave } from "./measure.mjs";
import { defaultFiles, gather } from "./tokenizer.mjs";

const kinds = [{ kind: "sentencepiece" }, { kind: "bytes", pattern: "llama3" }, { kind: "bytes", pattern: "o200k" }, { kind: "word" }];

export async function run(args = []) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { mb: { type: "string", default: "100" } } });
  const files = positionals.length > 0 ? positionals : defaultFiles();
  if (files.length === 0) return console.log("no data folder beside the checkout: name text files");
  const folder = await mkdtemp(join(tmpdir(), "cria-bench-"));
  try {
    const file = join(folder, "corpus.txt");
    const { documents, bytes } = gather(files, Number(values.mb) * 1e6);
    await writeFile(file, documents.join("\n"));
    for (const kind of kinds) await measure(kind, file, bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(kind, file, bytes) {
  const rules = trainingRules({ ...kind, vocabSize: 1000 });
  const count = async (options) => {
    const texts = await openTexts([file]); // a file leaves nothing to dispose of
    const counts = await countTexts(texts, rules, options);
    await counts.remove();
  };
  const contestants = {
    "1 thread": () => count({ threads: 1 }),
    "2 threads": () => count({ threads: 2 }),
    "2 threads, 8 MB of memory": () => count({ threads: 2, memory: 8e6 }),
  };
  const times = await interleave(contestants, { rounds: 3, warmUps: 1, seconds: 0 });
  const rates = Object.entries(times).map(([name, time]) => `${name} ${time.toFixed(2)} s (${(bytes / 1e6 / time).toFixed(0)} MB/s)`);
  const ratio = (times["1 thread"] / times["2 threads"]).toFixed(2);
  console.log(`${[kind.kind, kind.pattern].filter(Boolean).join(" ")}: ${rates.join(", ")}; two threads ${ratio} times one`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
