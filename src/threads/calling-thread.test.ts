import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { assemble, assembleUnshared, busy, count, forever, nothing, shift, trapAt } from "./kernels.test.util.ts";
import { openWasmEngine } from "./wasm-engine.ts";

test("the memory is no shared one, and the thread is one", async () => {
  await using engine = await openWasmEngine();
  expect(engine.threads).toBe(1);
  expect(engine.memory.buffer).toBeInstanceOf(ArrayBuffer);
  await expect(openWasmEngine({ threads: 2 })).rejects.toThrow("[cpu] threads is 2, but nothing starts threads here");
});

test("programs compute what they would one unit after the other, over slices and growing memory", async () => {
  await using engine = await openWasmEngine();
  const ints = (address: number) => new Int32Array(engine.memory.buffer, address, n);
  const rng = new Rng(7);
  const n = 40;
  const [a, b] = [engine.allocate(4 * n), engine.allocate(4 * n)];
  const state = [a, b].map((address) => {
    const values = Int32Array.from({ length: n }, () => rng.below(1000));
    ints(address).set(values);
    return values;
  }) as [Int32Array, Int32Array];
  const programs = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const phases = Array.from({ length: 1 + rng.below(500) }, () => ({ units: rng.below(n + 1), grain: 1 + rng.below(n) }));
      const calls = phases.map((phase, i) => [{ ...phase, kernel: 0, args: i % 2 === 0 ? [a, b, n] : [b, a, n] }]);
      return { phases, id: await engine.load(assembleUnshared(shift), calls) };
    }),
  );
  for (let round = 0; round < 200; round++) {
    const { phases, id } = programs[rng.below(programs.length)]!;
    await engine.run(id);
    if (round % 50 === 0) engine.allocate(2 ** 21);
    for (const [i, { units }] of phases.entries()) {
      const [to, from] = i % 2 === 0 ? state : [state[1], state[0]];
      for (let u = 0; u < units; u++) to[u] = from[(u + 1) % n]! + 1;
    }
  }
  expect([a, b].map((address) => [...ints(address)])).toEqual(state.map((values) => [...values]));
});

test("the event loop lives within a long run, and between short ones", async () => {
  await using engine = await openWasmEngine();
  const call = (units: number) => [[{ kernel: 0, args: [2_000_000], units, grain: 1 }]];
  const long = await engine.load(assembleUnshared(busy), call(200));
  const short = await engine.load(assembleUnshared(busy), call(1));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await engine.run(long);
  const inOne = turns;
  for (let i = 0; i < 200; i++) await engine.run(short);
  clearInterval(timer);
  // A run that does not give way has the timer wait to its end.
  expect(inOne).toBeGreaterThan(2);
  expect(turns - inOne).toBeGreaterThan(2);
});

test("a run that is asked for it says where its time went, without that of others between slices", async () => {
  await using engine = await openWasmEngine();
  const call = { kernel: 1, args: [2_000_000], units: 20, grain: 1 };
  const program = await engine.load(assembleUnshared(nothing, busy), [[call], [{ ...call, kernel: 0, args: [] }]]);
  const heard: (readonly number[])[] = [];
  const start = performance.now();
  await engine.run(program, (times) => heard.push(times));
  expect(heard).toEqual([[expect.any(Number), expect.any(Number)]]);
  const [quick = -1, slow = -1] = heard[0] ?? [];
  expect(quick).toBeGreaterThanOrEqual(0);
  expect(slow).toBeGreaterThan(quick);
  expect(quick + slow).toBeLessThanOrEqual(performance.now() - start);
});

test("a kernel that traps ends its run, and the engine goes on", async () => {
  await using engine = await openWasmEngine();
  const counts = engine.allocate(4 * 10);
  const counting = { kernel: 0, args: [counts], units: 10, grain: 3 };
  const bad = await engine.load(assembleUnshared(count, trapAt), [[counting], [{ kernel: 1, args: [4], units: 9, grain: 1 }], [counting]]);
  await expect(engine.run(bad)).rejects.toThrow("kernel 1 trapped in phase 1, units 4 to 5 (RuntimeError: unreachable)");
  await engine.run(await engine.load(assembleUnshared(count), [[counting]]));
  expect([...new Int32Array(engine.memory.buffer, counts, 10)]).toEqual(Array(10).fill(2));
});

test("dispose ends a run at its next slice, and everything after it throws", async () => {
  const engine = await openWasmEngine();
  const program = await engine.load(assembleUnshared(busy, forever), [[{ kernel: 0, args: [2_000_000], units: 1e6, grain: 1 }]]);
  const run = engine.run(program).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await engine.dispose();
  expect(await run).toBeInstanceOf(CriaError);
  expect(String(await run)).toMatch("[cpu] the engine was disposed of");
  expect(() => engine.allocate(1)).toThrow("disposed");
});

test("a program for shared memory is refused", async () => {
  await using engine = await openWasmEngine();
  const loading = engine.load(assemble(count), [[{ kernel: 0, args: [64], units: 1, grain: 1 }]]);
  await expect(loading).rejects.toThrow(/\[cpu\] a program cannot be loaded: .*shared/);
});
