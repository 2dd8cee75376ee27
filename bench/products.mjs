// The matrix products of a model's layers, forward and backward, packing included, as a share of the multiply-add peak of the same run:
// `node bench/products.mjs [PRESET]... [--rounds N] [--precision NAME]`. Shapes are M × N × K.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Graph, matmul } from "../dist/graph/index.js";
import { defaultThreads, openCpuBackend } from "../dist/host/index.js";
import { preset } from "../dist/model/index.js";
import { interleave, openPeak, openProgram } from "./measure.mjs";

/** Sizes of weights, and the tokens of a step. */
const models = {
  "15M": { ...preset("15M"), tokens: 2048 },
  "110M": { ...preset("110M"), tokens: 1024 },
  // TinyLlama's.
  "1B": { dim: 2048, hiddenDim: 5632, vocabSize: 32000, tokens: 512 },
};

export async function run(args = []) {
  const options = { rounds: { type: "string", default: "5" }, precision: { type: "string", default: "float32" } };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const backends = await Promise.all([...new Set([1, defaultThreads()])].map((threads) => openCpuBackend({ threads })));
  const peaks = await Promise.all(backends.map((backend) => openPeak(backend)));
  for (const name of positionals.length > 0 ? positionals : Object.keys(models)) {
    console.log(
      `${name}, ${values.precision}, ${backends.map((backend) => backend.name).join("; ")}: GFLOP/s, and % of the float32 multiply-add peak`,
    );
    const rows = {};
    for (const sizes of productsOf(models[name])) rows[describe(sizes)] = await measure(backends, peaks, sizes, values);
    console.table(rows);
  }
  for (const backend of backends) await backend.dispose();
}

/** Every weight [N, K] of a layer and the output: y = x·wᵀ, dx = dy·w, dw = dyᵀ·x. */
function productsOf({ dim, hiddenDim, vocabSize, tokens }) {
  const shapes = { attention: [dim, dim], gate: [hiddenDim, dim], down: [dim, hiddenDim], output: [vocabSize, dim] };
  return Object.values(shapes).flatMap(([outputs, inputs]) => [
    { form: "nt", m: tokens, n: outputs, k: inputs },
    { form: "nn", m: tokens, n: inputs, k: outputs },
    { form: "tn", m: outputs, n: inputs, k: tokens },
  ]);
}

function describe({ form, m, n, k }) {
  return `${form} ${m} × ${n} × ${k}`;
}

async function measure(backends, peaks, sizes, { rounds, precision }) {
  const products = await Promise.all(backends.map((backend) => openProduct(backend, sizes, precision)));
  const entries = [products, peaks].flatMap((kind, i) => kind.map(({ run }, j) => [`${i} ${j}`, run]));
  const times = await interleave(Object.fromEntries(entries), { rounds: Number(rounds), warmUps: 1, seconds: 0.08 });
  for (const product of products) product.dispose();
  const cells = backends.map(({ executor }, j) => {
    const rate = (2 * sizes.m * sizes.n * sizes.k * repeats(sizes)) / times[`0 ${j}`] / 1e9;
    const peak = peaks[j].flops / times[`1 ${j}`] / 1e9;
    return [
      executor.threads === 1 ? "1 thread" : `${executor.threads} threads`,
      `${rate.toFixed(1)}  ${((100 * rate) / peak).toFixed(0)} %`,
    ];
  });
  return Object.fromEntries(cells);
}

/** Products in a run: a step has hundreds of phases, so starting a run must not count. */
function repeats({ m, n, k }) {
  return Math.max(1, Math.round(2e9 / (m * n * k)));
}

function openProduct(backend, sizes, precision) {
  const { form, m, n, k } = sizes;
  const graph = new Graph(precision);
  const shape = (...sizes) => ({ dtype: "f32", shape: sizes });
  const a = graph.input("a", form === "tn" ? shape(k, m) : shape(m, k));
  const b = graph.input("b", form === "nt" ? shape(n, k) : shape(k, n));
  for (let i = 1; i < repeats(sizes); i++) matmul(a, b, form);
  graph.keep(matmul(a, b, form));
  return openProgram(backend, graph);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
