import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import {
  activation,
  add,
  alignment,
  exampleValues,
  f32,
  Graph,
  glu,
  layerNorm,
  linear,
  type MemoryPlan,
  planMemory,
  rmsNorm,
  type Tensor,
  tensorBytes,
  type Values,
} from "./index.ts";

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe.each(seeds)("random graph %i", (seed) => {
  test("overlaps only where an op may write over a dying input", () => {
    const { graph } = randomGraph(new Rng(seed));
    const plan = planMemory(graph);
    const tensors = [...plan.lifetimes.keys()];
    for (const a of tensors)
      for (const b of tensors)
        if (a.id < b.id && collide(plan, a, b)) expect(mayShare(graph, plan, a, b), `${a.name} and ${b.name}`).toBe(true);
    for (const tensor of tensors) {
      expect(plan.offsets.get(tensor)! % alignment).toBe(0);
      expect(plan.offsets.get(tensor)! + tensorBytes(tensor)).toBeLessThanOrEqual(plan.arenaBytes);
    }
    expect(plan.arenaBytes).toBeLessThanOrEqual(tensors.reduce((sum, tensor) => sum + tensorBytes(tensor) + alignment, 0));
  });

  test("run inside its plan gives what it gives without reuse", () => {
    const { graph, values } = randomGraph(new Rng(seed));
    const [planned, plain] = [runIn(graph, values, planMemory(graph)), runIn(graph, values, undefined)];
    for (const tensor of graph.kept) expect(planned(tensor)).toEqual(plain(tensor));
  });
});

test("a chain of elementwise ops lives in one place", () => {
  const graph = new Graph();
  const x = graph.input("x", f32(4, 8));
  let y = add(x, x);
  for (let i = 0; i < 5; i++) y = activation(add(y, x), { activation: "relu", beta: 1 });
  graph.keep(y);
  expect(planMemory(graph).arenaBytes).toBe(4 * 8 * 4);
});

test("what is kept is not written over, and lives to the end", () => {
  const graph = new Graph();
  const x = graph.input("x", f32(16));
  const kept = graph.keep(add(x, x));
  add(kept, kept);
  const plan = planMemory(graph);
  expect(plan.lifetimes.get(kept)!.end).toBe(graph.nodes.length);
  expect(plan.arenaBytes).toBe(2 * 64);
});

function collide({ lifetimes, offsets }: MemoryPlan, a: Tensor, b: Tensor): boolean {
  const [from, to] = [lifetimes.get(a)!, lifetimes.get(b)!];
  const [atA, atB] = [offsets.get(a)!, offsets.get(b)!];
  const inTime = from.start <= to.end && to.start <= from.end;
  return inTime && atA < atB + tensorBytes(b) && atB < atA + tensorBytes(a);
}

/** b is made by the node at which a dies, over an input that the op's record lists. */
function mayShare(graph: Graph, { lifetimes, offsets }: MemoryPlan, a: Tensor, b: Tensor): boolean {
  const at = lifetimes.get(b)!.start;
  const { op, inputs, outputs } = graph.nodes[at]!;
  const output = outputs.indexOf(b);
  const listed = inputs.every((input, i) => input !== a || op.mayAlias?.some(([to, from]) => to === output && from === i));
  return inputs.includes(a) && listed && lifetimes.get(a)!.end === at && !graph.kept.has(a) && offsets.get(a) === offsets.get(b);
}

/** Squares of 6 and matrices of 6 × 9 through ops chosen at random; about a fifth is kept. */
function randomGraph(rng: Rng): { graph: Graph; values: Map<Tensor, Values> } {
  const graph = new Graph();
  const given = (name: string, ...shape: number[]) => graph.input(name, f32(...shape));
  const [x, narrow, wide, gain, bias] = [
    given("x", 4, 6),
    given("narrow", 6, 9),
    given("wide", 9, 6),
    given("gain", 6),
    given("bias", 6),
  ] as const;
  const small = [x, add(x, x)];
  const large = [linear(x, wide)];
  const pick = (list: Tensor[]) => list[Math.max(0, list.length - 1 - rng.below(4))]!;
  const steps = [
    () => small.push(add(pick(small), pick(small))),
    () => small.push(rmsNorm(pick(small), gain, 1e-5)),
    () => small.push(layerNorm(pick(small), gain, bias, 1e-5)),
    () => small.push(linear(pick(large), narrow)),
    () => small.push(activation(pick(small), { activation: "swish", beta: 1 })),
    () => large.push(linear(pick(small), wide)),
    () => large.push(glu(pick(large), pick(large), { activation: "gelu", beta: 1 })),
    () => large.push(add(pick(large), pick(large))),
  ];
  for (let i = 0; i < 30; i++) steps[rng.below(steps.length)]!();
  for (const tensor of [...small, ...large]) if (tensor.role === "activation" && rng.below(5) === 0) graph.keep(tensor);
  return { graph, values: new Map([x, narrow, wide, gain, bias].map((tensor) => [tensor, exampleValues(tensor, rng)])) };
}

/** Runs by the ops' references, with every activation at its offset of one arena, or with memory of its own. */
function runIn(graph: Graph, values: ReadonlyMap<Tensor, Values>, plan: MemoryPlan | undefined): (tensor: Tensor) => number[] {
  const arena = new Float64Array((plan?.arenaBytes ?? 0) / 4);
  const own = new Map<Tensor, Values>();
  const view = (tensor: Tensor): Values => {
    if (tensor.role !== "activation") return values.get(tensor)!;
    if (!plan) return own.get(tensor)!;
    const at = plan.offsets.get(tensor)! / 4;
    return arena.subarray(at, at + tensorBytes(tensor) / 4);
  };
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const made = outputs.map((output) => new Float64Array(tensorBytes(output) / 4));
    op.reference(inputs.map(view), made, attributes, inputs);
    outputs.forEach((output, i) => {
      if (plan) view(output).set(made[i]!);
      else own.set(output, made[i]!);
    });
  }
  return (tensor) => [...view(tensor)];
}
