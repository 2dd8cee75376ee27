// Interleaved measuring: contestants take turns, so that a slow moment of the machine hits all of them; the median of the rounds counts.

/** @param contestants name → async function doing the work once. @returns name → median seconds of one run. */
export async function interleave(contestants, { rounds = 9, warmUps = 3, seconds = 0.2 } = {}) {
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
      const started = performance.now();
      for (let i = 0; i < repeats[name]; i++) await run();
      times[name].push((performance.now() - started) / 1000 / repeats[name]);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
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

/** a[n, n] · b[n, n]ᵀ on a backend. */
export async function openMatmul(backend, n) {
  const { f32, Graph, linear } = await import("../dist/graph/index.js");
  const graph = new Graph();
  graph.keep(linear(graph.input("a", f32(n, n)), graph.input("b", f32(n, n))));
  return openProgram(backend, graph);
}
