// How near attention over pages comes to the machine: prompts of 512 rows behind few and many keys, beside the attention of training, one row at several
// context lengths, and eight sequences, against multiply-adds in registers and a pass that only reads, in turns. Runs of few rows work on as many layers as
// exceed the caches. `node bench/attention-paged.mjs [SHAPE]... [--rounds N] [--types f32,f16,q8_0] [--cases TEXT,...] [--threads N,...]`: cases are those whose
// names contain one of the texts; CRIA_TARGET chooses the target.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { allocateWritten, openKernel } from "../dist/backend/cpu/index.js";
import { attention, f32, Graph, pagedAttention, pagedRowInputs, pageKeys, pageTiles, poolType } from "../dist/graph/index.js";
import { defaultThreads, openCpuBackend } from "../dist/host/index.js";
import { sumOfSquares, sumOfSquaresUnits } from "../dist/kernel/index.js";
import { interleave, openPeak, openProgram } from "./measure.mjs";

const shapes = {
  "135M": { heads: 9, kvHeads: 3, headDim: 64 },
  // TinyLlama's.
  "1.1B": { heads: 32, kvHeads: 4, headDim: 64 },
  // Llama 3's.
  "8B": { heads: 32, kvHeads: 8, headDim: 128 },
};

/** Rows that a run has, keys of each of its sequences with those of these rows, and how many sequences there are, whose lengths are the same or fall. */
const cases = {
  "prompt of 512": { rows: 512, sequences: 1, keys: 512 },
  "prompt of 512 behind 512": { rows: 512, sequences: 1, keys: 1024 },
  "prompt of 512 behind 7680": { rows: 512, sequences: 1, keys: 8192 },
  "1 row, 512 keys": { rows: 1, sequences: 1, keys: 512 },
  "1 row, 2048 keys": { rows: 1, sequences: 1, keys: 2048 },
  "1 row, 8192 keys": { rows: 1, sequences: 1, keys: 8192 },
  "1 row, 16384 keys": { rows: 1, sequences: 1, keys: 16384 },
  "8 rows, 2048 keys each": { rows: 8, sequences: 8, keys: 2048 },
  "8 rows, 4096 to 32 keys": { rows: 8, sequences: 8, keys: 4096, isFalling: true },
};

/** Bytes that a run reads at least, where it reads more than it computes. */
const beyondCaches = 2 ** 26;

export async function run(args = []) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      types: { type: "string", default: "f32,f16,q8_0" },
      cases: { type: "string", default: "" },
      threads: { type: "string", default: [...new Set([1, defaultThreads()])].join() },
    },
  });
  const chosen = Object.entries(cases).filter(([name]) => values.cases.split(",").some((part) => name.includes(part)));
  for (const threads of values.threads.split(",").map(Number)) {
    const backend = await openCpuBackend({ threads });
    console.log(`${backend.name}: milliseconds per layer, GFLOP/s and % of the multiply-add peak, GB/s and % of a pass that reads`);
    for (const name of positionals.length > 0 ? positionals : Object.keys(shapes))
      console.table(await measure(backend, shapes[name], chosen, values.types.split(","), Number(values.rounds)));
    await backend.dispose();
  }
}

async function measure(backend, shape, chosen, types, rounds) {
  const peak = await openPeak(backend);
  const read = await openRead(backend);
  const rows = {};
  for (const [name, size] of chosen)
    for (const type of size.rows === size.keys ? [...types, "training"] : types) {
      const opened = type === "training" ? await openTraining(backend, shape, size) : await openPaged(backend, shape, size, type);
      const times = await interleave({ own: opened.run, peak: peak.run, read: read.run }, { rounds, warmUps: 1, seconds: 0.05 });
      rows[`${name}, ${type}`] = cells(opened, times, peak.flops / times.peak, read.work / times.read);
      opened.dispose();
    }
  peak.dispose();
  read.dispose();
  return rows;
}

function cells({ layers, flops, bytes }, { own }, peak, read) {
  const share = (rate, limit) => `${(rate / 1e9).toFixed(1)}  ${((100 * rate) / limit).toFixed(0)} %`;
  return {
    ms: ((1000 * own) / layers).toFixed(3),
    "GFLOP/s": share((layers * flops) / own, peak),
    "GB/s": share((layers * bytes) / own, read),
  };
}

/** The number of keys that the last row of each sequence sees. */
function lengthsOf({ sequences, keys, isFalling }) {
  return Array.from({ length: sequences }, (_, i) => (isFalling ? keys >> i : keys));
}

/** How many keys all rows see: each itself and those before it. */
function seenOf(size) {
  const { rows, sequences, keys } = size;
  if (sequences > 1) return lengthsOf(size).reduce((a, b) => a + b);
  return rows * keys - (rows * (rows - 1)) / 2;
}

async function openPaged(backend, { heads, kvHeads, headDim }, size, type) {
  const { rows, sequences, keys } = size;
  const lengths = lengthsOf(size);
  const pages = Math.ceil(keys / pageKeys);
  const pool = poolType(type, { pages: pages * sequences, kvHeads, headDim });
  const bytes = 2 * lengths.reduce((a, b) => a + b) * kvHeads * headDim * { f32: 4, f16: 2, q8_0: 34 / 32 }[type];
  const layers = rows > 8 ? 1 : Math.ceil(beyondCaches / bytes);
  const graph = new Graph();
  const inputs = pagedRowInputs(graph, { R: rows, S: sequences, P: pages });
  const q = graph.input("q", f32(rows, heads * headDim));
  for (let layer = 0; layer < layers; layer++)
    pagedAttention(q, { keys: graph.state(`${layer}.keys`, pool), values: graph.state(`${layer}.values`, pool) }, inputs);
  const slots = Int32Array.from({ length: rows }, (_, row) => (sequences > 1 ? row : 0));
  const positions = Int32Array.from({ length: rows }, (_, row) => (sequences > 1 ? lengths[row] - 1 : keys - rows + row));
  const given = {
    slots,
    positions,
    pages: Int32Array.from({ length: sequences * pages }, (_, page) => page),
    tiles: pageTiles(slots, positions, rows),
    count: Int32Array.of(rows),
  };
  // Bytes of small numbers in f16 and q8_0.
  const fill = (tensor) => given[tensor.name] ?? (tensor.dtype === "f32" ? undefined : new Uint8Array(bytesOf(tensor)).fill(0x2c));
  const program = await openProgram(backend, graph, fill);
  return { ...program, layers, bytes, flops: 4 * heads * headDim * seenOf(size) };
}

function bytesOf({ dtype, shape }) {
  const count = shape.reduce((a, b) => a * b, 1);
  return dtype === "f16" ? 2 * count : (count / 32) * 34;
}

async function openTraining(backend, { heads, kvHeads, headDim }, size) {
  const graph = new Graph();
  const of = (name, count) => graph.input(name, f32(size.rows, count * headDim));
  attention(of("q", heads), of("k", kvHeads), of("v", kvHeads), { batch: 1, heads, kvHeads });
  const bytes = 2 * size.keys * kvHeads * headDim * 4;
  return { ...(await openProgram(backend, graph)), layers: 1, bytes, flops: 4 * heads * headDim * seenOf(size) };
}

async function openRead({ executor }) {
  const bytes = 2 ** 28;
  const memory = allocateWritten(executor, bytes);
  const sums = executor.allocate(sumOfSquaresUnits(bytes / 4) * 4);
  const opened = await openKernel(executor, sumOfSquares, { count: bytes / 4 }, [memory, sums], bytes);
  return {
    ...opened,
    dispose() {
      opened.dispose();
      executor.free(memory);
      executor.free(sums);
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
