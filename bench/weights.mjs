// What the layout of a weight costs: one row (decoding) and many (prompts) times a matrix of float32, bfloat16 and float16 in panels, all rounded to
// float32, as inference has them. One row is memory's business, so 16 bits should take half the time; many rows should take the same. Quantised
// weights are rounded so where training goes through them (adapters over a frozen base): 64 rows of them, which widen panels on the way.
import { allocateWritten, openKernel } from "../dist/backend/cpu/index.js";
import { isQuantised, weightDTypes } from "../dist/base/index.js";
import { chooseTarget, defaultThreads, openExecutor } from "../dist/host/index.js";
import { matmul, packedBytes, packedQuantisedBytes } from "../dist/kernel/index.js";
import { interleave } from "./measure.mjs";

/** A layer's matrix many times over for one row, beyond the caches; one layer's alone for many rows. */
const shapes = [
  { m: 1, n: 16384, k: 2048 },
  { m: 8, n: 2048, k: 2048 },
  { m: 64, n: 2048, k: 2048 },
  { m: 512, n: 2048, k: 2048 },
];

export async function run() {
  for (const target of new Set([(await chooseTarget()).name, "avx2", "wasm"])) {
    for (const threads of new Set([1, defaultThreads()])) {
      const executor = await openExecutor({ target, threads });
      console.log(`${executor.target.name}, ${threads} thread${threads > 1 ? "s" : ""}`);
      for (const shape of shapes) await compare(executor, shape);
      await executor.dispose();
    }
  }
}

async function compare(executor, { m, n, k }) {
  const types = weightDTypes.filter((type) => m === 64 || !isQuantised(type));
  const opened = {};
  const memory = [];
  for (const type of types) {
    const sizes = { form: "nt", n, k, precision: "float32", type };
    const packed = isQuantised(type) ? packedQuantisedBytes(executor.target, sizes) : packedBytes(executor.target, sizes);
    const addresses = [m * k * 4, packed, m * n * 4].map((bytes) => allocateWritten(executor, bytes));
    memory.push(...addresses);
    opened[type] = await openKernel(executor, matmul, { ...sizes, m }, addresses, 2 * m * n * k);
  }
  const runs = Object.fromEntries(types.map((type) => [type, opened[type].run]));
  const times = await interleave(runs, { rounds: 7, seconds: 0.05 });
  const rows = m === 1 ? "one row" : `${m} rows`;
  for (const type of types) {
    const rate = (opened[type].work / times[type] / 1e9).toFixed(1).padStart(7);
    console.log(`  ${rate} GFLOP/s  ${(times.f32 / times[type]).toFixed(2).padStart(5)} × f32  ${rows} times ${type}`);
  }
  for (const { dispose } of Object.values(opened)) dispose();
  for (const address of memory) executor.free(address);
}
