// Where a training step's time goes: `node bench/profile.mjs [PRESET] [--batch N] [--length N] [--vocab N] [--threads N] [--target NAME] [--precision NAME] [--recompute]`
// Every phase of the step is loaded as a program of its own, so that its time is seen from outside and a normal run pays nothing.
// What a run of nothing takes is subtracted. A phase alone finds the caches as the phase before left them, as in the whole step.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "../dist/backend/cpu/index.js";
import { Kernels } from "../dist/backend/cpu/kernels.js";
import { lowerGraph } from "../dist/backend/cpu/lower-graph.js";
import { median } from "../dist/base/index.js";
import { flopsOf, tensorBytes } from "../dist/graph/index.js";
import { openExecutor } from "../dist/host/index.js";
import { openProgram, trainingStep, trainingSteps } from "./measure.mjs";

const rounds = 5;

export async function run(args = []) {
  const { preset, threads, target, ...shape } = parseFlags(args);
  const executor = await openExecutor({ ...(threads ? { threads } : {}), ...(target ? { target } : {}) });
  const phased = phaseByPhase(executor);
  const backend = cpuBackend(phased.executor);
  const { graph, fill } = await trainingStep({ preset, ...shape });
  const step = await openProgram(backend, graph, fill);
  const wholes = [];
  for (let round = -1; round < rounds; round++) {
    const start = performance.now();
    await step.run();
    if (round >= 0) wholes.push(performance.now() - start);
    await phased.runPhases(round >= 0);
  }
  report(attribute(graph, executor.target, phased.phases()), {
    title: `training step, ${preset}, ${shape.batch} × ${shape.length} tokens, ${backend.name}`,
    whole: median(wholes),
    flops: flopsOf(graph),
  });
  step.dispose();
  await backend.dispose();
}

function parseFlags(args) {
  const string = (names) => Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const options = { ...string(["batch", "length", "vocab", "threads", "target", "precision"]), recompute: { type: "boolean" } };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const preset = positionals[0] ?? "15M";
  const known = trainingSteps[preset] ?? { batch: 1, length: 256 };
  const number = (name, otherwise) => (values[name] === undefined ? otherwise : Number(values[name]));
  return {
    preset,
    batch: number("batch", known.batch),
    length: number("length", known.length),
    vocabSize: number("vocab", known.vocabSize),
    threads: number("threads"),
    target: values.target,
    precision: values.precision ?? "float32",
    recompute: values.recompute ?? false,
  };
}

/** An executor that loads what it is given whole and in phases. */
function phaseByPhase(executor) {
  let nothing;
  const phases = [];
  const timed = async (program) => {
    const start = performance.now();
    await executor.run(program);
    return performance.now() - start;
  };
  const load = async (kernels, calls) => {
    nothing = await executor.load(kernels, []);
    for (const phase of calls) {
      const names = [...new Set(phase.map(({ kernel }) => kernels[kernel].name))];
      phases.push({ name: names.join(" + "), program: await executor.load(kernels, [phase]), times: [] });
    }
    return executor.load(kernels, calls);
  };
  const runPhases = async (counts) => {
    const overheads = [];
    for (const { program, times } of phases) {
      overheads.push(await timed(nothing));
      const time = await timed(program);
      if (counts) times.push(time);
    }
    const overhead = median(overheads);
    if (counts) for (const { times } of phases) times.push(Math.max(0, times.pop() - overhead));
  };
  return {
    executor: { ...executor, load },
    runPhases,
    phases: () => phases.map(({ name, times }) => ({ name, time: median(times) })),
  };
}

/** Phases come node by node: each node lowered alone tells how many are its own. */
function attribute(graph, target, phases) {
  const kernels = new Kernels(target);
  const { limits } = graph;
  let at = 0;
  return graph.nodes.map((node) => {
    const own = phases.slice(at, at + lowerGraph({ nodes: [node], limits, kept: graph.kept }, kernels).phases.length);
    at += own.length;
    const { op, inputs, outputs, attributes } = node;
    return {
      name: `${op.name}${attributes.form ? ` ${attributes.form}` : ""} ${describe(op.name, inputs, outputs)}`,
      phases: own,
      time: own.reduce((sum, { time }) => sum + time, 0),
      flops: op.flops?.(inputs, attributes) ?? 0,
      bytes: [...inputs, ...outputs, ...(op.updates ?? []).map((i) => inputs[i])].reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
    };
  });
}

function describe(name, inputs, outputs) {
  if (name === "gradientNorm") return `of ${inputs.length} tensors`;
  const show = ({ shape }) => shape.join("×");
  return name === "matmul" ? `${show(inputs[0])}, ${show(inputs[1])} → ${show(outputs[0])}` : show(inputs[0]);
}

function report(nodes, { title, whole, flops }) {
  const sum = nodes.reduce((total, { time }) => total + time, 0);
  console.log(`${title}: ${(flops / 1e9).toFixed(1)} model GFLOP`);
  console.log(
    `whole ${whole.toFixed(1)} ms, ${(flops / whole / 1e6).toFixed(1)} model GFLOP/s; its phases one by one ${sum.toFixed(1)} ms`,
  );
  const row = ({ count, time, flops, bytes }) => ({
    count,
    ms: time.toFixed(2),
    "%": ((100 * time) / sum).toFixed(1),
    ...(flops ? { "GFLOP/s": (flops / time / 1e6).toFixed(1) } : {}),
    // What inputs and outputs hold, each once: where a node reads twice or keeps scratch, memory saw more.
    ...(bytes ? { "GB/s": (bytes / time / 1e6).toFixed(1) } : {}),
  });
  const table = (rows) => console.table(Object.fromEntries(rows.map((entry) => [entry.name, row(entry)])));
  console.log("by op and shape");
  table(total(nodes));
  console.log("by kernel; a node's matrix work counts for the kernel that takes the most of it");
  table(total(nodes.flatMap(kernelsOf)));
}

function kernelsOf({ phases, flops }) {
  const kernels = total(phases);
  return kernels.map((kernel, i) => ({ ...kernel, flops: i === 0 ? flops : 0 }));
}

/** Entries of one name together, the longest time first. */
function total(entries) {
  const sums = new Map();
  for (const { name, time, count = 1, flops = 0, bytes = 0 } of entries) {
    const sum = sums.get(name) ?? { name, count: 0, time: 0, flops: 0, bytes: 0 };
    sums.set(name, { name, count: sum.count + count, time: sum.time + time, flops: sum.flops + flops, bytes: sum.bytes + bytes });
  }
  return [...sums.values()].sort((a, b) => b.time - a.time);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
