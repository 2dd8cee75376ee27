// How fast models read and write, beside other programs on the same file: cria, node-llama-cpp, and llama-bench of llama.cpp and of ik_llama.cpp where their
// paths are named (bench/peers/README.md says how they are built). All take turns, round by round; the median of the rounds counts. In chromium, cria's wasm target takes turns with wllama. The bandwidth of memory is measured in the same rounds.
//
//   node bench/models.mjs [--file MODEL.gguf | --shape 135M --type q8_0 [--folder DIR]] [--only pp512,tg64,tg64x8,tg32@d8192,first] [--rounds 5]
//                         [--peers cria,node-llama-cpp,llama.cpp,ik_llama.cpp,chromium] [--threads 2] [--target avx2] [--json FILE]
//   CRIA_LLAMA_BENCH and CRIA_IK_LLAMA_BENCH name the two programs.
//
// With --json, the table and all rounds go to the file, and rounds that are there count, too: a long comparison may be made in parts.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
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
  const path = resolve(flags.file ?? (await randomModel(flags.folder, flags.shape, flags.type)));
  const found = flags.json && existsSync(flags.json) ? JSON.parse(readFileSync(flags.json, "utf8")) : { path, rounds: [] };
  if (found.path !== path) throw new Error(`[bench] ${flags.json} has rounds of ${found.path}, not of ${path}: name another file`);
  const rows = await measure(path, flags, found.rounds, (rows) => {
    if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ path, summary: rows, rounds: found.rounds }, null, 1)}\n`);
  });
  console.log(`${path}, ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; medians of the rounds`);
  print(rows);
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
    shape: listOf("--shape", values.shape ?? "135M", Object.keys(shapes))[0],
    type: listOfTypes(values.type ?? "q8_0")[0],
    rounds: Number(values.rounds ?? 5),
    threads: Number(values.threads ?? 2),
  };
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

/** Adds rounds: a record per test, of a rate per contestant. @param keep gets the table after each round, so that a long comparison may be ended. @returns the last one */
async function measure(path, { tests, isFirst, peers, rounds, threads, target }, found, keep) {
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
      const said = { test: testName(test), threads, read: await reading.run() };
      if (Object.keys(here.native).length > 0) found.push({ ...said, target: backend.target, rates: here.native });
      if (Object.keys(here.chromium).length > 0) found.push({ ...said, target: "wasm", rates: here.chromium });
    }
    if (isFirst) found.push({ test: "first", threads, target: backend.target, rates: { cria: await first() } });
    keep(summarise(found, work));
  }
  for (const { close } of opened) await close();
  reading.dispose();
  await backend.dispose();
  await model.close();
  return summarise(found, work);
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

/** Rows of a table, by test, target and threads: rates of everybody, cria's ratio to others as the median of the ratios of rounds that have both. */
function summarise(found, work) {
  const keyOf = ({ test, target, threads }) => `${test} ${target} ${threads}`;
  return [...new Set(found.map(keyOf))].flatMap((key) => {
    const rounds = found.filter((round) => keyOf(round) === key);
    const names = [...new Set(rounds.flatMap(({ rates }) => Object.keys(rates)))];
    return names.map((name) => rowOf(name, rounds, work));
  });
}

function rowOf(name, rounds, work) {
  const { test, target, threads } = rounds[0];
  const has = rounds.filter(({ rates }) => name in rates);
  const own = inChromium.includes(name) ? inChromium[0] : "cria";
  const ratios = name === own ? [] : has.filter(({ rates }) => own in rates).map(({ rates }) => rates[own] / rates[name]);
  const reads = readPerToken(test, work);
  return {
    ...{ test, target, threads, name, rounds: has.length, rate: median(has.map(({ rates }) => rates[name])) },
    ...(ratios.length > 0 && { ratio: median(ratios) }),
    ...(reads > 0 && {
      bandwidth: median(has.map(({ read }) => read)),
      share: median(has.map(({ rates, read }) => (rates[name] * reads) / read)),
    }),
  };
}

/** The rows as Markdown. The rate of "first" is the seconds from starting `cria generate` to its first text. */
function print(rows) {
  console.log("| test | target | threads | who | rounds | tokens/s | cria is | of the bandwidth |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (const { test, target, threads, name, rounds, rate, ratio, bandwidth, share } of rows) {
    const figure = test === "first" ? `${rate.toFixed(2)} s` : rate.toFixed(1);
    const read = share === undefined ? "" : `${(100 * share).toFixed(0)} % of ${(bandwidth / 1e9).toFixed(1)} GB/s`;
    console.log(
      `| ${[test, target, threads, name, rounds, figure, ratio === undefined ? "" : `${ratio.toFixed(2)} ×`, read].join(" | ")} |`,
    );
  }
}

/** Bytes that a written token reads: weights, which texts share, and keys and values; 0 for prompts. */
function readPerToken(test, { weightBytes, cacheBytes }) {
  const [, tokens, sequences = "1", depth = "0"] = /^tg(\d+)(?: × (\d+))?(?: @ d(\d+))?$/.exec(test) ?? [];
  return tokens === undefined ? 0 : weightBytes / Number(sequences) + cacheBytes * (Number(depth) + (Number(tokens) + 1) / 2);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
