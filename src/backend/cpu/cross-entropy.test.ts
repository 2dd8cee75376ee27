// What the op's examples are too small for: more rows than there are logits at a time, with an output matrix that is trained and with frozen ones.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DType, Rng } from "../../base/index.ts";
import { exampleBytes, exampleValues, f32, Graph, gradients, i32, linearCrossEntropy, planMemory } from "../../graph/index.ts";
import { openCpuBackend } from "../../host/index.ts";
import { type Backend, BoundProgram, type DeviceBuffer } from "../index.ts";
import { targetsHere } from "./targets.test.helper.ts";

/** So many pieces that logits exist for 128 rows at a time. */
const V = 16_400;
const kinds = ["state", "bf16", "q8_0"] as const;
type Kind = (typeof kinds)[number];
/** Channels: a block of the layout, or a few. */
const channels = { state: 5, bf16: 5, q8_0: 32 } as const;

describe.each(await targetsHere())("%s", (target) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openCpuBackend({ target, threads: 2 });
  });
  afterAll(() => backend.dispose());

  test.each(kinds)("rows beyond a chunk of logits have the loss and gradient of a graph of their own, output matrix %s", async (kind) => {
    const all = await lossOf(backend, kind, 0, 131);
    const parts = [await lossOf(backend, kind, 0, 128), await lossOf(backend, kind, 128, 131)] as const;
    expectNear(all.losses, [...parts[0].losses, ...parts[1].losses]);
    expectNear(all.dx, [...parts[0].dx, ...parts[1].dx]);
    expectNear([all.loss], [parts[0].loss + parts[1].loss]);
    expectNear(
      all.dw,
      all.dw.map((_, i) => parts[0].dw[i]! + parts[1].dw[i]!),
    );
    expect(all.dw.length).toBe(kind === "state" ? V * channels.state : 0);
  });

  test.each(kinds)("more chunks take no more scratch, output matrix %s", (kind) => {
    const scratchOf = (rows: number) => {
      const { graph } = build(kind, rows);
      return backend.workspaceBytes(graph) - planMemory(graph).arenaBytes;
    };
    expect(scratchOf(640)).toBe(scratchOf(256));
  });
});

/** The gradient towards x, and towards a state. */
function build(kind: Kind, rows: number) {
  const graph = new Graph();
  const C = channels[kind];
  const type = { dtype: (kind === "state" ? "f32" : kind) as DType, shape: [V, C] };
  const w = kind === "state" ? graph.state("w", type) : graph.weight("w", type);
  const x = graph.input("x", f32(rows, C));
  const { loss, losses } = linearCrossEntropy(x, w, graph.input("targets", i32(rows)), graph.input("inverseCount", f32(1)));
  const found = gradients(loss, kind === "state" ? [x, w] : [x]);
  for (const tensor of [loss, losses, ...found.values()]) graph.keep(tensor);
  return { graph, loss, losses, dx: found.get(x)!, dw: found.get(w) };
}

/** The loss and the gradients of some of 131 rows, which are the same rows in every call. */
async function lossOf(backend: Backend, kind: Kind, first: number, end: number) {
  const [rows, C] = [end - first, channels[kind]];
  const { graph, loss, losses, dx, dw } = build(kind, rows);
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  const type = { dtype: states.get("w")!.type.dtype, shape: [V, C] };
  await states.get("w")!.write(type.dtype === "f32" ? exampleValues(type, new Rng(1)) : exampleBytes(type, new Rng(1)));
  const x = exampleValues(f32(131, C), new Rng(2)).subarray(first * C, end * C);
  const rng = new Rng(3);
  const wanted = Array.from({ length: 131 }, (_, i) => (i % 7 === 3 ? -1 : rng.below(V))).slice(first, end);
  await program.write("x", x);
  await program.write("targets", wanted);
  await program.write("inverseCount", [1 / 113]);
  await program.run();
  const read = async (tensor: typeof dx | undefined) => (tensor ? Array.from(await program.read(tensor)) : []);
  const results = { loss: (await read(loss))[0]!, losses: await read(losses), dx: await read(dx), dw: await read(dw) };
  program.dispose();
  for (const buffer of states.values()) buffer.dispose();
  return results;
}

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0);
  expect(worst).toBeLessThanOrEqual(2e-6 * scale);
}
