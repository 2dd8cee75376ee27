// Numbers into the layouts of GGUF beside llama.cpp's own quantisers, on one thread: time per value, and the error of super-blocks, with an
// importance of columns and without. The peer is libggml-base of node-llama-cpp (bench/peers); without it cria is measured alone.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dequantise, elementLayouts, Rng } from "../dist/base/index.js";
import { quantiseRows, writableDTypes } from "../dist/formats/index.js";
import { interleave } from "./measure.mjs";

/** Numbers that ggml has for its layouts. */
const types = { q8_0: 8, q4_0: 2, q4_1: 3, q5_0: 6, q5_1: 7, q4_K: 12, q5_K: 13, q6_K: 14 };
const kinds = {
  normal: (rng) => 0.02 * rng.normal(),
  heavy: (rng) => 0.02 * rng.normal() ** 3,
  uniform: (rng) => rng.uniform() - 0.5,
  positive: (rng) => rng.uniform(),
};
const columns = 1024;

export async function run() {
  const theirs = await openPeer();
  if (theirs === undefined) console.log("llama.cpp is absent: npm ci in bench/peers");
  for (const dtype of writableDTypes.filter((name) => name in types)) await speed(dtype, theirs);
  if (theirs) for (const dtype of ["q4_K", "q5_K", "q6_K"]) errors(dtype, theirs);
}

async function openPeer() {
  const system = `${process.platform}-${process.arch}`;
  const library = fileURLToPath(new URL(`peers/node_modules/@node-llama-cpp/${system}/bins/${system}/libggml-base.so`, import.meta.url));
  if (!existsSync(library)) return undefined;
  const { default: koffi } = await import("koffi");
  const base = koffi.load(library);
  const chunk = base.func("size_t ggml_quantize_chunk(int, const float *, _Out_ uint8_t *, int64_t, int64_t, int64_t, const float *)");
  const init = base.func("void ggml_quantize_init(int)");
  return (dtype, values, importance) => {
    const { block, bytes } = elementLayouts[dtype];
    const out = new Uint8Array((values.length / block) * bytes);
    init(types[dtype]);
    chunk(types[dtype], values, out, 0, values.length / columns, columns, importance ?? null);
    return out;
  };
}

async function speed(dtype, theirs) {
  const rng = new Rng(1);
  const values = Float32Array.from({ length: 128 * columns }, () => kinds.normal(rng));
  const times = await interleave(
    {
      cria: async () => quantiseRows(dtype, { values, columns }),
      ...(theirs && { "llama.cpp": async () => theirs(dtype, values) }),
    },
    { rounds: 5, warmUps: 2, seconds: 0.05 },
  );
  const perValue = ([name, seconds]) => `${name} ${((1e9 * seconds) / values.length).toFixed(1)} ns per value`;
  console.log(`${dtype}: ${Object.entries(times).map(perValue).join(", ")}`);
}

function errors(dtype, theirs) {
  for (const [kind, draw] of Object.entries(kinds)) {
    const rng = new Rng(2);
    const values = Float32Array.from({ length: 64 * columns }, () => draw(rng));
    const importance = Float32Array.from({ length: columns }, () => Math.exp(2 * rng.normal()));
    const ratio = (weights) => {
      const error = (bytes) =>
        Math.sqrt(dequantise(dtype, bytes).reduce((sum, x, i) => sum + (weights?.[i % columns] ?? 1) * (x - values[i]) ** 2, 0));
      return (error(quantiseRows(dtype, { values, columns, importance: weights })) / error(theirs(dtype, values, weights))).toFixed(3);
    };
    console.log(`${dtype}, ${kind} numbers: error ${ratio(undefined)} of llama.cpp's, ${ratio(importance)} with an importance of columns`);
  }
}
