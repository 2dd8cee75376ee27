// How near the kernels that do little per byte come to the memory's speed: bytes that an op must read and write, per second, against a
// pass that only adds, over as many arrays read, updated and written, in turns. Arrays far beyond the caches, one thread and all.
// CRIA_TARGET chooses the target; names of ops as CRIA_OPS=adamw,rope.
import { allocateWritten, openKernel } from "../dist/backend/cpu/index.js";
import { ropeTurns } from "../dist/graph/index.js";
import { defaultThreads, openExecutor } from "../dist/host/index.js";
import * as library from "../dist/kernel/index.js";
import { interleave } from "./measure.mjs";

const channels = 768;
const headDim = 64;
const vocabulary = 32000;
const frequencies = Array.from({ length: headDim / 2 }, (_, i) => 10000 ** ((-2 * i) / headDim));
/** Bytes that an op touches. */
const touched = 2 ** 28;

const rowsOf = (arrays, width = channels) => Math.floor(touched / arrays / 4 / width);
const norm = (arrays) => ({ rows: rowsOf(arrays), channels, epsilon: 1e-5 });
const elements = (arrays) => touched / 4 / arrays - ((touched / 4 / arrays) % 1024);
const swish = (arrays) => ({ count: elements(arrays), activation: "swish", beta: 1 });
const rope = (pairing) => ({ rows: rowsOf(1), heads: channels / headDim, headDim, pairing, attentionFactor: 1, inverse: false });
const adamw = { count: elements(4), beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
const crossEntropy = { rows: rowsOf(1, vocabulary), vocabulary, gradient: true };

/** `count` elements in each of the arrays of the mix; `args` from their addresses, reads first, then updates, then writes. */
const ops = [
  row("add", library.add, { count: elements(3) }, { reads: 2, writes: 1, count: elements(3) }),
  row("rmsNorm", library.rmsNorm, norm(2), { reads: 1, writes: 1, count: norm(2).rows * channels }, (small, [x, y]) => [x, small.ones, y]),
  row(
    "rmsNorm gradient",
    library.rmsNormGradient,
    norm(3),
    { reads: 2, writes: 1, count: norm(3).rows * channels },
    (small, [x, dy, dx]) => [...[x, small.ones, dy, dx, small.sums]],
  ),
  ...["half", "neighbours"].map((pairing) =>
    row(`rope, ${pairing}`, library.rope, rope(pairing), { updates: 1, count: rope(pairing).rows * channels }, (small, [x]) => [
      ...[x, small.positions, small.turns[pairing], x],
    ]),
  ),
  row("swiglu", library.glu, swish(3), { reads: 2, writes: 1, count: elements(3) }),
  row("swiglu gradient", library.gluGradient, swish(5), { reads: 3, writes: 2, count: elements(5) }),
  row("adamw", library.adamw, adamw, { reads: 1, updates: 3, count: adamw.count }, (small, [gradient, parameter, m, v]) => [
    ...[parameter, gradient, m, v, small.ones, small.ones],
  ]),
  row(
    "cross-entropy",
    library.softmaxCrossEntropy,
    crossEntropy,
    { updates: 1, count: crossEntropy.rows * vocabulary },
    (small, [logits]) => [...[logits, small.positions, small.ones, small.sums]],
  ),
];

function row(name, definition, constants, { count, ...mix }, args = (_, arrays) => arrays) {
  return { name, definition, constants, mix: { reads: 0, writes: 0, updates: 0, ...mix }, count, args };
}

export async function run() {
  const wanted = process.env.CRIA_OPS?.split(",");
  for (const threads of new Set([1, defaultThreads()])) {
    const executor = await openExecutor({ threads });
    console.log(executor.name);
    const small = openSmall(executor);
    for (const op of ops) if (!wanted || wanted.includes(op.name)) await measure(executor, op, small);
    await executor.dispose();
  }
}

async function measure(executor, { name, definition, constants, mix, count, args }, small) {
  const sizes = { count, ...mix };
  const number = mix.reads + mix.writes + mix.updates;
  const [own, others] = [0, 1].map(() => Array.from({ length: number }, () => allocateRandom(executor, count)));
  const bytes = library.streamBytes(sizes);
  const op = await openKernel(executor, definition, constants, args(small, own), bytes);
  const stream = await openKernel(executor, library.stream, sizes, others, bytes);
  const times = await interleave({ op: op.run, stream: stream.run }, { rounds: 15, warmUps: 1, seconds: 0.05 });
  const [ours, limit] = [times.op, times.stream].map((seconds) => bytes / seconds / 1e9);
  console.log(
    `  ${name.padEnd(18)} ${`${mix.reads + mix.updates} read, ${mix.writes + mix.updates} written`.padEnd(19)} ${ours.toFixed(1).padStart(6)} GB/s, ${((100 * ours) / limit).toFixed(0).padStart(3)} % of ${limit.toFixed(1)}`,
  );
  for (const opened of [op, stream]) opened.dispose();
  for (const address of [...own, ...others]) executor.free(address);
}

/** What is small beside the arrays, and shared by all ops. */
function openSmall(executor) {
  const place = (values) => {
    const address = executor.allocate(values.byteLength);
    executor.write(address, values);
    return address;
  };
  return {
    ones: place(new Float32Array(channels).fill(1)),
    positions: place(Int32Array.from({ length: rowsOf(1) }, (_, i) => i % 2048)),
    turns: Object.fromEntries(["half", "neighbours"].map((p) => [p, place(ropeTurns(frequencies, p))])),
    sums: executor.allocate(4 * Math.max(crossEntropy.rows, library.normGradientUnits(norm(3).rows) * channels)),
  };
}

const pattern = Float32Array.from({ length: 2 ** 20 }, () => Math.random() - 0.5);

function allocateRandom(executor, count) {
  const address = allocateWritten(executor, 4 * count);
  for (let at = 0; at < count; at += pattern.length)
    executor.write(address + 4 * at, pattern.subarray(0, Math.min(pattern.length, count - at)));
  return address;
}
