// Quantised weights in panels times rows of bytes: one row against the bandwidth of a pass over memory, many rows against what their type's register
// tile reaches over one block in the cache, both measured in the same run. On the best target of this machine, or CRIA_TARGET, on one thread and on all.
// `node bench/quantised.mjs [TYPE]...`
import { fileURLToPath } from "node:url";
import { allocateWritten, openKernel } from "../dist/backend/cpu/index.js";
import { bytesOf, isQuantised, weightDTypes } from "../dist/base/index.js";
import { defaultThreads, openExecutor } from "../dist/host/index.js";
import {
  packedQuantisedBytes,
  packQuantised,
  quantisedLinesBytes,
  quantisedMatmul,
  quantisedPeak,
  quantisedPeakBytes,
  quantisedPeakOperations,
  sumOfSquares,
  sumOfSquaresUnits,
} from "../dist/kernel/index.js";
import { interleave } from "./measure.mjs";

/** A layer's matrix many times over: beyond the caches even at 4 bits. */
const one = { m: 1, n: 32768, k: 4096 };
const many = { m: 512, n: 2048, k: 2048 };
const readBytes = 2 ** 27;

export async function run(args = []) {
  const types = args.length > 0 ? args : weightDTypes.filter(isQuantised);
  for (const threads of new Set([1, defaultThreads()])) {
    const executor = await openExecutor({ threads });
    console.log(`${executor.target.name}, ${threads} thread${threads > 1 ? "s" : ""}`);
    await oneRow(executor, types);
    await manyRows(executor, types);
    await executor.dispose();
  }
}

/** Contestants: name → [kernel, constants, bytes of each argument, work of a run]. @returns name → work per second. */
async function rates(executor, contestants) {
  const memory = [];
  const opened = {};
  for (const [name, [kernel, constants, sizes, work]] of Object.entries(contestants)) {
    const addresses = sizes.map((bytes) => allocateWritten(executor, bytes));
    memory.push(...addresses);
    opened[name] = await openKernel(executor, kernel, constants, addresses, work);
  }
  const times = await interleave(Object.fromEntries(Object.entries(opened).map(([name, { run }]) => [name, run])), {
    rounds: 7,
    seconds: 0.05,
  });
  const result = Object.fromEntries(Object.entries(opened).map(([name, { work }]) => [name, work / times[name]]));
  for (const { dispose } of Object.values(opened)) dispose();
  for (const address of memory) executor.free(address);
  return result;
}

async function oneRow(executor, types) {
  const read = [sumOfSquares, { count: readBytes / 4 }, [readBytes, sumOfSquaresUnits(readBytes / 4) * 4], readBytes];
  for (const type of types) {
    const sizes = { type, ...one };
    const bytes = packedQuantisedBytes(executor.target, sizes);
    const rows = quantisedLinesBytes(executor.target, sizes);
    const found = await rates(executor, { read, [type]: [quantisedMatmul, sizes, [rows, bytes, one.n * 4], bytes] });
    print(`${type} one row`, found[type], "GB/s", found.read, "the bandwidth");
  }
}

async function manyRows(executor, types) {
  const { target, threads } = executor;
  for (const type of types) {
    const sizes = { type, ...many };
    const peakSizes = { type, units: 64 * threads, repeats: 10_000 };
    const { weights, lines } = quantisedPeakBytes(target, type);
    const peak = [quantisedPeak, peakSizes, [weights, lines, peakSizes.units * 4], quantisedPeakOperations(target, peakSizes)];
    const packed = packedQuantisedBytes(target, sizes);
    const product = [
      quantisedMatmul,
      sizes,
      [quantisedLinesBytes(target, sizes), packed, many.m * many.n * 4],
      2 * many.m * many.n * many.k,
    ];
    const file = bytesOf(type, [many.n, many.k]);
    const packing = [packQuantised, sizes, [file, packed], file];
    const found = await rates(executor, { peak, product, packing });
    print(`${type} ${many.m} rows`, found.product, "Gop/s", found.peak, "its tile's peak");
    console.log(`  ${(found.packing / 1e9).toFixed(2).padStart(7)} GB/s of the file  ${type} packing`);
  }
}

function print(name, rate, unit, best, bestName) {
  console.log(
    `  ${(rate / 1e9).toFixed(1).padStart(7)} ${unit}  ${((100 * rate) / best).toFixed(0).padStart(3)} % of ${bestName}  ${name}`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
