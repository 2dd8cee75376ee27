import { expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { WasmMemory } from "./wasm-memory.ts";

test("fresh, used and mixed ground is zeroed alike", () => {
  const heap = new Heap(new WasmMemory(64 * 65536));
  const bytesAt = (address: number, bytes: number): Uint8Array => new Uint8Array(heap.memory.buffer, address, bytes);
  const used = heap.allocate(1000);
  bytesAt(used, 1000).fill(9);
  heap.free(used);
  const mixed = heap.allocate(2_000_000); // starts on used ground, and grows the memory
  expect(mixed).toBe(used);
  expect(bytesAt(mixed, 2_000_000).every((byte) => byte === 0)).toBe(true);
});

test("all of the maximum can be used, to the last line", () => {
  const maximum = 3 * 65536;
  const heap = new Heap(new WasmMemory(maximum));
  const address = heap.allocate(maximum - 64);
  expect(address).toBe(64);
  expect(heap.memory.buffer.byteLength).toBe(maximum);
  expect(() => heap.allocate(1)).toThrow("a buffer of 0.0 MB beside 0.2 MB in use needs 0.2 MB");
});

test("a maximum that is no whole number of pages counts down to one", () => {
  const heap = new Heap(new WasmMemory(65536 + 1000));
  heap.allocate(65536 - 64);
  expect(() => heap.allocate(64)).toThrow("may grow to 0.1 MB");
});
