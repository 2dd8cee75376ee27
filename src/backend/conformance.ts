// What every backend must do, as tests: each implementation's own test file calls this once. The reference is the judge.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CriaError, dequantise, Rng, sizeOf } from "../base/index.ts";
import {
  type Attributes,
  accumulate,
  activation,
  adamw,
  add,
  type Example,
  type ExampleInput,
  embedding,
  exampleBytes,
  exampleValues,
  f32,
  Graph,
  glu,
  gradientNorm,
  gradients,
  i32,
  layerNorm,
  linear,
  linearCrossEntropy,
  type Op,
  ops,
  rmsNorm,
  rope,
  ropeTurns,
  type Tensor,
  type TensorType,
  type Values,
} from "../graph/index.ts";
import type { Backend, DeviceBuffer, HostArray } from "./index.ts";
import { evaluate, referenceBackend } from "./reference/index.ts";

/** How exact a backend is, and what it leaves out. */
export interface ConformanceOptions {
  /** Largest difference from the reference, relative to the largest magnitude of the tensor. */
  readonly tolerance: number;
  /** Names of ops that the backend does not have, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

type OpenBackend = () => Backend | Promise<Backend>;

/** Registers the tests of the backend contract: every op on every example, whole programs, replays, sharing, disposal. */
export function conformance(name: string, openBackend: OpenBackend, { tolerance, skip = {} }: ConformanceOptions): void {
  describe(name, () => {
    const backend = openedOnce(openBackend);
    describe("ops", () => {
      for (const op of ops) {
        const reason = skip[op.name];
        describe.skipIf(reason)(reason ? `${op.name} (${reason})` : op.name, () => {
          op.examples.forEach((example, i) => {
            const title = `example ${i}: ${JSON.stringify(example.attributes)}`;
            test(title, () => checkExample(backend(), op, example, "from buffers", tolerance));
            if (op.mayAlias) test(`${title}, in place`, () => checkExample(backend(), op, example, "from activations", tolerance));
          });
        });
      }
    });
    describe("programs", () => testPrograms(backend, tolerance));
  });
  describe(`${name}: misuse`, () => testMisuse(openBackend));
}

function openedOnce(openBackend: OpenBackend): () => Backend {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openBackend();
  });
  afterAll(() => backend.dispose());
  return () => backend;
}

/** "from activations": the inputs die at the op, so that the plan lets it write over them. */
type Source = "from buffers" | "from activations";

async function checkExample(backend: Backend, op: Op<Attributes>, example: Example<Attributes>, source: Source, tolerance: number) {
  const { graph, values, expected } = judgedCase(op, example, source);
  const actual = await runOnce(backend, graph, values);
  expect(actual.size).toBeGreaterThan(0);
  const isState = (tensor: Tensor) => tensor.role === "state";
  for (const [tensor, array] of actual) {
    const compared = isState(tensor) ? array.length : liveLength(tensor, example.liveRows);
    expectClose(array.subarray(0, compared), expected.get(tensor)!.subarray(0, compared), Math.max(tolerance, example.tolerance ?? 0));
  }
}

/** An op on an example's inputs, and what the reference makes of them. */
interface JudgedCase {
  readonly graph: Graph;
  readonly values: Filling;
  readonly expected: ReadonlyMap<Tensor, Values>;
}

/** Every case so far: the backends of one test file share them, as making one takes longer than most backends run it. */
const judged = new Map<string, JudgedCase>();

function judgedCase(op: Op<Attributes>, example: Example<Attributes>, source: Source): JudgedCase {
  const key = `${op.name} ${op.examples.indexOf(example)} ${source}`;
  const known = judged.get(key);
  if (known) return known;
  const rng = new Rng(11).fork(op.name);
  const graph = new Graph();
  const values: Filling = new Map();
  const inputs = example.inputs.map((input, i) => {
    const tensor = declare(graph, `input ${i}`, input, op.updates?.includes(i) ?? false);
    values.set(tensor, isNumbers(input) ? exampleValues(input, rng) : exampleBytes(input, rng));
    return source === "from activations" && tensor.role === "input" && input.dtype === "f32" ? plusZero(tensor, values) : tensor;
  });
  graph.apply(op, inputs, example.attributes).forEach((output) => {
    graph.keep(output);
  });
  const made = { graph, values, expected: evaluate(graph, numbersOf(values)) };
  judged.set(key, made);
  return made;
}

/** How many elements the first rows of a tensor have; all by default. */
function liveLength({ shape }: TensorType, rows = shape[0] ?? 1): number {
  return rows * sizeOf(shape.slice(1));
}

/** What buffers are filled with: numbers, or the bytes of weights of other layouts. */
type Filling = Map<Tensor, Values | Uint8Array>;

function isNumbers({ dtype }: TensorType): boolean {
  return dtype === "f32" || dtype === "i32";
}

function declare(graph: Graph, name: string, input: ExampleInput, isUpdated: boolean): Tensor {
  if (isUpdated || input.role === "state") return graph.state(name, input);
  return input.role === "weight" || !isNumbers(input) ? graph.weight(name, input) : graph.input(name, input);
}

/** Copies, as the reference writes states where they lie. */
function numbersOf(values: Filling): Map<Tensor, Values> {
  return new Map([...values].map(([tensor, held]) => [tensor, held instanceof Uint8Array ? dequantise(tensor.dtype, held) : held.slice()]));
}

function plusZero(tensor: Tensor, values: Filling): Tensor {
  const zero = tensor.graph.input("zero", tensor);
  values.set(zero, new Float64Array(values.get(tensor)!.length));
  return add(tensor, zero);
}

/** Compiles, runs once and reads everything that can be read: kept activations and states. */
async function runOnce(backend: Backend, graph: Graph, values: ReadonlyMap<Tensor, Values | Uint8Array>): Promise<Map<Tensor, HostArray>> {
  const buffers = await allocateAll(backend, graph);
  for (const [tensor, buffer] of buffers) await buffer.write(values.get(tensor)!);
  const program = await backend.compile(graph, buffers);
  await program.run();
  const results = new Map<Tensor, HostArray>();
  for (const tensor of graph.kept) results.set(tensor, await program.read(tensor));
  for (const [tensor, buffer] of buffers) if (tensor.role === "state") results.set(tensor, numbersIn(tensor, await buffer.read()));
  program.dispose();
  for (const buffer of buffers.values()) buffer.dispose();
  return results;
}

/** What was read, as numbers where it is bytes; these are all exact in float32. */
function numbersIn({ dtype }: TensorType, array: HostArray): HostArray {
  return array instanceof Uint8Array ? Float32Array.from(dequantise(dtype, array)) : array;
}

async function allocateAll(backend: Backend, graph: Graph): Promise<Map<Tensor, DeviceBuffer>> {
  const buffers = new Map<Tensor, DeviceBuffer>();
  for (const tensor of graph.tensors) if (tensor.role !== "activation") buffers.set(tensor, await backend.allocate(tensor, tensor.name));
  return buffers;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(expected[i])) expect(actual[i]).toBe(expected[i]);
    else {
      scale = Math.max(scale, Math.abs(expected[i]!));
      const difference = Math.abs(actual[i]! - expected[i]!);
      worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    }
  }
  expect(scale > 0 ? worst / scale : worst).toBeLessThanOrEqual(actual instanceof Int32Array ? 0 : tolerance);
}

function testPrograms(backend: () => Backend, tolerance: number): void {
  test("three training steps of a small network come out as on the reference", async () => {
    const actual = await trainingSteps(backend(), 3);
    const expected = await trainingSteps(referenceBackend(), 3);
    expected.forEach((values, i) => {
      expectClose(actual[i]!, values, 10 * tolerance);
    });
  });

  test("twenty replays give the same bits", async () => {
    const { graph, values } = smallNetwork();
    const buffers = await allocateAll(backend(), graph);
    const program = await backend().compile(graph, buffers);
    const seen = new Set<string>();
    for (let replay = 0; replay < 20; replay++) {
      for (const [tensor, buffer] of buffers) await buffer.write(values.get(tensor)!);
      await program.run();
      const bytes = [];
      for (const tensor of graph.kept) bytes.push(await program.read(tensor));
      for (const buffer of buffers.values()) bytes.push(await buffer.read());
      seen.add(bytes.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex")).join());
    }
    expect(seen.size).toBe(1);
  });

  test("passes that are asked for together each write, run and read by themselves", async () => {
    const graph = new Graph();
    const x = graph.input("x", f32(2, 3));
    const twice = graph.keep(add(x, x));
    const buffers = await allocateAll(backend(), graph);
    const program = await backend().compile(graph, buffers);
    const buffer = buffers.get(x)!;
    const pass = (values: readonly number[], at: number, length: number) =>
      program.pass([{ buffer, values }], [{ tensor: twice, at, length }]);
    const passes = [
      pass([1, 2, 3, 4, 5, 6], 0, 6),
      pass([7], 0, 2),
      program.pass([], [{ tensor: twice, at: 4, length: 2 }]),
      pass([8, 9], 0, 2),
    ];
    expect((await Promise.all(passes)).map(([array]) => [...array!])).toEqual([
      [2, 4, 6, 8, 10, 12],
      [14, 4],
      [10, 12],
      [16, 18],
    ]);
    await expect(pass([1, 2, 3, 4, 5, 6, 7], 0, 1)).rejects.toThrow(CriaError);
    await expect(pass([1], 5, 2)).rejects.toThrow(CriaError);
    await expect(program.pass([], [{ tensor: x, at: 0, length: 1 }])).rejects.toThrow("keep it in the graph");
    buffer.dispose();
    await expect(program.pass([], [])).rejects.toThrow("disposed");
    program.dispose();
    for (const other of buffers.values()) other.dispose();
  });

  test("rows beyond the live ones change nothing in these, and are left out of a run", async () => {
    const all = await limitedRows(backend(), undefined);
    const width = all.length / limitedRowCount;
    for (const live of [0, 1, 4, limitedRowCount]) {
      const some = await limitedRows(backend(), live);
      expect(some.slice(0, live * width)).toEqual(all.slice(0, live * width));
    }
  });

  test("the live rows of a run are those of the last count written before it was asked for", async () => {
    const [rows, width] = [600, 3];
    const graph = new Graph();
    const [x, count] = [graph.input("x", f32(rows, width)), graph.input("count", i32(1))];
    const twice = graph.keep(add(x, x));
    graph.limitRows(rows, count);
    const buffers = await allocateAll(backend(), graph);
    const program = await backend().compile(graph, buffers);
    const pending: Promise<unknown>[] = [];
    const results = [2, rows, 0, 9, rows - 1].map((live, i) => {
      const values = Array<number>(rows * width).fill(i + 1);
      pending.push(buffers.get(x)!.write(values), buffers.get(count)!.write([live]), program.run());
      return { values: values.slice(0, live * width).map((value) => 2 * value), read: program.read(twice) };
    });
    await Promise.all(pending);
    for (const { values, read } of results) expect([...(await read)].slice(0, values.length)).toEqual(values);
    program.dispose();
    for (const buffer of buffers.values()) buffer.dispose();
  });

  test("a program that is disposed of leaves the others as they are", async () => {
    const programs = [];
    for (const scale of [1, 2, 3, 4]) {
      const graph = new Graph();
      const x = graph.input("x", f32(5));
      const y = graph.keep(
        Array(scale)
          .fill(x)
          .reduce((sum: Tensor, one: Tensor) => add(sum, one), x),
      );
      const buffers = await allocateAll(backend(), graph);
      await buffers.get(x)!.write([1, 2, 3, 4, 5]);
      programs.push({ y, scale, program: await backend().compile(graph, buffers) });
      if (scale === 3) programs[0]?.program.dispose();
    }
    for (const { y, scale, program } of programs.slice(1)) {
      await program.run();
      expect([...(await program.read(y))]).toEqual([1, 2, 3, 4, 5].map((value) => (scale + 1) * value));
    }
  });

  test("two programs share a buffer, and runs that are not awaited happen in order", async () => {
    const { gather, double, total, twice, x } = sharedBufferGraphs();
    const buffer = await backend().allocate(f32(5), "total");
    const ones = await backend().allocate(f32(5), "x");
    await ones.write([1, 2, 3, 4, 5]);
    const first = await backend().compile(
      gather,
      new Map([
        [total.gather, buffer],
        [x, ones],
      ]),
    );
    const second = await backend().compile(double, new Map([[total.double, buffer]]));
    await Promise.all([first.run(), first.run(), first.run(), second.run()]);
    expect([...(await second.read(twice))]).toEqual([6, 12, 18, 24, 30]);
    await first.run();
    expect([...(await second.read(twice))]).toEqual([6, 12, 18, 24, 30]);
    expect([...(await buffer.read())]).toEqual([4, 8, 12, 16, 20]);
  });

  test("a buffer that is disposed of while a run is in flight keeps its memory until the run is over", async () => {
    const { gather, total, x } = sharedBufferGraphs();
    const buffers = await allocateAll(backend(), gather);
    await buffers.get(x)!.write([1, 2, 3, 4, 5]);
    const program = await backend().compile(gather, buffers);
    const run = program.run();
    buffers.get(total.gather)!.dispose();
    const other = await backend().allocate(f32(5), "other");
    await run.catch(() => undefined);
    expect([...(await other.read())]).toEqual([0, 0, 0, 0, 0]);
    program.dispose();
    for (const buffer of [...buffers.values(), other]) buffer.dispose();
  });

  test("a buffer starts as zeros and is written and read in parts", async () => {
    const buffer = await backend().allocate(f32(2, 3), "buffer");
    expect([...(await buffer.read())]).toEqual([0, 0, 0, 0, 0, 0]);
    await buffer.write([1.5, 2.5], 3);
    expect([...(await buffer.read(2, 3))]).toEqual([0, 1.5, 2.5]);
    const tokens = await backend().allocate(i32(3), "tokens");
    await tokens.write([-1, 2 ** 31 - 1, 7]);
    expect(await tokens.read()).toEqual(Int32Array.of(-1, 2 ** 31 - 1, 7));
    buffer.dispose();
    tokens.dispose();
  });

  test("the plan holds the kept activations", async () => {
    const { graph } = smallNetwork();
    const program = await backend().compile(graph, await allocateAll(backend(), graph));
    expect(program.plan.arenaBytes).toBeGreaterThan(0);
    expect(program.plan.arenaBytes).toBeLessThan(program.plan.sumBytes);
  });
}

const limitedRowCount = 11;

/** What every op that stops at live rows makes of eleven tokens; of `live` of them where that is a number, the others being token 0. */
async function limitedRows(backend: Backend, live: number | undefined): Promise<HostArray> {
  const [R, C, V] = [limitedRowCount, 6, 17];
  const rng = new Rng(7);
  const graph = new Graph();
  const values = new Map<Tensor, Values>();
  const given = (tensor: Tensor, how: object = {}) => {
    values.set(tensor, exampleValues({ ...tensor, ...how }, rng));
    return tensor;
  };
  const tokens = given(graph.input("tokens", i32(R)), { below: V });
  const positions = given(graph.input("positions", i32(R)), { below: 100 });
  if (live !== undefined) {
    values.get(tokens)!.fill(0, live);
    values.get(positions)!.fill(0, live);
    graph.limitRows(R, given(graph.input("count", i32(1)), { values: [live] }));
  }
  const weight = (name: string, ...shape: number[]) => given(graph.weight(name, f32(...shape)));
  const x = rmsNorm(embedding(weight("table", V, C), tokens), weight("gain", C), 1e-5);
  const turns = given(graph.input("turns", i32(2, 1)), { values: ropeTurns([0.7], "half") });
  const turned = rope(x, positions, turns, { headDim: 2, pairing: "half" });
  const hidden = glu(linear(turned, weight("gate", C, C)), linear(x, weight("up", C, C)), { activation: "swish", beta: 1 });
  const normed = layerNorm(add(hidden, x), weight("gain 2", C), weight("bias", C), 1e-5);
  const y = graph.keep(activation(normed, { activation: "gelu", beta: 1 }));
  return (await runOnce(backend, graph, values)).get(y)!;
}

function sharedBufferGraphs() {
  const gather = new Graph();
  const double = new Graph();
  const total = { gather: gather.state("total", f32(5)), double: double.state("total", f32(5)) };
  const x = gather.input("x", f32(5));
  accumulate(total.gather, x);
  const twice = double.keep(add(total.double, total.double));
  return { gather, double, total, twice, x };
}

/** The kept activations after every step, and all states in the end. */
async function trainingSteps(backend: Backend, steps: number): Promise<HostArray[]> {
  const { graph, values } = smallNetwork();
  const buffers = await allocateAll(backend, graph);
  for (const [tensor, buffer] of buffers) await buffer.write(values.get(tensor)!);
  const program = await backend.compile(graph, buffers);
  const results: HostArray[] = [];
  for (let step = 0; step < steps; step++) {
    await program.run();
    for (const tensor of graph.kept) results.push(await program.read(tensor));
  }
  for (const [tensor, buffer] of buffers) if (tensor.role === "state") results.push(await buffer.read());
  program.dispose();
  for (const buffer of buffers.values()) buffer.dispose();
  return results;
}

/** Embedding, norm, gated layer, residual and loss, with the step of every parameter. The large ε of AdamW keeps tiny gradients from deciding signs. */
function smallNetwork(): { graph: Graph; values: Map<Tensor, Values> } {
  const [N, C, F, V] = [13, 7, 11, 17];
  const rng = new Rng(5);
  const graph = new Graph();
  const values = new Map<Tensor, Values>();
  const given = (tensor: Tensor, how: object) => {
    values.set(tensor, exampleValues({ ...tensor, ...how }, rng));
    return tensor;
  };
  const parameter = (name: string, ...shape: number[]) => given(graph.state(name, f32(...shape)), { scale: 0.5 });
  const tokens = given(graph.input("tokens", i32(N)), { below: V });
  const targets = given(graph.input("targets", i32(N)), { below: V });
  const hyper = given(graph.input("hyper", f32(5)), { values: [0.01, 1, 1, 1, 0.5] });
  const [table, gain, wGate, wUp, wDown] = [
    parameter("table", V, C),
    parameter("gain", C),
    parameter("gate", F, C),
    parameter("up", F, C),
    parameter("down", C, F),
  ] as const;

  const x = embedding(table, tokens);
  const normed = rmsNorm(x, gain, 1e-5);
  const hidden = glu(linear(normed, wGate), linear(normed, wUp), { activation: "swish", beta: 1 });
  const inverseCount = given(graph.input("inverseCount", f32(1)), { values: [1 / N] });
  const { loss } = linearCrossEntropy(add(x, linear(hidden, wDown)), table, targets, inverseCount);
  const found = gradients(loss, [table, gain, wGate, wUp, wDown]);
  const norm = graph.keep(gradientNorm([...found.values()]));
  graph.keep(loss);
  for (const [parameter, gradient] of found) {
    const m = given(graph.state(`${parameter.name}.m`, parameter), { scale: 0 });
    const v = given(graph.state(`${parameter.name}.v`, parameter), { scale: 0 });
    adamw({ parameter, gradient, m, v, hyper, norm }, { beta1: 0.9, beta2: 0.95, epsilon: 1e-2, decay: 0.1 });
  }
  return { graph, values };
}

function testMisuse(openBackend: OpenBackend): void {
  test("after dispose everything throws, and disposing twice is fine", async () => {
    const backend = await openBackend();
    const { gather, total, x } = sharedBufferGraphs();
    const buffers = await allocateAll(backend, gather);
    const program = await backend.compile(gather, buffers);
    const [buffer, other] = [buffers.get(total.gather)!, buffers.get(x)!];
    buffer.dispose();
    buffer.dispose();
    await expectError(() => buffer.read());
    await expectError(() => buffer.write([1]));
    await expectError(() => program.run());
    program.dispose();
    program.dispose();
    await expectError(() => program.run());
    await backend.dispose();
    await backend.dispose();
    await expectError(() => other.read());
    await expectError(() => other.write([1]));
    other.dispose(); // giving back after the end is fine
    await expectError(() => backend.allocate(f32(1), "late"));
    await expectError(() => backend.compile(gather, buffers));
  });

  test("a missing or wrong buffer, an activation that is not kept and a range outside a buffer are errors", async () => {
    const backend = await openBackend();
    const { gather, double, total, x } = sharedBufferGraphs();
    const buffer = await backend.allocate(f32(5), "total");
    await expectError(() => backend.compile(gather, new Map([[total.gather, buffer]])));
    const wrong = await backend.allocate(f32(4), "wrong");
    await expectError(() =>
      backend.compile(
        gather,
        new Map([
          [total.gather, buffer],
          [x, wrong],
        ]),
      ),
    );
    const program = await backend.compile(double, new Map([[total.double, buffer]]));
    await program.run();
    await expectError(() => program.read(total.double));
    await expectError(() => buffer.write([1, 2], 4));
    await expectError(() => buffer.read(-1, 2));
    await expectError(() => buffer.read(3, 3));
    await backend.dispose();
  });
}

/** @param act may throw or reject, but only with a CriaError. */
async function expectError(act: () => Promise<unknown>): Promise<void> {
  const error = await Promise.resolve()
    .then(act)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(error).toBeInstanceOf(CriaError);
}
