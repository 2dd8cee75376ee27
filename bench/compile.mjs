// What compiling costs a process that opens a 30-layer model, stage by stage: with nothing cached, with the folder of compiled kernels filled, and
// again in the same process, where the JavaScript engine has optimised the compiler. Every cold sample is a process of its own, and contestants take turns.
// `node bench/compile.mjs [--layers N] [--rounds N] [--target NAME]`
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../dist/base/index.js";

const script = fileURLToPath(import.meta.url);

/** Programs of a model of 110M's sizes but as many layers: what a generation compiles before its first word, and a training step. */
const programs = {
  inference: async (config) => {
    const { inferenceGraph } = await import("../dist/model/index.js");
    const size = { contextLength: 1024, cache: { pages: 64 } };
    return () =>
      [8, 512].map((rows) => inferenceGraph(config, { ...size, rows, sequences: Math.min(rows, 64), logitRows: Math.min(rows, 8) }).graph);
  },
  training: async (config) => {
    const { llamaAdamw, stepGraph } = await import("../dist/train/index.js");
    return () => [stepGraph(config, { batch: 2, length: 512, recompute: false, precision: "float32" }, llamaAdamw).graph];
  },
};

export async function run(args = []) {
  const options = { layers: { type: "string", default: "30" }, rounds: { type: "string", default: "7" }, target: { type: "string" } };
  const { values } = parseArgs({ args, options: { ...options, child: { type: "string" } } });
  if (values.child) return console.log(JSON.stringify(await compileHere(JSON.parse(values.child))));
  const { chooseTarget } = await import("../dist/host/index.js");
  const targets = values.target ? [values.target] : [...new Set([(await chooseTarget()).name, "avx2", "wasm"])];
  for (const target of targets)
    for (const what of Object.keys(programs)) compare({ what, target, layers: Number(values.layers) }, Number(values.rounds));
}

function compare(task, rounds) {
  const cache = mkdtempSync(join(tmpdir(), "cria-bench-"));
  const samples = { "nothing cached": [], "folder filled": [], "same process again": [] };
  apart({ ...task, cache }); // fills the folder
  for (let round = 0; round < rounds; round++) {
    const { cold, warm } = apart({ ...task, cache: "off", repeats: 5 });
    samples["nothing cached"].push(cold);
    samples["folder filled"].push(apart({ ...task, cache }).cold);
    samples["same process again"].push(warm);
  }
  rmSync(cache, { recursive: true });
  const { kernels, calls } = samples["nothing cached"][0];
  console.log(`${task.what} on ${task.target}, ${task.layers} layers, ${kernels} kernels, ${calls} calls: ms, median of ${rounds} (least)`);
  for (const [name, all] of Object.entries(samples)) report(name, all);
}

function apart(child) {
  return JSON.parse(execFileSync(process.execPath, [script, "--child", JSON.stringify(child)], { encoding: "utf8" }));
}

/** Nothing is run, so no buffers are needed. */
async function compileHere({ what, target, layers, cache, repeats = 0 }) {
  const clock = stopwatch();
  const parts = await loadParts();
  const makeGraphs = await programs[what]({ ...parts.preset("110M"), nLayers: layers });
  clock.lap("modules");
  const executor = await parts.openExecutor({ target });
  clock.lap("threads");
  const before = process.cpuUsage();
  const cold = { ...clock.laps, ...(await compileAll(parts, executor, cache, makeGraphs)) };
  const { user, system } = process.cpuUsage(before);
  let warm;
  for (let round = 0; round < repeats; round++) warm = await compileAll(parts, executor, cache, makeGraphs);
  await executor.dispose();
  return { cold: { ...cold, processor: (user + system) / 1000 }, warm };
}

async function loadParts() {
  const [{ openExecutor }, { openCodeFolder }, { Kernels }, { bind, lowerGraph }, { planMemory }, { preset }] = await Promise.all(
    ["host/open-executor", "host/code-folder", "backend/cpu/kernels", "backend/cpu/lower-graph", "graph/index", "model/index"].map(
      (module) => import(`../dist/${module}.js`),
    ),
  );
  return { openExecutor, openCodeFolder, Kernels, bind, lowerGraph, planMemory, preset };
}

/** Compiles the graphs as the backend does. A kernel that two programs share is made once. */
async function compileAll({ openCodeFolder, Kernels, bind, lowerGraph, planMemory }, executor, cache, makeGraphs) {
  const clock = stopwatch();
  const graphs = makeGraphs();
  clock.lap("graphs");
  graphs.forEach(planMemory);
  clock.lap("memory plans");
  const kernels = new Kernels(executor.target, openCodeFolder(executor.target, executor.codeForm, { codeCache: cache }));
  const lowered = graphs.map((graph) => lowerGraph(graph, kernels));
  clock.lap("calls and IR");
  const anywhere = executor.allocate(Math.max(64, ...lowered.map(({ scratchBytes }) => scratchBytes)));
  const place = { table: () => anywhere, once: () => anywhere, address: () => anywhere, scratchAddress: anywhere };
  const bound = lowered.map((one) => bind(one, place));
  clock.lap("addresses");
  const programs = [];
  for (const [i, { kernels }] of lowered.entries()) programs.push(await executor.load(kernels, bound[i]));
  clock.lap("code, loaded");
  for (const program of programs) executor.unload(program);
  executor.free(anywhere);
  const sum = Object.values(clock.laps).reduce((a, b) => a + b, 0);
  return { ...clock.laps, sum, kernels: new Set(lowered.flatMap((one) => one.kernels)).size, calls: bound.flat(2).length };
}

function stopwatch() {
  const laps = {};
  let last = performance.now();
  const lap = (name) => {
    const now = performance.now();
    laps[name] = now - last;
    last = now;
  };
  return { laps, lap };
}

function report(name, samples) {
  const stages = Object.keys(samples[0]).filter((stage) => !["kernels", "calls"].includes(stage));
  const told = stages.map((stage) => {
    const times = samples.map((sample) => sample[stage]);
    return `${stage} ${median(times).toFixed(0)} (${Math.min(...times).toFixed(0)})`;
  });
  console.log(`  ${name}: ${told.join(", ")}`);
}

if (process.argv[1] === script) await run(process.argv.slice(2));
