// Training of adapters over a frozen, quantised model (Dettmers et al. 2023, arXiv 2305.14314, "QLoRA"), through graph and backend: no gradient of the
// base is made, the embedding and the output matrix included, and what flows through it comes from the file's own blocks.
import { expect, test } from "vitest";
import { openCpuBackend } from "../backend/cpu/index.ts";
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { type DType, Rng } from "../base/index.ts";
import {
  adamw,
  adamwHyper,
  add,
  exampleBytes,
  f32,
  Graph,
  gradientNorm,
  gradients,
  i32,
  linear,
  linearCrossEntropy,
  type Tensor,
} from "../graph/index.ts";
import {
  batchPositions,
  causalAttention,
  declareTurns,
  dense,
  type Linear,
  llama,
  llamaConfig,
  llamaParameters,
  paperParts,
  ropeInputs,
  writeBatch,
} from "../model/index.ts";
import { hyperValues } from "./step-graphs.ts";

const config = llamaConfig({ vocabSize: 48, dim: 32, nLayers: 2, nHeads: 2, hiddenDim: 64, contextLength: 16, tiedOutput: true });
const size = { batch: 2, length: 16 };
const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0 };

test.each(["q4_0", "bf16"] as const)("adapters over a base of %s learn a batch, on the CPU as on the reference", async (layout) => {
  await using cpu = await openCpuBackend({ threads: 2 });
  await using judge = referenceBackend();
  const losses = await train(cpu, layout, 20);
  const expected = await train(judge, layout, 3);
  expected.forEach((loss, step) => {
    expect(losses[step]).toBeCloseTo(loss, 4);
  });
  expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.05);
});

/** One step on a batch: every matrix is a weight, and beside each linear layer stand two thin ones that are trained. */
function stepGraph(layout: DType) {
  const graph = new Graph();
  const adapters: Tensor[] = [];
  const weight = (row: { readonly name: string; readonly shape: readonly number[] }) =>
    graph.weight(row.name, { dtype: row.shape.length === 2 ? layout : "f32", shape: row.shape });
  const adapted = ({ matrix }: { readonly matrix: { readonly name: string; readonly shape: readonly number[] } }): Linear => {
    const [outputs = 0, inputs = 0] = matrix.shape;
    const [a, b] = [graph.state(`${matrix.name}.a`, f32(4, inputs)), graph.state(`${matrix.name}.b`, f32(outputs, 4))] as const;
    adapters.push(a, b);
    const base = dense(weight(matrix));
    return { apply: (x) => add(base.apply(x), linear(linear(x, a), b)) };
  };
  const parameters = llamaParameters<Linear, Tensor>(config, { linear: adapted, other: weight });
  const rows = size.batch * size.length;
  const parts = { ...paperParts, attention: causalAttention(config, size.batch) };
  const inputs = { tokens: graph.input("tokens", i32(rows)), positions: graph.input("positions", i32(rows)) };
  const x = llama(parameters, parts, config, { ...inputs, turns: declareTurns(graph, config) });
  const inverseCount = graph.input("inverseCount", f32(1));
  const { loss } = linearCrossEntropy(x, parameters.embedding, graph.input("targets", i32(rows)), inverseCount);
  const found = gradients(loss, adapters);
  const norm = gradientNorm([...found.values()]);
  const hyper = graph.input("hyper", f32(adamwHyper.length));
  for (const [parameter, gradient] of found) {
    const [m, v] = [graph.state(`${parameter.name}.m`, parameter), graph.state(`${parameter.name}.v`, parameter)] as const;
    adamw({ parameter, gradient, m, v, hyper, norm }, settings);
  }
  return { graph, loss: graph.keep(loss) };
}

/** The loss of every step. */
async function train(backend: Backend, layout: DType, steps: number): Promise<number[]> {
  const { graph, loss } = stepGraph(layout);
  const made = graph.nodes.map(({ op }) => op.name);
  expect(made).not.toContain("embeddingGradient");
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  const rng = new Rng(1);
  for (const [name, buffer] of states) {
    const count = buffer.type.shape.reduce((product, n) => product * n, 1);
    if (buffer.type.dtype !== "f32") await buffer.write(exampleBytes(buffer.type, rng));
    else if (name.endsWith(".a")) await buffer.write(Float32Array.from({ length: count }, () => 0.1 * rng.normal()));
    else if (name.endsWith(".gain")) await buffer.write(new Float32Array(count).fill(1));
  }
  const before = await baseOf(states);
  await program.write("positions", batchPositions(size));
  for (const [name, values] of ropeInputs(config, size.length - 1)) await program.write(name, values);
  const text = Array.from({ length: 33 }, (_, i) => (i * 7) % 11);
  await writeBatch(program, { tokens: text.slice(0, 32), targets: text.slice(1) });
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    await program.write("hyper", hyperValues({ learningRate: 0.02, step, batches: 1, clipNorm: Number.POSITIVE_INFINITY }, settings));
    await program.run();
    losses.push((await program.read(loss))[0]!);
  }
  expect(await baseOf(states)).toEqual(before);
  program.dispose();
  for (const buffer of states.values()) buffer.dispose();
  return losses;
}

/** The bytes of the frozen matrices. */
async function baseOf(states: ReadonlyMap<string, DeviceBuffer>): Promise<unknown[]> {
  const frozen = [...states.values()].filter(({ type }) => type.dtype !== "f32");
  expect(frozen.length).toBe(1 + 7 * config.nLayers);
  return Promise.all(frozen.map((buffer) => buffer.read()));
}
