// How fast models read and write, beside other programs on the same file: cria, node-llama-cpp, and llama-bench of llama.cpp and of ik_llama.cpp where
// their paths are named (bench/peers/README.md says how they are built). In chromium, cria's wasm target meets wllama. All take turns, round by round; the
// median of the rounds counts, and the bandwidth of memory is measured in the same rounds.
//
//   node bench/models.mjs [--file MODEL.gguf | --shape 135M,1.1B --type q8_0,q4_0 [--folder DIR]] [--only pp512,tg64,tg64x8,tg32@d8192,first] [--rounds 5]
//                         [--peers cria,node-llama-cpp,llama.cpp,ik_llama.cpp,chromium] [--threads 2] [--target avx2] [--json FILE]
//   CRIA_LLAMA_BENCH and CRIA_IK_LLAMA_BENCH name the two programs.
//
// With --json, the table and all rounds go to the file, and rounds that are there count, too: a long comparison may be made in parts, and stopped.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { allocateWritten, openKernel } from "../dist/backend/cpu/index.js";
import { median } from "../dist/base/index.js";
import { modelWork } from "../dist/cli/bench/ceilings.js";
import { testName } from "../dist/cli/bench/speed-tests.js";
import { openCpuBackend, openExecutor } from "../dist/host/index.js";
import { sumOfSquares, sumOfSquaresUnits } from "../dist/kernel/index.js";
import { openModel } from "../dist/load/index.js";
import { cria, firstToken, llamaBench, nodeLlamaCpp } from "./models/contestants.mjs";
import { inChromium, openInChromium } from "./models/in-chromium.mjs";
import { listOf, listOfTypes, randomModel, shapes, usualFolder } from "./write-models.mjs";

const allPeers = ["cria", "node-llama-cpp", "llama.cpp", "ik_llama.cpp", "chromium"];
const usualTests = "pp512,pp128,tg64,tg64x8,first";

export async function run(args = []) {
  const flags = parseFlags(args);
  const { rounds } = flags.json && existsSync(flags.json) ? JSON.parse(readFileSync(flags.json, "utf8")) : { rounds: [] };
  const keep = (round) => {
    rounds.push(round);
    if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ summary: summarise(rounds), rounds }, null, 1)}\n`);
  };
  for (const path of await modelsOf(flags)) await measure(path, flags, keep);
  console.log(`${cpus()[0]?.model.trim()}, Node ${process.versions.node}; medians of the rounds, keys and values in f16`);
  print(summarise(rounds));
}

function parseFlags(args) {
  const names = ["file", "shape", "type", "folder", "only", "rounds", "peers", "threads", "target", "json"];
  const { values } = parseArgs({ args, options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
  const only = (values.only ?? usualTests).split(",");
  return {
    folder: usualFolder,
    ...values,
    isFirst: only.includes("first"),
    tests: only.filter((name) => name !== "first").map(parseTest),
    peers: listOf("--peers", values.peers ?? allPeers.join(), allPeers),
    shapes: listOf("--shape", values.shape ?? "135M", Object.keys(shapes)),
    types: listOfTypes(values.type ?? "q8_0"),
    rounds: countOf("--rounds", values.rounds ?? "5"),
    threads: countOf("--threads", values.threads ?? "2"),
  };
}

function countOf(flag, text) {
  return /^[1-9]\d*$/.test(text) ? Number(text) : fail(`${flag} is "${text}" but must be a whole number, at least 1`);
}

/** The file that is named, or one for each shape and type. */
async function modelsOf({ file, folder, shapes, types }) {
  if (file !== undefined) return [resolve(file)];
  const paths = [];
  for (const shape of shapes) for (const type of types) paths.push(resolve(await randomModel(folder, shape, type)));
  return paths;
}

/** "pp512", "tg64", "tg64x8": eight texts, "tg32@d8192": behind 8,192 tokens. */
function parseTest(name) {
  const [, kind, tokens, sequences = "1", depth = "0"] =
    /^(pp|tg)(\d+)(?:x(\d+))?(?:@d(\d+))?$/.exec(name) ??
    fail(`--only has "${name}": tests are such as pp512, tg64, tg64x8, tg32@d8192, first`);
  const [count, texts, before] = [tokens, sequences, depth].map(Number);
  return { prompt: kind === "pp" ? count : 0, generate: kind === "tg" ? count : 0, depth: before, sequences: texts };
}

function fail(message) {
  throw new Error(`[bench] ${message}`);
}

/** @param keep gets each round as it ends, so that a long comparison may be stopped: a record per test, with a rate per contestant */
async function measure(path, { tests, isFirst, peers, rounds, threads, target }, keep) {
  const model = await openModel(path);
  const work = modelWork(model.config, model.weights, "f16");
  const executor = await openExecutor({ threads, ...(target && { target }) });
  const backend = await openCpuBackend({ executor });
  const reading = await openReading(executor);
  const opened = await openContestants({ path, model, backend, tests, peers, threads });
  const first = () => firstToken(path, { CRIA_TARGET: target ?? "", CRIA_THREADS: `${threads}` });
  for (const test of tests) for (const { name, run } of opened) if (name === "cria") await run(test);
  if (isFirst) await first();
  for (let round = 0; round < rounds; round++) {
    for (const test of tests) {
      const here = { native: {}, chromium: {} };
      for (const { name, canRun, run } of opened) {
        if (!canRun(test)) continue;
        await new Promise((done) => setTimeout(done, 50)); // threads of other runtimes spin for a while after their work
        here[inChromium.includes(name) ? "chromium" : "native"][name] = await run(test);
      }
      const said = {
        model: basename(path),
        test: testName(test),
        threads,
        reads: readsPerToken(test, work),
        bandwidth: await reading.run(),
      };
      if (Object.keys(here.native).length > 0) keep({ ...said, target: backend.target, rates: here.native });
      if (Object.keys(here.chromium).length > 0) keep({ ...said, target: "wasm", rates: here.chromium });
    }
    if (isFirst) keep({ model: basename(path), test: "first", threads, target: backend.target, rates: { cria: await first() } });
  }
  for (const { close } of opened) await close();
  reading.dispose();
  await backend.dispose();
  await model.close();
}

/** Bytes that a written token reads: weights, which texts share, and keys and values; 0 for prompts. */
function readsPerToken({ generate, sequences, depth }, { weightBytes, cacheBytes }) {
  return generate === 0 ? 0 : weightBytes / sequences + cacheBytes * (depth + (generate + 1) / 2);
}

async function openContestants({ path, model, backend, tests, peers, threads }) {
  const { CRIA_LLAMA_BENCH: llama, CRIA_IK_LLAMA_BENCH: ik } = process.env;
  const wants = (name) => peers.includes(name) && tests.length > 0;
  const opened = [
    wants("cria") && (await cria(backend, model, tests)),
    wants("node-llama-cpp") && (await nodeLlamaCpp(path, tests, threads)),
    wants("llama.cpp") && llamaBench("llama.cpp", llama, path, threads),
    ...(wants("ik_llama.cpp") ? [0, 1].map((rtr) => llamaBench(`ik_llama.cpp -rtr ${rtr}`, ik, path, threads, rtr)) : []),
    ...(wants("chromium") ? await openInChromium(path, tests, threads) : []),
  ];
  return opened.filter(Boolean);
}

const readBytes = 2 ** 27;

/** A pass over memory; `run` gives the fastest of three in bytes per second. */
async function openReading(executor) {
  const args = [allocateWritten(executor, readBytes), executor.allocate(sumOfSquaresUnits(readBytes / 4) * 4)];
  const { run, dispose } = await openKernel(executor, sumOfSquares, { count: readBytes / 4 }, args, readBytes);
  await run();
  const once = async () => {
    const start = performance.now();
    await run();
    return (1000 * readBytes) / (performance.now() - start);
  };
  return { run: async () => Math.max(await once(), await once(), await once()), dispose };
}

/** Rows of a table, by model, test, target and threads: rates of everybody, cria's ratio to others as the median of the ratios of rounds that have both. */
function summarise(found) {
  const keyOf = ({ model, test, target, threads }) => [model, test, target, threads].join(" ");
  return [...new Set(found.map(keyOf))].flatMap((key) => {
    const rounds = found.filter((round) => keyOf(round) === key);
    const names = [...new Set(rounds.flatMap(({ rates }) => Object.keys(rates)))];
    return names.map((name) => rowOf(name, rounds));
  });
}

function rowOf(name, rounds) {
  const { model, test, target, threads, reads } = rounds[0];
  const has = rounds.filter(({ rates }) => name in rates);
  const own = inChromium.includes(name) ? inChromium[0] : "cria";
  const ratios = name === own ? [] : has.filter(({ rates }) => own in rates).map(({ rates }) => rates[own] / rates[name]);
  const shares = has.map(({ rates, bandwidth }) => (rates[name] * reads) / bandwidth);
  return {
    ...{ model, test, target, threads, name, rounds: has.length, rate: median(has.map(({ rates }) => rates[name])) },
    ...(ratios.length > 0 && { ratio: median(ratios) }),
    ...(reads > 0 && { bandwidth: median(has.map(({ bandwidth }) => bandwidth)), share: median(shares) }),
  };
}

/** The rows as Markdown. The rate of "first" is the seconds from starting `cria generate` to its first text. */
function print(rows) {
  console.log("| model | test | target | threads | who | rounds | tokens/s | cria is | of the bandwidth |");
  console.log("|---|---|---|---|---|---|---|---|---|");
  for (const { model, test, target, threads, name, rounds, rate, ratio, bandwidth, share } of rows) {
    const figure = test === "first" ? `${rate.toFixed(2)} s` : rate.toFixed(1);
    const read = share === undefined ? "" : `${(100 * share).toFixed(0)} % of ${(bandwidth / 1e9).toFixed(1)} GB/s`;
    const cells = [model, test, target, threads, name, rounds, figure, ratio === undefined ? "" : `${ratio.toFixed(2)} ×`, read];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
