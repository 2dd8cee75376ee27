// How long does training a vocabulary take, against SentencePiece's own trainer? `node bench/tokenizer-train.mjs [--vocab N] [--mb N] [--rounds N]
// [--threads N] [FILE...]`. Contestants are programs of their own and take turns; Linux says what each took. English text with a line per sentence,
// because SentencePiece leaves out long lines. Without Debian's `spm_train` our own modes run alone.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../dist/base/index.js";
import { defaultFiles, gather } from "./tokenizer.mjs";

const cria = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

export async function run(args = []) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      vocab: { type: "string", default: "32000" },
      mb: { type: "string", default: "100" },
      rounds: { type: "string", default: "3" },
      threads: { type: "string" },
    },
  });
  const files = positionals.length > 0 ? positionals : defaultFiles();
  if (files.length === 0) return console.log("no data folder beside the checkout: name text files");
  const folder = mkdtempSync(join(tmpdir(), "cria-bench-"));
  try {
    const { documents, bytes } = gather(files, Number(values.mb) * 1e6);
    const corpus = join(folder, "corpus.txt");
    writeFileSync(corpus, documents.join("\n").replaceAll(". ", ".\n"));
    console.log(`${(bytes / 1e6).toFixed(1)} MB of text, ${values.vocab} pieces`);
    report(await measured(contestants(folder, corpus, values), Number(values.rounds)), bytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function contestants(folder, corpus, { vocab, threads }) {
  const ours = (kind, mode) => [
    ...[process.execPath, cria, "tokenizer", "train", "--kind", kind, "--vocab-size", vocab, "--out", join(folder, `${kind}-${mode}.json`)],
    ...[...(mode === undefined ? [] : ["--mode", mode]), ...(threads === undefined ? [] : ["--threads", threads]), corpus],
  ];
  const programs = {
    exact: ours("sentencepiece", "exact"),
    spm: ours("sentencepiece", "spm"),
    "spm-0.1.97": ours("sentencepiece", "spm-0.1.97"),
    bytes: ours("bytes"),
  };
  if (spawnSync("spm_train", ["--help"]).error !== undefined) {
    console.log("spm_train is not here: our own modes alone");
    return programs;
  }
  const settings = [
    ...["--model_type=bpe", "--byte_fallback", "--split_digits", "--allow_whitespace_only_pieces", "--normalization_rule_name=identity"],
    ...["--remove_extra_whitespaces=false", "--character_coverage=0.99995", "--minloglevel=2", `--vocab_size=${vocab}`],
  ];
  return { ...programs, spm_train: ["spm_train", ...settings, `--input=${corpus}`, `--model_prefix=${join(folder, "spm")}`] };
}

async function measured(programs, rounds) {
  const runs = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, [command, ...args]] of Object.entries(programs)) runs[name].push(await costOf(command, args));
  return runs;
}

/** Seconds, seconds of processor time, and the most memory in bytes. */
async function costOf(command, args) {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  const cost = { seconds: 0, processor: 0, memory: 0 };
  const watch = setInterval(() => Object.assign(cost, takenBy(child.pid) ?? cost), 20);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return { ...cost, seconds: (performance.now() - started) / 1e3 };
}

function takenBy(pid) {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ")
      .slice(11, 13)
      .map(Number);
    const memory = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
    return Number.isNaN(memory) ? undefined : { processor: (user + system) / 100, memory };
  } catch {
    return undefined; // it has ended
  }
}

function report(runs, bytes) {
  const middle = (name, key) => median(runs[name].map((run) => run[key]));
  for (const name of Object.keys(runs)) {
    const [seconds, processor, memory] = ["seconds", "processor", "memory"].map((key) => middle(name, key));
    const against =
      runs.spm_train === undefined || name === "spm_train"
        ? ""
        : `, ${(middle("spm_train", "seconds") / seconds).toFixed(1)} × as fast as spm_train`;
    const share = `${(memory / 1e6).toFixed(0)} MB, ${(memory / bytes).toFixed(1)} × the text`;
    console.log(`${name}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor time, ${share}${against}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
