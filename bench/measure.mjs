// Interleaved measuring: contestants take turns, so that a slow moment of the machine hits all of them; the median of the rounds counts.
import { median } from "../dist/base/index.js";

/**
 * @param contestants name → async function doing the work once. @returns name → median seconds of one run.
 * @param pause seconds of rest before each turn: threads of other runtimes spin for a while after their work.
 * @param settle runs at the start of each turn that do not count: who rested is slow at first.
 */
export async function interleave(contestants, { rounds = 9, warmUps = 3, seconds = 0.2, pause = 0, settle = 0 } = {}) {
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  const repeats = {};
  for (const [name, run] of Object.entries(contestants)) {
    for (let i = 0; i < warmUps; i++) await run();
    const started = performance.now();
    await run();
    repeats[name] = Math.max(1, Math.round((seconds * 1000) / (performance.now() - started)));
  }
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(contestants)) {
      if (pause > 0) await new Promise((done) => setTimeout(done, 1000 * pause));
      for (let i = 0; i < settle; i++) await run();
      const started = performance.now();
      for (let i = 0; i < repeats[name]; i++) await run();
      times[name].push((performance.now() - started) / 1000 / repeats[name]);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

/** A graph, its buffers filled with small random numbers, compiled on a backend. */
export async function openProgram(backend, graph, fill = () => undefined) {
  const buffers = new Map();
  for (const tensor of graph.tensors) {
    if (tensor.role === "activation") continue;
    const buffer = await backend.allocate(tensor, tensor.name);
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    await buffer.write(
      fill(tensor) ?? (tensor.dtype === "f32" ? Float32Array.from({ length: count }, () => Math.random() - 0.5) : new Int32Array(count)),
    );
    buffers.set(tensor, buffer);
  }
  const program = await backend.compile(graph, buffers);
  return {
    program,
    run: () => program.run(),
    dispose: () => {
      program.dispose();
      for (const buffer of buffers.values()) buffer.dispose();
    },
  };
}

/** The machine's peak of multiply-adds on a backend's own threads, to take turns with what is held against it: flops of one run. */
export async function openPeak({ executor }, product = "float32") {
  const cpu = await import("../dist/backend/cpu/index.js");
  const { run, work, dispose } = await cpu.openPeak(executor, product);
  return { run, flops: work, dispose };
}

/** a[n, n] · b[n, n]ᵀ on a backend. */
export async function openMatmul(backend, n) {
  const { f32, Graph, linear } = await import("../dist/graph/index.js");
  const graph = new Graph();
  graph.keep(linear(graph.input("a", f32(n, n)), graph.input("b", f32(n, n))));
  return openProgram(backend, graph);
}

/** AdamW as LLaMA has it: it changes no time. */

/** Training steps that numbers are told for, as everyone who measures them must have them. */
export const trainingSteps = {
  "15M": { vocabSize: 4096, batch: 8, length: 256 },
  "110M": { vocabSize: 32000, batch: 2, length: 512 },
};

/** A training step of a preset: its graph, and what fills its buffers. */
export async function trainingStep({ preset: name, vocabSize, batch, length, recompute = false, precision = "float32", ...changes }) {
  const { initialise, parameterRows, preset, ropeInputs } = await import("../dist/model/index.js");
  const { llamaAdamw, stepGraph } = await import("../dist/train/index.js");
  const config = { ...preset(name), ...(vocabSize ? { vocabSize } : {}), ...changes };
  const { graph } = stepGraph(config, { batch, length, recompute, precision }, llamaAdamw);
  let weights;
  const fill = (tensor) => {
    weights ??= new Map([...initialise(parameterRows(config), 1), ...ropeInputs(config, length - 1)]);
    if (weights.has(tensor.name)) return weights.get(tensor.name);
    if (tensor.dtype === "i32")
      return Int32Array.from({ length: tensor.shape[0] }, (_, i) =>
        tensor.name === "positions" ? i % length : Math.floor(Math.random() * config.vocabSize),
      );
    if (tensor.name === "inverseCount") return Float32Array.of(1 / (batch * length));
    return tensor.name === "hyper" ? Float32Array.of(1e-4, 1, 1, 1, 1) : new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
  };
  return { graph, fill, config };
}
