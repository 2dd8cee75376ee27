import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { Phase } from "../threads/index.ts";
import { count, manyArguments, nothing, shift, shifted } from "./machine-code.test.helper.ts";
import { type Native, openNative, type Pages } from "./native.ts";
import { type NativeEngine, openNativeEngine } from "./native-engine.ts";

const { native } = await openNative();
const here = test.skipIf(native === undefined);

const opened: NativeEngine[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.dispose()));
});

async function open(options: Parameters<typeof openNativeEngine>[1]): Promise<NativeEngine> {
  const engine = await openNativeEngine(native!, options);
  opened.push(engine);
  return engine;
}

function ints(engine: NativeEngine, address: number, length: number): number[] {
  const values = new Int32Array(length);
  engine.memory.read(address, values);
  return [...values];
}

here.each([1, 2, 3])("%i threads do every unit exactly once", async (threads) => {
  const engine = await open({ threads });
  const cases = [1, 2, 7, 101].flatMap((units) => [1, 3, 64].map((grain) => ({ units, grain })));
  const buffers = cases.map(({ units }) => engine.allocate(4 * (units + 1)));
  const steps = cases.map(({ units, grain }, i) => ({ kernel: 0, args: [buffers[i]!], units, grain }));
  const program = await engine.load([count], [steps, ...steps.map((step) => [step])]);
  for (let run = 0; run < 10; run++) await engine.run(program);
  for (const [i, { units }] of cases.entries()) expect(ints(engine, buffers[i]!, units + 1)).toEqual([...Array(units).fill(20), 0]);
});

here.each([1, 2, 3])("%i threads see what others wrote in the phase before", async (threads) => {
  const engine = await open({ threads });
  const [a, b] = [engine.allocate(4 * shifted), engine.allocate(4 * shifted)];
  engine.memory.write(
    a,
    Int32Array.from({ length: shifted }, (_, i) => 100 * i),
  );
  const shiftTo = (to: number, from: number): Phase => [{ kernel: 1, args: [to, from], units: shifted, grain: 2 }];
  const phases = Array.from({ length: 1000 }, (_, p) => (p % 2 === 0 ? shiftTo(b, a) : shiftTo(a, b)));
  const program = await engine.load([nothing, shift], phases);
  await engine.run(program);
  await engine.run(program);
  const expected = Array.from({ length: shifted }, (_, i) => 100 * ((i + 2000) % shifted) + 2000);
  expect(ints(engine, a, shifted)).toEqual(expected);
});

here("every argument arrives, by register or by stack, and scratch is the engine's", async () => {
  const engine = await open({ threads: 1 });
  engine.reserveScratch(64);
  for (let n = 6; n <= 15; n++) {
    const to = engine.allocate(8 * n);
    const args = Array.from({ length: n - 3 }, (_, i) => to + i);
    await engine.run(await engine.load([manyArguments(n)], [[{ kernel: 0, args, units: 5, grain: 9 }]]));
    const got = new BigInt64Array(n - 1);
    engine.memory.read(to, got);
    const [scratch, begin, end] = got.slice(n - 4);
    expect([...got.slice(0, n - 4)].map(Number)).toEqual(args.slice(1));
    expect([begin, end]).toEqual([0n, 5n]);
    expect(engine.memory.isArgument(Number(scratch))).toBe(true);
  }
});

here("memory reaches past 4 GiB, zeroed, also where it is used again", async () => {
  const engine = await open({ threads: 1, maximumBytes: 6e9 });
  const first = engine.allocate(4.5e9);
  const far = first + 4.4e9;
  await engine.run(await engine.load([count], [[{ kernel: 0, args: [far], units: 3, grain: 9 }]]));
  expect(ints(engine, far, 4)).toEqual([1, 1, 1, 0]);
  expect(() => engine.allocate(3e9)).toThrow(/a buffer of 3000\.0 MB beside 4500\.0 MB in use needs .*: free other buffers/);
  const small = engine.allocate(1000);
  engine.memory.write(small, new Int32Array(250).fill(7));
  engine.free(small);
  expect(ints(engine, engine.allocate(1000), 250)).toEqual(Array(250).fill(0));
});

here("a program that does not fit its kernels or the memory is refused before anything runs", async () => {
  const engine = await open({ threads: 2 });
  const address = engine.allocate(64);
  const load = (change: object) => engine.load([count], [[{ kernel: 0, args: [address], units: 1, grain: 1, ...change }]]);
  await expect(load({ kernel: 1 })).rejects.toThrow("names kernel 1 of a program that has 1");
  await expect(load({ args: [] })).rejects.toThrow("kernel 0 takes 4 arguments, but a call gives it 0 arguments and the engine's 3");
  for (const bad of [0, 12, -1, Number.NaN, address + 0.5, engine.memory.end])
    await expect(load({ args: [bad] })).rejects.toThrow(`argument 0 of call 0 of phase 0 is ${bad}, but it must be an address`);
  await engine.run(await load({}));
});

/** The same, and what it has mapped and not yet given back. */
function recording(inner: Native): { native: Native; code: Set<Pages>; data: Set<Pages> } {
  const [code, data] = [new Set<Pages>(), new Set<Pages>()];
  const note = (to: Set<Pages>, pages: Pages) => {
    to.add(pages);
    return pages;
  };
  const native: Native = {
    convention: inner.convention,
    reserve: (bytes) => note(data, inner.reserve(bytes)),
    commit: (pages) => inner.commit(pages),
    mapCode: (bytes) => note(code, inner.mapCode(bytes)),
    unmap: (pages) => {
      expect(code.delete(pages) || data.delete(pages)).toBe(true);
      inner.unmap(pages);
    },
    read: (address, into) => inner.read(address, into),
    write: (address, from) => inner.write(address, from),
    clear: (address, bytes) => inner.clear(address, bytes),
    callable: (address, params) => inner.callable(address, params),
    callableForNumber: (address, params) => inner.callableForNumber(address, params),
  };
  return { native, code, data };
}

here("programs share the code of a kernel, unloading one leaves the other, and dispose gives everything back", async () => {
  const { native: recorded, code, data } = recording(native!);
  const engine = await openNativeEngine(recorded, { threads: 2 });
  const [a, b] = [engine.allocate(64), engine.allocate(64)];
  const load = (address: number) => engine.load([count], [[{ kernel: 0, args: [address], units: 16, grain: 1 }]]);
  const [first, second] = [await load(a), await load(b)];
  expect(code.size).toBe(1);
  expect(data.size).toBe(1);
  engine.unload(first);
  await engine.run(second);
  expect([ints(engine, a, 1), ints(engine, b, 1)]).toEqual([[0], [1]]);
  await expect(engine.run(first)).rejects.toThrow("not loaded");
  await engine.dispose();
  expect([...code, ...data]).toEqual([]);
  expect(() => engine.memory).toThrow("disposed");
  await engine.dispose();
});

// Linux alone says how many threads a process has.
test.skipIf(native === undefined || !existsSync("/proc/self/task"))(
  "ten engines, opened and disposed of, leave no thread and no memory",
  async () => {
    const round = async () => {
      const engine = await openNativeEngine(native!, { threads: 2 });
      const bytes = 24e6;
      const address = engine.allocate(bytes);
      engine.memory.write(address, new Uint8Array(bytes).fill(1));
      await engine.run(await engine.load([count], [[{ kernel: 0, args: [address], units: 10, grain: 1 }]]));
      await engine.dispose();
    };
    const taken = () => ({ threads: readdirSync("/proc/self/task").length, bytes: process.memoryUsage.rss() });
    for (let i = 0; i < 3; i++) await round();
    const before = taken();
    for (let i = 0; i < 10; i++) await round();
    let after = taken();
    const isGivenBack = () => after.threads <= before.threads && after.bytes - before.bytes < 120e6;
    for (let looks = 0; looks < 100 && !isGivenBack(); looks++, after = taken()) await sleep(50);
    expect(after.threads).toBeLessThanOrEqual(before.threads);
    // Ten leaked buffers would be 240 MB.
    expect(after.bytes - before.bytes).toBeLessThan(120e6);
  },
);
