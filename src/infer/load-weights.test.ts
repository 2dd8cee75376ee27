import { expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { bytesOf, type DType, quantise, sizeOf } from "../base/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { initialise, llamaConfig, type ParameterRow, parameterRows, type WeightSource } from "../model/index.ts";
import { SequenceModel } from "./sequence-model.ts";

const config = llamaConfig({ vocabSize: 40, dim: 32, nLayers: 1, nHeads: 2, hiddenDim: 32, contextLength: 64 });
const parameters = initialise(parameterRows(config), 3);
const read = async ({ name }: ParameterRow) => parameters.get(name) ?? new Float32Array();

/** Matrices as blocks of 8 bits, in pieces of an odd size. */
const stored: WeightSource["stored"] = ({ name, shape }) => ({
  dtype: shape.length === 2 ? "q8_0" : "f16",
  async *bytes() {
    const bytes = quantise("q8_0", Float64Array.from(parameters.get(name) ?? []));
    for (let at = 0; at < bytes.length; at += 77) yield bytes.subarray(at, at + 77);
  },
});

/** A backend that notes which layouts it is asked for. */
function noting(memory?: ReturnType<Backend["memory"]>): { readonly backend: Backend; readonly layouts: Map<string, DType> } {
  const backend = referenceBackend();
  const layouts = new Map<string, DType>();
  const allocate = backend.allocate.bind(backend);
  backend.allocate = (type, name) => {
    layouts.set(name, type.dtype);
    return allocate(type, name);
  };
  if (memory) backend.memory = () => memory;
  return { backend, layouts };
}

test("matrices are copied in the layout of their file, vectors are read as float32", async () => {
  const { backend, layouts } = noting();
  await using model = await SequenceModel.open(backend, config, { read, stored });
  for (const { name, shape } of parameterRows(config)) expect(layouts.get(name), name).toBe(shape.length === 2 ? "q8_0" : "f32");
  const logits = await model.sequence().next([1, 2, 3]);
  await using plain = await SequenceModel.open(referenceBackend(), config, { read });
  const exact = await plain.sequence().next([1, 2, 3]);
  const largest = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i]!)), 0);
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThan(0.02);
});

test("a model that is larger than what the machine reaches is refused before anything is allocated, with both sizes", async () => {
  const bytes = parameterRows(config).reduce((sum, { shape }) => sum + bytesOf(shape.length === 2 ? "q8_0" : "f32", shape), 0);
  const { backend, layouts } = noting({ bytes: bytes - 1, bound: "all that WebAssembly can address" });
  await expect(SequenceModel.open(backend, config, { read, stored })).rejects.toThrow(
    /^\[infer\] the model's weights take [\d.e-]+ GB, but all that WebAssembly can address is [\d.e-]+ GB: use a smaller model, or one in fewer bits$/,
  );
  expect(layouts.size).toBe(0);
});

test("WebAssembly refuses what its addresses do not reach", async () => {
  await using backend = await openCpuBackend({ target: "wasm", threads: 1 });
  const large = llamaConfig({ vocabSize: 128_256, dim: 4096, nLayers: 32, nHeads: 32, nKvHeads: 8, hiddenDim: 14_336 });
  const unread: WeightSource = { read: () => Promise.reject(new Error("nothing is read")), stored };
  await expect(SequenceModel.open(backend, large, unread)).rejects.toThrow(
    /^\[infer\] the model's weights take 8\.5\d GB, but all .* is [1-4]\.\d+ GB: /,
  );
});

test("a parameter whose bytes are too few or too many is refused", async () => {
  for (const [change, numbers] of [
    [-34, -32],
    [34, 32],
  ] as const) {
    const other: WeightSource["stored"] = (row) => ({
      dtype: "q8_0",
      async *bytes() {
        yield new Uint8Array(bytesOf("q8_0", row.shape) + change);
      },
    });
    const [first] = parameterRows(config);
    await expect(SequenceModel.open(referenceBackend(), config, { read, stored: other })).rejects.toThrow(
      `parameter "${first!.name}" has ${sizeOf(first!.shape) + numbers} numbers but the model's config says ${sizeOf(first!.shape)}`,
    );
  }
});
