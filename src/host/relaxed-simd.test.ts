import { afterAll, expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import { openWasmEngine } from "../threads/index.ts";
import { assemble } from "../threads/kernels.test.util.ts";
import { nodeThreads } from "./node-threads.ts";
import { relaxedSimd } from "./relaxed-simd.ts";

const has = relaxedSimd({});
const engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
afterAll(() => engine.dispose());

// (address): the four f32 there become x * x + x.
const get = [0x20, 0];
const square = {
  params: 4,
  body: [...get, ...get, 0xfd, 0, 4, 0, 0x22, 4, 0x20, 4, 0x20, 4, 0xfd, 0x85, 0x02, 0xfd, 11, 4, 0],
  locals: [1, 0x7b],
};

test("says what is so: a module with fused multiply-add loads in every thread, or does not compile", async () => {
  const address = engine.allocate(16);
  new Float32Array(engine.memory.buffer, address, 4).set([0, 1, 2, -3]);
  const loading = engine.load(assemble(square), [[{ kernel: 0, args: [address], units: 1, grain: 1 }]]);
  if (!has) return expect(loading).rejects.toThrow("[cpu] a program's module is not valid WebAssembly here");
  await engine.run(await loading);
  expect([...new Float32Array(engine.memory.buffer, address, 4)]).toEqual([0, 2, 6, 6]);
});

test("CRIA_WASM_FMA turns it off", () => {
  expect(relaxedSimd({ CRIA_WASM_FMA: "0" })).toBe(false);
  expect(relaxedSimd({ CRIA_WASM_FMA: "1" })).toBe(has);
  expect(() => relaxedSimd({ CRIA_WASM_FMA: "yes" })).toThrow(UsageError);
});
