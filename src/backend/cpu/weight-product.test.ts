// What the ops' examples cannot say of products with weights: packing happens once, rows have the same bits in any company, and large weights go in slabs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DType, dequantise, isQuantised, Rng, type Rounding } from "../../base/index.ts";
import {
  accumulate,
  embedding,
  exampleBytes,
  exampleValues,
  f32,
  Graph,
  gradients,
  i32,
  linear,
  type MatmulForm,
  matmul,
  type Tensor,
  type TensorType,
  tensorBytes,
} from "../../graph/index.ts";
import { openCpuBackend, openExecutor } from "../../host/index.ts";
import type { Backend, DeviceBuffer } from "../index.ts";
import { evaluate } from "../reference/index.ts";
import { cpuBackend } from "./cpu.ts";
import type { Executor } from "./executor.ts";
import { targetsHere } from "./targets.test.helper.ts";

/** Floats, and of blocks one of each kind: bytes, with a minimum, with turned bits, with numbers of half blocks, with a table. The kernels' tests have all. */
const layouts: readonly DType[] = ["f32", "bf16", "f16", "q8_0", "q4_1", "q5_0", "q2_K", "iq4_xs"];

describe.each(await targetsHere())("%s", (target) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openCpuBackend({ target, threads: 2 });
  });
  afterAll(() => backend.dispose());

  test.each(layouts)("a row times %s has the same bits alone and among others, in every form and rounding", async (dtype) => {
    const weight = await filled(backend, dtype, 40, 512);
    for (const [form, rounding] of kindsOf(dtype)) {
      const depth = form === "nt" ? 512 : 40;
      const x = exampleValues(f32(9, depth), new Rng(2));
      const all = await product(backend, weight, x, { rows: 9, form, rounding });
      for (const rows of [1, 5]) {
        const some = await product(backend, weight, x.subarray(0, rows * depth), { rows, form, rounding });
        expect(some, `${form} ${rounding} ${rows}`).toEqual(all.subarray(0, some.length));
      }
    }
  });

  test.each(layouts)("of the rows times %s only live ones are computed, to the same bits", async (dtype) => {
    const weight = await filled(backend, dtype, 40, 256);
    for (const [form, rounding] of kindsOf(dtype)) {
      const depth = form === "nt" ? 256 : 40;
      const x = exampleValues(f32(13, depth), new Rng(2));
      const all = await product(backend, weight, x, { rows: 13, form, rounding });
      // One program is run with every count: compiling takes longer than the product.
      const limited = await compileProduct(backend, weight, x, { rows: 13, form, rounding, limited: true });
      for (const live of [0, 1, 5]) {
        const some = await limited.run(live);
        const end = (live * all.length) / 13;
        expect(some.slice(0, end), `${form} ${rounding} ${live}`).toEqual(all.slice(0, end));
      }
      limited.dispose();
    }
  });

  test.each(["nt", "nn"] as const)("a quantised weight of many blocks of depth and columns, form %s", async (form) => {
    const [rows, channels] = [4112, 256];
    const weight = await filled(backend, "q4_K", rows, channels);
    const depth = form === "nt" ? channels : rows;
    const x = exampleValues(f32(2, depth), new Rng(3));
    const made = await product(backend, weight, x, { rows: 2, form, rounding: "bfloat16" });
    const graph = new Graph();
    const [a, b] = [graph.input("x", f32(2, depth)), graph.weight("w", weight.type)];
    const y = matmul(a, b, form, "bfloat16");
    const bytes = (await weight.read()) as Uint8Array;
    const wanted = evaluate(
      graph,
      new Map([
        [a, x],
        [b, dequantise("q4_K", bytes)],
      ]),
    ).get(y)!;
    expect(worst(made, wanted)).toBeLessThan(2e-5);
  });

  test.each(["q4_K", "q8_0", "bf16"] as const)("%s is trained through: forward and back from one buffer", async (dtype) => {
    const graph = new Graph();
    const [x, w, dy] = [graph.input("x", f32(7, 256)), graph.weight("w", { dtype, shape: [33, 256] }), graph.input("dy", f32(7, 33))];
    const y = graph.keep(linear(x, w));
    const dx = graph.keep(gradients(new Map([[y, dy]]), [x]).get(x)!);
    const bytes = exampleBytes(w, new Rng(4));
    const [xs, dys] = [exampleValues(x, new Rng(5)), exampleValues(dy, new Rng(6))];
    const buffers = new Map<Tensor, DeviceBuffer>();
    for (const [tensor, values] of [
      [x, xs],
      [w, bytes],
      [dy, dys],
    ] as const) {
      const buffer = await backend.allocate(tensor, tensor.name);
      await buffer.write(values);
      buffers.set(tensor, buffer);
    }
    const program = await backend.compile(graph, buffers);
    await program.run();
    const wanted = evaluate(
      graph,
      new Map([
        [x, xs],
        [w, dequantise(dtype, bytes)],
        [dy, dys],
      ]),
    );
    for (const tensor of [y, dx]) expect(worst(await program.read(tensor), wanted.get(tensor)!), tensor.name).toBeLessThan(2e-5);
  });
});

describe("packing", () => {
  test("happens once for all programs and runs, and again after the weight was written", async () => {
    const { backend, packings } = await counted();
    const weight = await filled(backend, "q8_0", 40, 64);
    const x = exampleValues(f32(2, 64), new Rng(1));
    const first = await product(backend, weight, x, { rows: 2, form: "nt", rounding: "int8" });
    await product(backend, weight, x.subarray(0, 64), { rows: 1, form: "nt", rounding: "int8" });
    expect(packings()).toBe(1);
    const bytes = exampleBytes(weight.type, new Rng(9));
    await weight.write(bytes);
    const second = await product(backend, weight, x, { rows: 2, form: "nt", rounding: "int8" });
    expect(packings()).toBe(2);
    expect(second).not.toEqual(first);
    const other = await backend.allocate(weight.type, "other");
    await other.write(bytes);
    expect(await product(backend, other, x, { rows: 2, form: "nt", rounding: "int8" })).toEqual(second);
    await backend.dispose();
  });

  test("happens again when a program has written what another one reads as a weight", async () => {
    const { backend } = await counted();
    const weight = await filled(backend, "f32", 40, 64);
    const x = exampleValues(f32(2, 64), new Rng(1));
    const graph = new Graph();
    const [total, more] = [graph.state("total", f32(40, 64)), graph.input("more", f32(40, 64))];
    accumulate(total, more);
    const moreBuffer = await filled(backend, "f32", 40, 64);
    const adding = await backend.compile(
      graph,
      new Map([
        [total, weight],
        [more, moreBuffer],
      ]),
    );
    const once = await product(backend, weight, x, { rows: 2, form: "nt", rounding: "float32" });
    await adding.run();
    expect(await product(backend, weight, x, { rows: 2, form: "nt", rounding: "float32" })).toEqual(once.map((y) => 2 * y));
    await backend.dispose();
  });

  test("of a quantised weight serves both forms and every rounding", async () => {
    const { backend, packings } = await counted();
    const weight = await filled(backend, "q6_K", 40, 256);
    for (const [form, rounding] of kindsOf("q6_K"))
      await product(backend, weight, new Float32Array(form === "nt" ? 256 : 40), { rows: 1, form, rounding });
    expect(packings()).toBe(1);
    await backend.dispose();
  });

  test("takes memory that goes back with the weight, and counts as a program's", async () => {
    const { backend, executor } = await counted();
    const graph = new Graph();
    const [x, w] = [graph.input("x", f32(2, 64)), graph.weight("w", { dtype: "q8_0", shape: [4000, 64] })];
    graph.keep(linear(x, w, "int8"));
    expect(backend.workspaceBytes(graph)).toBeGreaterThan(4000 * 68);
    const cycle = async () => {
      const buffers = new Map<Tensor, DeviceBuffer>();
      for (const tensor of [x, w]) buffers.set(tensor, await backend.allocate(tensor, tensor.name));
      const program = await backend.compile(graph, buffers);
      await program.run();
      program.dispose();
      for (const buffer of buffers.values()) buffer.dispose();
      (await backend.allocate(f32(1), "behind what was given back")).dispose();
      await backend.allocate(f32(1), "kept, one a cycle");
      return executor.room().left;
    };
    const first = await cycle();
    expect(first - (await cycle())).toBeLessThanOrEqual(64);
    await backend.dispose();
  });
});

describe("a weight that programs read packed alone", () => {
  const [rows, channels] = [400, 256];
  const x = exampleValues(f32(2, channels), new Rng(1));

  test.each(["f32", "bf16", "f16", "q8_0", "q6_K"] as const)("%s gives its bytes back, and has them again when asked", async (dtype) => {
    const { backend, executor } = await counted();
    const weight = await filled(backend, dtype, rows, channels);
    const written = exampleOf(weight.type, 1);
    const rounding = isQuantised(dtype) ? "int8" : "float32";
    const size = tensorBytes(weight.type);
    const used = () => before - executor.room().left;
    const first = await product(backend, weight, x, { rows: 2, form: "nt", rounding });
    await backend.allocate(f32(1), "what was freed is behind this");
    const before = executor.room().left;
    // The packed form is all that is left of the weight; panels are filled up to whole ones.
    expect(await weight.read()).toEqual(written);
    expect(used()).toBeGreaterThanOrEqual(size);
    const again = await product(backend, weight, x, { rows: 2, form: "nt", rounding });
    expect(again).toEqual(first);
    await backend.allocate(f32(1), "likewise");
    expect(used()).toBeLessThan(size / 2);

    const part = written.slice(0, 7 * channels);
    await weight.write(part.fill(0), 0);
    const other = await backend.allocate(weight.type, "other");
    await other.write(exampleOf(weight.type, 1).fill(0, 0, part.length));
    const wanted = await product(backend, other, x, { rows: 2, form: "nt", rounding });
    expect(await product(backend, weight, x, { rows: 2, form: "nt", rounding })).toEqual(wanted);
    expect(wanted).not.toEqual(first);
    await backend.dispose();
  });

  test("is looked up in and multiplied by in other forms, in any order", async () => {
    const { backend } = await counted();
    const weight = await filled(backend, "q4_K", rows, channels);
    const values = dequantise("q4_K", exampleBytes(weight.type, new Rng(1)));
    const packed = await product(backend, weight, x, { rows: 2, form: "nt", rounding: "int8" });
    const back = await product(backend, weight, exampleValues(f32(2, rows), new Rng(2)), { rows: 2, form: "nn", rounding: "float32" });
    const graph = new Graph();
    const [tokens, w] = [graph.input("tokens", i32(2)), graph.weight("w", weight.type)];
    const y = graph.keep(embedding(w, tokens));
    const given = await backend.allocate(tokens, "tokens");
    await given.write([399, 3]);
    const bindings = new Map<Tensor, DeviceBuffer>([
      [tokens, given],
      [w, weight],
    ]);
    const program = await backend.compile(graph, bindings);
    await program.run();
    const wanted = Float32Array.from([...values.subarray(399 * channels), ...values.subarray(3 * channels, 4 * channels)]);
    expect(await program.read(y)).toEqual(wanted);
    // While this program lives, the plain bytes do too.
    expect(await product(backend, weight, x, { rows: 2, form: "nt", rounding: "int8" })).toEqual(packed);
    await program.run();
    expect(await program.read(y)).toEqual(wanted);
    program.dispose();
    expect(await product(backend, weight, exampleValues(f32(2, rows), new Rng(2)), { rows: 2, form: "nn", rounding: "float32" })).toEqual(
      back,
    );
    await backend.dispose();
  });

  test("keeps its bytes where panels are rounded", async () => {
    const { backend } = await counted();
    const weight = await filled(backend, "f32", rows, channels);
    await product(backend, weight, x, { rows: 2, form: "nt", rounding: "bfloat16" });
    await product(backend, weight, x, { rows: 2, form: "nt", rounding: "bfloat16" });
    expect(await weight.read()).toEqual(exampleOf(weight.type, 1));
    await backend.dispose();
  });

  test("needs no more memory at once than it and one more form", async () => {
    const { backend, executor } = await counted();
    const graph = new Graph();
    const input = graph.input("x", f32(2, 64));
    const buffers = new Map<Tensor, DeviceBuffer>([[input, await backend.allocate(input, "x")]]);
    for (let i = 0; i < 8; i++) {
      const w = graph.weight(`w${i}`, { dtype: "q8_0", shape: [4096, 64] });
      graph.keep(linear(input, w, "int8"));
      const buffer = await backend.allocate(w, w.name);
      await buffer.write(exampleOf(w, 1));
      buffers.set(w, buffer);
    }
    const size = 4096 * 68;
    const { left, filled } = executor.room();
    await backend.compile(graph, buffers);
    const after = executor.room();
    const touched = left - filled - (after.left - after.filled);
    expect(touched).toBeLessThan(backend.workspaceBytes(graph) - 6 * size);
    await backend.dispose();
  });
});

/** The largest difference, relative to the largest magnitude. */
function worst(made: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const indices = Array.from(wanted, (_, i) => i);
  const scale = Math.max(...indices.map((i) => Math.abs(wanted[i]!)));
  return Math.max(...indices.map((i) => Math.abs(made[i]! - wanted[i]!))) / scale;
}

function kindsOf(dtype: DType): [MatmulForm, Rounding][] {
  const kinds: [MatmulForm, Rounding][] = [
    ["nt", "float32"],
    ["nt", "bfloat16"],
    ["nn", "float32"],
    ["nn", "bfloat16"],
  ];
  return isQuantised(dtype) ? [...kinds, ["nt", "int8"]] : kinds;
}

async function filled(backend: Backend, dtype: DType, rows: number, channels: number): Promise<DeviceBuffer> {
  const type = { dtype, shape: [rows, channels] };
  const buffer = await backend.allocate(type, "w");
  await buffer.write(exampleOf(type, 1));
  return buffer;
}

/** Values in the form in which a buffer of this type is written and read. */
function exampleOf(type: TensorType, seed: number): Float32Array | Uint8Array {
  return type.dtype === "f32" ? Float32Array.from(exampleValues(type, new Rng(seed))) : exampleBytes(type, new Rng(seed));
}

interface ProductKind {
  readonly rows: number;
  readonly form: MatmulForm;
  readonly rounding: Rounding;
  /** Whether the program computes only as many rows as each run is told; all of them otherwise. */
  readonly limited?: boolean;
}

async function product(backend: Backend, weight: DeviceBuffer, x: ArrayLike<number>, kind: ProductKind): Promise<Float32Array> {
  const compiled = await compileProduct(backend, weight, x, kind);
  const values = await compiled.run(kind.rows);
  compiled.dispose();
  return values;
}

interface CompiledProduct {
  run(live: number): Promise<Float32Array>;
  dispose(): void;
}

async function compileProduct(
  backend: Backend,
  weight: DeviceBuffer,
  x: ArrayLike<number>,
  { rows, form, rounding, limited }: ProductKind,
): Promise<CompiledProduct> {
  const graph = new Graph();
  const [a, b] = [graph.input("x", f32(rows, x.length / rows)), graph.weight("w", weight.type)];
  const y = graph.keep(matmul(a, b, form, rounding));
  const buffer = await backend.allocate(a, "x");
  await buffer.write(x);
  const bindings = new Map<Tensor, DeviceBuffer>([
    [a, buffer],
    [b, weight],
  ]);
  const count = limited ? await limitRows(backend, graph, rows, bindings) : undefined;
  const program = await backend.compile(graph, bindings);
  return {
    async run(live) {
      await count?.write([live]);
      await program.run();
      return (await program.read(y)) as Float32Array;
    },
    dispose() {
      program.dispose();
      for (const [tensor, bound] of bindings) if (tensor !== b) bound.dispose();
    },
  };
}

/** The buffer that says how many of the rows are live. */
async function limitRows(backend: Backend, graph: Graph, rows: number, bindings: Map<Tensor, DeviceBuffer>): Promise<DeviceBuffer> {
  const count = graph.input("count", i32(1));
  graph.limitRows(rows, count);
  const buffer = await backend.allocate(count, "count");
  bindings.set(count, buffer);
  return buffer;
}

/** A backend whose runs of packing kernels are counted. */
async function counted(): Promise<{ backend: Backend; executor: Executor; packings: () => number }> {
  const executor = await openExecutor({ target: "wasm", threads: 1 });
  const packing = new Set<number>();
  let runs = 0;
  const counting: Executor = {
    ...executor,
    async load(kernels, phases) {
      const program = await executor.load(kernels, phases);
      if (kernels.some(({ name }) => name === "packQuantised")) packing.add(program);
      return program;
    },
    run(program) {
      if (packing.has(program)) runs++;
      return executor.run(program);
    },
  };
  return { backend: cpuBackend(counting), executor, packings: () => runs };
}
