// What compiling costs: all kernels of a 30-layer model, whose layers share their shapes. `node bench/compile.mjs [--layers N] [--rounds N] [--target NAME]`
// Cold is what a user sees, in a process of its own: nothing is optimised by the JavaScript engine yet. Warm is the same again in a process that has done it before.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chooseTarget } from "../dist/backend/cpu/index.js";
import { Kernels } from "../dist/backend/cpu/kernels.js";
import { bind, lower } from "../dist/backend/cpu/lower.js";
import { openExecutor } from "../dist/backend/cpu/open-executor.js";
import { planMemory } from "../dist/graph/index.js";
import { inferenceGraph } from "../dist/model/index.js";
import { median, trainingStep } from "./measure.mjs";

const script = fileURLToPath(import.meta.url);

export async function run(args = []) {
  const options = { layers: { type: "string", default: "30" }, rounds: { type: "string", default: "7" }, target: { type: "string" } };
  const { values } = parseArgs({ args, options: { ...options, child: { type: "boolean" } } });
  if (values.child) return console.log(JSON.stringify(await compileHere(Number(values.layers), values.target)));
  const rounds = Number(values.rounds);
  const targets = values.target ? [values.target] : [...new Set([(await chooseTarget()).name, "avx2", "wasm"])];
  for (const target of targets) {
    const runs = Array.from({ length: rounds }, () => compileApart(values.layers, target));
    for (const heat of ["cold", "warm"])
      report(
        `${target}, ${heat}, ${values.layers} layers, ms, median of ${rounds}`,
        runs.map((round) => round[heat]),
      );
  }
}

function compileApart(layers, target) {
  return JSON.parse(execFileSync(process.execPath, [script, "--child", "--layers", layers, "--target", target], { encoding: "utf8" }));
}

/** The programs of a model of 110M's sizes but as many layers: a training step, decoding, and reading a prompt. Nothing is run, so no buffers are needed. */
async function compileHere(nLayers, target) {
  const executor = await openExecutor({ target });
  const graphs = () => makeGraphs(nLayers);
  const rounds = { cold: await compileAll(executor, graphs), warm: undefined };
  for (let round = 0; round < 5; round++) rounds.warm = await compileAll(executor, graphs);
  await executor.dispose();
  return rounds;
}

async function makeGraphs(nLayers) {
  const { graph, config } = await trainingStep({ preset: "110M", nLayers, batch: 2, length: 512 });
  const inference = [1, 128].map((length) => inferenceGraph(config, { length, cacheRows: 1024, logits: "one" }).graph);
  return [graph, ...inference];
}

/** As the backend does it, stage by stage. A kernel that two programs share is made once. */
async function compileAll(executor, graphs) {
  const clock = stopwatch();
  const kernels = new Kernels(executor.target);
  const made = await graphs();
  clock.lap("graphs");
  for (const graph of made) planMemory(graph);
  clock.lap("memory plans");
  const lowered = made.map((graph) => lower(graph, kernels));
  clock.lap("kernels: IR");
  const anywhere = executor.allocate(Math.max(...lowered.map(({ scratchBytes }) => scratchBytes)));
  const place = { table: () => anywhere, once: () => anywhere, address: () => anywhere, scratchAddress: anywhere };
  const programs = [];
  for (const one of lowered) programs.push(await executor.load(one.kernels, bind(one, place)));
  clock.lap("kernels: code, loaded");
  for (const program of programs) executor.unload(program);
  executor.free(anywhere);
  const [all, calls] = [lowered.flatMap((one) => one.kernels), lowered.flatMap(({ phases }) => phases.flat())];
  return { ...clock.laps, kernels: new Set(all).size, calls: calls.length };
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

function report(title, rounds) {
  const stages = Object.keys(rounds[0]).filter((stage) => !["kernels", "calls"].includes(stage));
  const times = Object.fromEntries(stages.map((stage) => [stage, median(rounds.map((round) => round[stage]))]));
  const ofKernels = rounds.map((round) => round["kernels: IR"] + round["kernels: code, loaded"]);
  console.log(`${title}: ${rounds[0].kernels} kernels, ${rounds[0].calls} calls`);
  console.log(
    `  ${stages.map((stage) => `${stage} ${times[stage].toFixed(0)}`).join(", ")}; kernels in all ${median(ofKernels).toFixed(0)}`,
  );
}

if (process.argv[1] === script) await run(process.argv.slice(2));
