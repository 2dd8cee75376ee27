// How long does a vocabulary take to load, and then the first short text? `node bench/tokenizer-load.mjs [--rounds N] [FILE...]`
// Every load is a process of its own whose modules are there already. Without files: the vocabularies of the data folder beside the checkout, and one of
// 128,000 pieces in three forms, made of the first ranks of o200k, which the package tiktoken of bench/peers carries; what is absent is left out.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../dist/base/index.js";
import { ggufTokenizerBytes, readTiktoken, tokenizerJson } from "../dist/formats/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const load = new URL("../dist/load/index.js", import.meta.url).href;

export async function run(args = []) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { rounds: { type: "string", default: "5" } } });
  const folder = mkdtempSync(join(tmpdir(), "cria-load-"));
  try {
    const files = positionals.length > 0 ? positionals : [...dataFiles(), ...madeFiles(folder)];
    for (const file of files) measure(file, Number(values.rounds));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function dataFiles() {
  const data = process.env.CRIA_DATA ?? join(root, "../shared/data");
  const names = ["llama.cpp/ggml-vocab-llama-spm.gguf", "openllama-tokenizer/tokenizer.model", "llama.cpp/ggml-vocab-gpt-2.gguf"];
  const files = names.map((name) => join(data, "conformance", name)).filter(existsSync);
  if (files.length === 0) console.log("no data folder beside the checkout");
  return files;
}

const pieces = 128_000;

function madeFiles(folder) {
  let encoder;
  try {
    encoder = createRequire(join(root, "bench/peers/package.json")).resolve("tiktoken/encoders/o200k_base.json");
  } catch {
    console.log("no vocabulary of 128,000 pieces: run npm ci in bench/peers");
    return [];
  }
  // A line is `! first-rank piece piece …`.
  const ranks = JSON.parse(readFileSync(encoder, "utf8"))
    .bpe_ranks.split("\n")
    .flatMap((line) => line.split(" ").slice(2));
  const text = ranks.slice(0, pieces).map((piece, rank) => `${piece} ${rank}\n`);
  const model = readTiktoken(Buffer.from(text.join("")));
  const forms = {
    "ranks.model": text.join(""),
    "merges.gguf": ggufTokenizerBytes(model),
    "merges.json": JSON.stringify(tokenizerJson(model)),
  };
  return Object.entries(forms).map(([name, content]) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  });
}

const measuring = `
  const processor = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
  const { openAnyTokenizer } = await import(${JSON.stringify(load)});
  const [start, used] = [performance.now(), processor()];
  const tokenizer = await openAnyTokenizer(process.argv[1]);
  const [loaded, usedToLoad] = [performance.now(), processor()];
  tokenizer.encode("Hello! Can you tell me how tall the Eiffel Tower is, and when it was built?", { template: true });
  const encoded = performance.now();
  console.log(JSON.stringify({ pieces: tokenizer.vocabSize, load: loaded - start, processor: usedToLoad - used, first: encoded - loaded }));`;

const parsing = `
  const text = (await import("node:fs")).readFileSync(process.argv[1], "utf8");
  const start = performance.now();
  JSON.parse(text);
  console.log(performance.now() - start);`;

function measure(file, rounds) {
  const runs = Array.from({ length: rounds }, () => inProcess(measuring, file));
  const middle = (key) => median(runs.map((run) => run[key]));
  const own = file.endsWith(".json") ? median(Array.from({ length: rounds }, () => inProcess(parsing, file))) : undefined;
  const ratio = own === undefined ? "" : `, ${(middle("load") / own).toFixed(1)} × its JSON.parse`;
  console.log(
    `${basename(file)}, ${runs[0].pieces} pieces: ${middle("load").toFixed(0)} ms (${middle("processor").toFixed(0)} ms of processor time)${ratio}, ` +
      `first text ${middle("first").toFixed(2)} ms`,
  );
}

function inProcess(script, file) {
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script, file], { encoding: "utf8" }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
