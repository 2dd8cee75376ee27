import { afterEach, expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { nodeThreads } from "../host/index.ts";
import { assemble, count, nothing, type TinyKernel, waitForFlag } from "./kernels.test.util.ts";
import type { Phase } from "./program.ts";
import { createTickets } from "./tickets.ts";
import { WorkerPool } from "./worker-pool.ts";

const runsAtATime = 3;
const pools: WorkerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.terminate("over")));
});

async function start(threads: number): Promise<WorkerPool> {
  const pool = await WorkerPool.start(nodeThreads, { tickets: createTickets(runsAtATime), linker: "wasm" }, threads);
  pools.push(pool);
  return pool;
}

const shared = () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const compile = (...kernels: readonly TinyKernel[]) => new WebAssembly.Module(assemble(...kernels) as Uint8Array<ArrayBuffer>);

test("a thread that dies rejects every open question, frees the others from their waits, and ends the pool", async () => {
  const pool = await start(2);
  const phases: Phase[] = Array(3).fill([{ kernel: 0, args: [], units: 1, grain: 1 }]);
  const code = { module: compile(nothing), memory: shared() };
  await pool.ask(() => ({ type: "load", program: 0, code, phases }));
  // Thread 1 runs a program that it was never given: an exception outside of any kernel, which ends the thread.
  const errors = [0, 1].map((first) =>
    pool
      .ask((thread) => ({ type: "run", program: first + thread, tickets: first, scratch: 0, counts: [] }))
      .catch((error: unknown) => error),
  );
  for (const error of await Promise.all(errors)) {
    expect(error).toBeInstanceOf(CriaError);
    expect(String(error)).toMatch(/\[cpu\] worker thread \d died \(TypeError.*: dispose of the engine and open another/);
  }
  await expect(pool.ask(() => ({ type: "unload", program: 0 }))).rejects.toThrow(/\[cpu\] worker thread \d died/);
  await expect(pool.run(0, [], () => 0)).rejects.toThrow(/\[cpu\] worker thread \d died/);
});

test("a thread that is late holds up neither a phase nor a run, finds nothing left, and comes back", async () => {
  const pool = await start(2);
  const memory = shared();
  const words = new Int32Array(memory.buffer);
  const [flag, entered, counts, phases, units] = [16, 17, 64, 100, 10];
  const code = { module: compile(waitForFlag, count), memory };
  const holding: Phase[] = [[{ kernel: 0, args: [4 * flag], units: 1, grain: 1 }]];
  const counting: Phase[] = Array(phases).fill([{ kernel: 1, args: [4 * counts], units, grain: 1 }]);
  await pool.ask(() => ({ type: "load", program: 0, code, phases: holding }));
  await pool.ask(() => ({ type: "load", program: 1, code, phases: counting }));
  // One of the threads is held in the only chunk of a run that nobody waits for.
  const held = pool.run(0, [], () => 0);
  while (Atomics.load(words, entered) === 0) await new Promise(setImmediate);
  const done = await Promise.all([pool.run(1, [], () => 0), pool.run(1, [], () => 0)]);
  expect(done).toEqual([{ done: true }, { done: true }]);
  expect([...words.subarray(counts, counts + units)]).toEqual(Array(units).fill(2 * phases));
  // All words for runs are taken now, until the late thread has left them.
  const next = pool.run(1, [], () => 0);
  Atomics.store(words, flag, 1);
  expect(await Promise.all([held, next])).toEqual([{ done: true }, { done: true }]);
  expect([...words.subarray(counts, counts + units)]).toEqual(Array(units).fill(3 * phases));
});
