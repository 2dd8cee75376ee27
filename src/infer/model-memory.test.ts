// What a model is said to take is held against what its backend then has less, on every target.
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cpuBackend } from "../backend/cpu/index.ts";
import { bytesOf, type DType, fail, sizeOf } from "../base/index.ts";
import { i32 } from "../graph/index.ts";
import { chooseTarget, openExecutor } from "../host/index.ts";
import { llamaConfig, parameterRows, type WeightSource } from "../model/index.ts";
import { modelMemory, SequenceModel } from "./index.ts";

const shape = { vocabSize: 1001, dim: 256, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 256, contextLength: 640 } as const;
/** Bytes that a heap takes beyond what is asked of it, because addresses are multiples of 64: for a probe, and each program's arena, inputs and scratch. */
const roundedUp = 5 * 1024;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-memory-"));
});
afterAll(() => rm(folder, { recursive: true }));

const targets: string[] = [];
for (const target of ["wasm", "avx2", "avx512"])
  await chooseTarget(target).then(
    () => targets.push(target),
    (error: Error) => console.log(`${target} is not tested here: ${error.message}`),
  );

type Config = ReturnType<typeof llamaConfig>;

function placesIn(config: Config, matrices: DType) {
  let start = 0;
  return parameterRows(config).map(({ name, shape }) => {
    const dtype: DType = shape.length === 2 ? matrices : "f32";
    const place = { name, dtype, start, bytes: bytesOf(dtype, shape) };
    start += Math.ceil(place.bytes / 64) * 64;
    return place;
  });
}

function bytesOfFile(config: Config, dtype: DType): number {
  return placesIn(config, dtype).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A file of zeros in which every parameter lies, matrices in a layout of their own. */
async function fileOf(config: Config, matrices: DType) {
  const places = placesIn(config, matrices);
  const last = places.at(-1) ?? fail("test", "a model has parameters");
  const name = join(folder, `${matrices}.bin`);
  const handle = await open(name, "w+");
  await handle.truncate(last.start + last.bytes);
  const placeOf = (row: { readonly name: string }) => places.find((place) => place.name === row.name) ?? fail("test", `no ${row.name}`);
  const source: WeightSource = {
    inFile: (row) => {
      const { dtype, start, bytes } = placeOf(row);
      return { dtype, region: { name, descriptor: handle.fd, start, bytes } };
    },
    stored: (row) => ({
      dtype: placeOf(row).dtype,
      bytes: async function* () {
        yield new Uint8Array(placeOf(row).bytes);
      },
    }),
    read: async ({ shape }) => new Float32Array(sizeOf(shape)),
  };
  return { source, [Symbol.asyncDispose]: () => handle.close() };
}

const cases = [
  { target: "wasm", dtype: "q4_K", cacheType: "f16", tiedOutput: false },
  { target: "avx2", dtype: "f32", cacheType: "f32", tiedOutput: false },
  { target: "avx512", dtype: "q6_K", cacheType: "q8_0", tiedOutput: true },
] as const;

test.each(cases.filter(({ target }) => targets.includes(target)))(
  "$target: matrices of $dtype, keys of $cacheType",
  async ({ target, dtype, cacheType, tiedOutput }) => {
    const config = llamaConfig({ ...shape, tiedOutput });
    const { availableBytes: _, ...executor } = await openExecutor({ target, threads: 2 });
    await using backend = cpuBackend(executor);
    await using file = await fileOf(config, dtype);
    const said = modelMemory(backend, config, file.source, { contextLength: 600, sequences: 3, cacheType });
    const before = backend.memory().bytes;
    await using model = await SequenceModel.open(backend, config, file.source, { contextLength: 600, cacheType, pages: 3 * 10 });
    // Passes of all sizes, each with few rows of logits and with more; no two texts begin alike, so that nothing is read again.
    const text = (first: number, length: number) => Array.from({ length }, (_, i) => first + i);
    for (const [read, scored] of [
      [[], text(1, 1)],
      [text(2, 40), []],
      [[], text(3, 20)],
      [text(4, 300), []],
      [text(5, 300), text(6, 20)],
    ] as const) {
      const [reader, scorer] = [model.sequence(), model.sequence()];
      await model.run([
        ...(read.length > 0 ? [{ sequence: reader, ids: read, logits: "none" as const }] : []),
        ...(scored.length > 0 ? [{ sequence: scorer, ids: scored, logits: "all" as const }] : []),
      ]);
      for (const sequence of [reader, scorer]) sequence[Symbol.dispose]();
    }
    await (await backend.allocate(i32(1), "probe")).read(); // waits for what is given back
    const taken = before - backend.memory().bytes;
    expect(said.there.bytes).toBe(before);
    expect(said.total).toBeLessThanOrEqual(taken);
    expect(said.total).toBeGreaterThan(taken - roundedUp);
    expect(said.mapped).toBe(target === "wasm" ? 0 : bytesOfFile(config, dtype));
    expect(said.isEnough).toBe(true);
  },
);

test("memory that is too small is said, also where only loading takes more", async () => {
  const config = llamaConfig(shape);
  await using file = await fileOf(config, "q4_K");
  const { availableBytes: _, ...executor } = await openExecutor({ target: "wasm", threads: 1 });
  await using whole = cpuBackend(executor);
  const asked = { contextLength: 600, sequences: 3, cacheType: "f32" } as const;
  const { total } = modelMemory(whole, config, file.source, asked);
  const isEnough = (bytes: number) =>
    modelMemory(cpuBackend({ ...executor, availableBytes: () => bytes }), config, file.source, asked).isEnough;
  expect([total - 1, total].map(isEnough)).toEqual([false, true]);
});
