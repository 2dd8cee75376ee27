// The machine's matrix speed as our own kernels reach it: what doctor prints and the training line is held against.
import type { Backend } from "../backend/index.ts";
import type { Precision } from "../base/index.ts";
import { f32, Graph, linear } from "../graph/index.ts";

const size = 1024;
const rounds = 12;

/** FLOP/s of a 1024³ product, the fastest of a few, so that a busy moment does not count; about a second. */
export async function measureMatmul(backend: Backend, signal?: AbortSignal, precision: Precision = "float32"): Promise<number> {
  const graph = new Graph(precision);
  const [a, b] = [graph.input("a", f32(size, size)), graph.input("b", f32(size, size))];
  graph.keep(linear(a, b));
  const values = Float32Array.from({ length: size * size }, (_, i) => (i % 17) / 17 - 0.5);
  const bindings = new Map([
    [a, await backend.allocate(a, "a")],
    [b, await backend.allocate(b, "b")],
  ]);
  const program = await backend.compile(graph, bindings);
  try {
    for (const buffer of bindings.values()) await buffer.write(values);
    for (let i = 0; i < 3; i++) await program.run(); // the first runs compile
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < rounds; i++) {
      signal?.throwIfAborted();
      const start = performance.now();
      await program.run();
      fastest = Math.min(fastest, performance.now() - start);
    }
    return (2 * size ** 3) / (fastest / 1000);
  } finally {
    program.dispose();
    for (const buffer of bindings.values()) buffer.dispose();
  }
}
