import { afterEach, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { nodeThreads } from "../host/index.ts";
import {
  assemble,
  busy,
  count,
  forever,
  manyArguments,
  nothing,
  peek,
  shift,
  showChunk,
  showScratch,
  trapAt,
} from "./kernels.test.util.ts";
import type { Phase } from "./program.ts";
import { openWasmEngine, type WasmEngine, type WasmEngineOptions } from "./wasm-engine.ts";

const opened: WasmEngine[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.dispose()));
});

async function open(options: Omit<WasmEngineOptions, "host">): Promise<WasmEngine> {
  const engine = await openWasmEngine({ host: nodeThreads, ...options });
  opened.push(engine);
  return engine;
}

const ints = (engine: WasmEngine, address: number, length: number): Int32Array => new Int32Array(engine.memory.buffer, address, length);
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test.each([1, 2, 3, 4])("%i threads do every unit exactly once", async (threads) => {
  const engine = await open({ threads });
  const cases = [1, 2, 3, 5, 7, 64, 101, 1000].flatMap((units) =>
    [1, 2, 3, 7, 64, 2000].flatMap((grain) => [
      { units, grain },
      { units, grain, sharers: 1 + (grain % 5) },
    ]),
  );
  const buffers = cases.map(({ units }) => engine.allocate(4 * (units + 1)));
  const steps = cases.map((shape, i) => ({ kernel: 0, args: [buffers[i]!], ...shape }));
  // Once as one phase of many calls, once as many phases.
  const program = await engine.load(assemble(count), [steps, ...steps.map((step) => [step])]);
  for (let run = 0; run < 20; run++) await engine.run(program);
  for (const [i, { units }] of cases.entries()) {
    const got = ints(engine, buffers[i]!, units + 1);
    expect([...got.subarray(0, units)]).toEqual(Array(units).fill(40));
    expect(got[units]).toBe(0);
  }
});

test.each([1, 2, 3])("%i threads do the units of live rows and no others, whatever the counts of a run", async (threads) => {
  const engine = await open({ threads });
  const rng = new Rng(threads);
  const [counts, most] = [engine.allocate(8), 60];
  const cases = Array.from({ length: 40 }, (_, i) => ({
    ...{ kernel: 0, units: 1 + rng.below(most), grain: 1 + rng.below(9), args: [engine.allocate(4 * most)] },
    ...(rng.below(2) === 0 && { sharers: 1 + rng.below(4) }),
    live: i % 3 === 0 ? undefined : { count: counts + 4 * (i % 2), rows: 1 + rng.below(4), units: rng.below(7) },
  }));
  const phases = cases.map(({ live, ...step }) => [{ ...step, ...(live && { live }) }]);
  const program = await engine.load(assemble(count), [...phases, phases.flat()]);
  const wanted = cases.map(() => Array<number>(most).fill(0));
  for (let run = 0; run < 40; run++) {
    const live = [rng.below(20), rng.below(20) - 2].map((n) => (run % 4 === 0 ? 1 : n));
    ints(engine, counts, 2).set(live);
    await engine.run(program);
    for (const [i, step] of cases.entries()) {
      const rows = live[((step.live?.count ?? counts) - counts) / 4]!;
      const units = step.live ? Math.min(step.units, step.live.units * Math.ceil(Math.max(0, rows) / step.live.rows)) : step.units;
      for (let unit = 0; unit < units; unit++) wanted[i]![unit]! += 2;
    }
  }
  expect(cases.map(({ args }) => [...ints(engine, args[0]!, most)])).toEqual(wanted);
});

test.each([1, 3])("%i threads say where their time went, where a run is asked for it", async (threads) => {
  const engine = await open({ threads });
  const phases = Array.from({ length: 20 }, () => [
    { kernel: 2, args: [200_000], units: 12, grain: 1 },
    { kernel: 0, args: [], units: 1, grain: 1 },
  ]);
  const program = await engine.load(assemble(nothing, nothing, busy), [...phases, ...phases]);
  const heard: (readonly number[])[] = [];
  const start = performance.now();
  await engine.run(program, (times) => heard.push(times));
  const wall = performance.now() - start;
  expect(heard.map((times) => times.length)).toEqual(Array(threads).fill(3));
  for (const [quick = -1, never, slow = -1] of heard) {
    expect(never).toBe(0);
    expect(Math.min(quick, slow)).toBeGreaterThanOrEqual(0);
    expect(quick + slow).toBeLessThanOrEqual(wall);
  }
  const sum = (kernel: number) => heard.reduce((total, times) => total + (times[kernel] ?? 0), 0);
  expect(sum(2)).toBeGreaterThan(sum(0));
  await engine.run(program);
  expect(heard).toHaveLength(threads);
});

test.each([1, 2])("no call of %i threads does more than a grain", async (threads) => {
  const engine = await open({ threads });
  const to = engine.allocate(4 * 11);
  await engine.run(await engine.load(assemble(showChunk), [[{ kernel: 0, args: [to, 0], units: 11, grain: 4 }]]));
  expect([...ints(engine, to, 11)]).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3]);
});

test("chunks that threads share fall in size, and their last ones have the grain", async () => {
  const engine = await open({ threads: 2 });
  const to = engine.allocate(4 * 30);
  const load = (sharers: number) => engine.load(assemble(showChunk), [[{ kernel: 0, args: [to, 0], units: 30, grain: 2, sharers }]]);
  await engine.run(await load(2));
  const chunks = [8, 8, 4, 4, 2, 2, 2];
  expect([...ints(engine, to, 30)]).toEqual(chunks.flatMap((size) => Array(size).fill(size)));
  await expect(load(0)).rejects.toThrow("has 0 sharers");
});

test.each([
  [1, 1000],
  [2, 10_000],
  [4, 500],
])("%i threads see what others wrote in the phase before, %i times over", async (threads, replays) => {
  const engine = await open({ threads });
  const n = 13;
  const phases = 6;
  const a = engine.allocate(4 * n);
  const b = engine.allocate(4 * n);
  const shiftTo = (to: number, from: number): Phase => [{ kernel: 0, args: [to, from, n], units: n, grain: 2 }];
  const program = await engine.load(
    assemble(shift),
    Array.from({ length: phases }, (_, p) => (p % 2 === 0 ? shiftTo(b, a) : shiftTo(a, b))),
  );
  for (let i = 0; i < n; i++) ints(engine, a, n)[i] = 100 * i;
  const runs = Array.from({ length: replays }, () => engine.run(program));
  await Promise.all(runs);
  const steps = replays * phases;
  expect([...ints(engine, a, n)]).toEqual(Array.from({ length: n }, (_, i) => 100 * ((i + steps) % n) + steps));
});

// What a thread did out of order, twice or not at all shows in the numbers, because every phase reads what others wrote in those before.
test.each([1, 2, 3, 8])("programs at random on %i threads compute what they would one unit after the other", async (threads) => {
  const engine = await open({ threads });
  const rng = new Rng(threads);
  const n = 40;
  const buffers = Array.from({ length: 6 }, () => engine.allocate(4 * n));
  const state = buffers.map((address) => {
    const values = Int32Array.from({ length: n }, () => rng.below(1000));
    ints(engine, address, n).set(values);
    return values;
  });
  for (let i = 0; i < 60; i++) {
    const phases = randomPhases(rng, buffers.length, n);
    const program = await engine.load(
      assemble(shift),
      phases.map((steps) => steps.map(({ to, from, ...rest }) => ({ ...rest, kernel: 0, args: [buffers[to]!, buffers[from]!, n] }))),
    );
    const runs = 1 + rng.below(4);
    for (let run = 0; run < runs; run++)
      for (const steps of phases)
        for (const { to, from, units } of steps) for (let u = 0; u < units; u++) state[to]![u] = state[from]![(u + 1) % n]! + 1;
    await Promise.all(Array.from({ length: runs }, () => engine.run(program)));
    engine.unload(program);
    expect(buffers.map((address) => [...ints(engine, address, n)])).toEqual(state.map((values) => [...values]));
  }
});

/** Phases whose calls write different buffers, and read those that nobody writes in the phase. */
function randomPhases(rng: Rng, buffers: number, n: number) {
  return Array.from({ length: 1 + rng.below(60) }, () => {
    const written = 1 + rng.below(buffers - 1);
    const start = rng.below(buffers);
    return Array.from({ length: written }, (_, i) => ({
      to: (start + i) % buffers,
      from: (start + written + rng.below(buffers - written)) % buffers,
      units: rng.below(n + 1),
      grain: 1 + rng.below(rng.below(2) === 0 ? 3 : n),
      ...(rng.below(2) === 0 && { sharers: 1 + rng.below(4) }),
    }));
  });
}

test("a call passes every argument on, however many there are", async () => {
  const engine = await open({ threads: 1 });
  const arities = Array.from({ length: 16 }, (_, n) => n + 1);
  const buffers = arities.map((n) => engine.allocate(4 * (n + 3)));
  const steps = arities.map((n, kernel) => {
    const args = [buffers[kernel]!, ...Array.from({ length: n - 1 }, (_, j) => -1 - j)];
    return { kernel, args, units: 7, grain: 9 };
  });
  await engine.run(await engine.load(assemble(...arities.map(manyArguments)), [steps]));
  for (const [i, n] of arities.entries()) expect([...ints(engine, buffers[i]!, n + 3)]).toEqual([...steps[i]!.args, 0, 0, 7]);
});

test("runs queue, and end in the order in which they were asked for", async () => {
  const engine = await open({ threads: 2 });
  const slow = await engine.load(assemble(busy), [[{ kernel: 0, args: [2_000_000], units: 4, grain: 1 }]]);
  const fast = await engine.load(assemble(nothing), [[{ kernel: 0, args: [], units: 1, grain: 1 }]]);
  const ended: string[] = [];
  const note = (name: string) => () => void ended.push(name);
  await Promise.all([engine.run(slow).then(note("slow")), engine.run(fast).then(note("fast")), engine.run(slow).then(note("slow again"))]);
  expect(ended).toEqual(["slow", "fast", "slow again"]);
});

test("a program without work runs", async () => {
  const engine = await open({ threads: 2 });
  await engine.run(await engine.load(assemble(nothing), []));
  await engine.run(await engine.load(assemble(nothing), [[], [{ kernel: 0, args: [], units: 0, grain: 1 }], []]));
});

test("memory grows under loaded programs, and addresses stay", async () => {
  const engine = await open({ threads: 2 });
  const first = engine.allocate(400);
  const program = await engine.load(assemble(count), [[{ kernel: 0, args: [first], units: 100, grain: 3 }]]);
  await engine.run(program);
  const before = engine.memory.buffer.byteLength;
  const far = engine.allocate(50e6);
  expect(engine.memory.buffer.byteLength).toBeGreaterThan(before);
  const length = 12_500_000;
  const tail = await engine.load(assemble(count), [[{ kernel: 0, args: [far + 4 * (length - 10)], units: 10, grain: 1 }]]);
  await Promise.all([engine.run(program), engine.run(tail)]);
  expect([...ints(engine, first, 100)]).toEqual(Array(100).fill(2));
  expect([...ints(engine, far + 4 * (length - 11), 11)]).toEqual([0, ...Array(10).fill(1)]);
});

test("every thread has its own scratch, which grows from the next run on", async () => {
  const engine = await open({ threads: 2 });
  const to = engine.allocate(4 * 1000);
  const program = await engine.load(assemble(showScratch, busy), [
    [{ kernel: 0, args: [to], units: 1000, grain: 1 }],
    [{ kernel: 1, args: [100_000], units: 20, grain: 1 }],
  ]);
  engine.reserveScratch(1000);
  const running = engine.run(program);
  await Promise.resolve();
  engine.reserveScratch(100_000); // while the run is under way
  await running;
  const small = new Set(ints(engine, to, 1000));
  await engine.run(program);
  const large = new Set(ints(engine, to, 1000));
  for (const addresses of [small, large]) {
    expect(addresses.size).toBeLessThanOrEqual(2);
    for (const address of addresses) expect(address % 64).toBe(0);
  }
  expect([...large].filter((address) => small.has(address))).toEqual([]);
  if (large.size === 2) expect(Math.max(...large) - Math.min(...large)).toBeGreaterThanOrEqual(100_000);
});

test("allocations are zeroed, also where a block is used again, and never at address 0", async () => {
  const engine = await open({ threads: 1 });
  const first = engine.allocate(100);
  expect(first).toBeGreaterThan(0);
  ints(engine, first, 25).fill(7);
  engine.free(first);
  const again = engine.allocate(100);
  expect(again).toBe(first);
  expect([...ints(engine, again, 25)]).toEqual(Array(25).fill(0));
});

test("an allocation beyond the maximum says both sizes, and leaves the engine as it was", async () => {
  const engine = await open({ threads: 1, maximumBytes: 4 * 65536 });
  engine.allocate(100_000);
  expect(() => engine.allocate(1_000_000)).toThrow(/\[cpu\] a buffer of 1\.0 MB .* needs 1\.1 MB, but .* may grow to 0\.3 MB: free/);
  expect(() => engine.reserveScratch(1_000_000)).toThrow(/may grow to 0\.3 MB/);
  engine.allocate(100_000);
  expect(() => engine.allocate(-1)).toThrow(CriaError);
  expect(() => engine.allocate(Number.NaN)).toThrow(CriaError);
  expect(() => engine.free(12)).toThrow("[cpu] cannot free address 12");
});

test.each([1, 2, 3])("a trap on one of %i threads rejects the run, and the engine goes on", async (threads) => {
  const engine = await open({ threads });
  const counts = engine.allocate(4 * 50);
  const counting = { kernel: 0, args: [counts], units: 50, grain: 1 };
  const good = await engine.load(assemble(count), [[counting], [counting]]);
  for (let at = 0; at < 20; at++) {
    const trapping = { kernel: 1, args: [at], units: 20, grain: 1 };
    const bad = await engine.load(assemble(count, trapAt), [[counting], [counting, trapping], [counting], [counting]]);
    const error = await errorOf(engine.run(bad));
    expect(error).toBeInstanceOf(CriaError);
    expect(String(error)).toMatch(`kernel 1 trapped in phase 1, units ${at} to ${at + 1} (RuntimeError: unreachable)`);
    engine.unload(bad);
    ints(engine, counts, 50).fill(0);
    await engine.run(good);
    expect([...ints(engine, counts, 50)]).toEqual(Array(50).fill(2));
  }
});

test("a program that trapped runs right the next time", async () => {
  const engine = await open({ threads: 2 });
  const far = 3e9;
  const counts = engine.allocate(4 * 9);
  const program = await engine.load(assemble(peek, count), [
    [
      { kernel: 1, args: [counts], units: 9, grain: 1 },
      { kernel: 0, args: [far], units: 5, grain: 1 },
    ],
  ]);
  expect(String(await errorOf(engine.run(program)))).toMatch(/memory access out of bounds/);
  engine.allocate(3.1e9); // now the address exists
  ints(engine, counts, 9).fill(0);
  await engine.run(program);
  expect([...ints(engine, counts, 9)]).toEqual(Array(9).fill(1));
});

test("a program that does not fit its module is refused", async () => {
  const engine = await open({ threads: 2 });
  const step = { kernel: 0, args: [64], units: 1, grain: 1 };
  const load = (change: object, module = assemble(count)) => engine.load(module, [[{ ...step, ...change }]]);
  await expect(load({ kernel: 1 })).rejects.toThrow("[cpu] call 0 of phase 0 names kernel 1 of a program that has 1");
  await expect(load({ args: [] })).rejects.toThrow("kernel 0 takes 4 arguments, but a call gives it 0 arguments and the engine's 3");
  await expect(load({ args: [1.5] })).rejects.toThrow("argument 0 of call 0 of phase 0 is 1.5");
  await expect(load({ args: [2 ** 32] })).rejects.toThrow("32-bit");
  await expect(load({ units: -1 })).rejects.toThrow("has -1 units");
  await expect(load({ live: { count: 64, rows: 0, units: 1 } })).rejects.toThrow("has 1 units per 0 live rows");
  const longest = { units: 2 ** 29, grain: 1, live: { count: 64, rows: 1, units: 1 } };
  await expect(load(longest)).rejects.toThrow("a program of 1073741824 chunks is longer than 1073741823");
  await expect(load({ live: { count: 0.5, rows: 1, units: 1 } })).rejects.toThrow("the count of call 0 of phase 0 is at 0.5");
  await expect(load({ grain: 0 })).rejects.toThrow("has a grain of 0");
  await expect(load({}, Uint8Array.of(1, 2, 3))).rejects.toThrow("[cpu] a program's module is not valid WebAssembly");
  const wantsMore = Uint8Array.from(assemble(count));
  wantsMore[wantsMore.indexOf(0x6d, 8)] = 0x6e; // imports "e"."n"
  await expect(load({}, wantsMore)).rejects.toThrow(/\[cpu\] a program cannot be loaded: .*import/i);
  await expect(engine.run(99)).rejects.toThrow("[cpu] cannot run program 99");
  await engine.run(await load({ args: [engine.allocate(64)] }));
});

test("an unloaded program no longer runs", async () => {
  const engine = await open({ threads: 1 });
  const program = await engine.load(assemble(nothing), [[{ kernel: 0, args: [], units: 1, grain: 1 }]]);
  await engine.run(program);
  engine.unload(program);
  await expect(engine.run(program)).rejects.toThrow(`[cpu] cannot run program ${program}`);
  expect(() => engine.unload(program)).toThrow(CriaError);
});

test("dispose ends a run that would never end, and everything after it throws", async () => {
  const engine = await open({ threads: 2 });
  const program = await engine.load(assemble(forever), [
    [{ kernel: 0, args: [], units: 1, grain: 1 }],
    [{ kernel: 0, args: [], units: 1, grain: 1 }],
  ]);
  const runs = [errorOf(engine.run(program)), errorOf(engine.run(program))];
  await new Promise((resolve) => setTimeout(resolve, 20));
  await engine.dispose();
  for (const error of await Promise.all(runs)) expect(String(error)).toMatch("[cpu] the engine was disposed of");
  expect(() => engine.allocate(1)).toThrow("disposed");
  expect(() => engine.memory).toThrow("disposed");
  await expect(engine.run(program)).rejects.toThrow("disposed");
  await expect(engine.load(assemble(nothing), [])).rejects.toThrow(CriaError);
  await engine.dispose();
});

test("options out of range are refused", async () => {
  await expect(openWasmEngine({ host: nodeThreads, threads: 0 })).rejects.toThrow(
    "[cpu] threads is 0, but an engine has from 1 to 64 threads",
  );
  await expect(openWasmEngine({ host: nodeThreads, threads: 1.5 })).rejects.toThrow(CriaError);
  await expect(openWasmEngine({ host: nodeThreads, maximumBytes: 100 })).rejects.toThrow("[cpu] maximumBytes is 100");
  await expect(openWasmEngine({ host: nodeThreads, maximumBytes: 2 ** 33 })).rejects.toThrow(CriaError);
});
