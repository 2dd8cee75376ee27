// Runs one kernel through every way of running it, on buffers between canaries, so that library tests are a few lines each.
import v8 from "node:v8";
import { Rng } from "../base/index.ts";
import { interpret } from "./interpret.ts";
import type { Target } from "./ir.ts";
import { type KernelDefinition, kernel, specialise } from "./language.ts";
import { wasm128, wasmRelaxed } from "./wasm/lower.ts";
import { assembleModule } from "./wasm/module.ts";

/** Targets that nothing compiles for yet, so that kernels prove they know no lane count. */
export const wide8: Target = { name: "lanes8", lanes: 8, fusedMultiplyAdd: true, tile: { rows: 6, vectors: 2, unroll: 2 } };
export const wide16: Target = { name: "lanes16", lanes: 16, fusedMultiplyAdd: true, tile: { rows: 12, vectors: 2, unroll: 4 } };

export interface Run {
  readonly name: string;
  readonly target: Target;
  /** Runs the kernel over all its units, in two pieces; returns the buffers after. @throws when a canary beside a buffer changed. */
  run<C>(definition: KernelDefinition<C>, constants: C, buffers: readonly Float32Array[]): Float32Array[];
}

const pages = 64;
// Node 20 has relaxed SIMD behind this flag; later versions have it on.
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

export const runs: readonly Run[] = [
  ...[wasm128, wide8, wide16].map((target) => runner(`interpreter ${target.name}`, target, interpret)),
  runner("wasm", wasm128, runWasm),
  ...(relaxedSimd() ? [runner("wasm+fma", wasmRelaxed, runWasm)] : []),
];

export function random(count: number, seed = 1, scale = 1): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count }, () => rng.normal() * scale);
}

function runner(
  name: string,
  target: Target,
  execute: (k: ReturnType<typeof specialise>, memory: SharedArrayBuffer, args: number[]) => void,
): Run {
  return {
    name,
    target,
    run(definition, constants, buffers) {
      const compiled = specialise(definition, constants, target);
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      const bytes = memory.buffer as unknown as SharedArrayBuffer;
      new Uint8Array(bytes).fill(0xa5);
      let next = 64;
      const place = (count: number) => {
        const address = next;
        next += Math.ceil((count * 4 + 64) / 64) * 64;
        if (next > bytes.byteLength) throw new Error(`${definition.name}: ${next} bytes do not fit the test's memory`);
        return address;
      };
      const addresses = buffers.map((buffer) => {
        const address = place(buffer.length);
        new Float32Array(bytes, address, buffer.length).set(buffer);
        return address;
      });
      const scratch = place(compiled.scratchBytes / 4);
      const half = Math.floor(compiled.units / 2);
      const call = (begin: number, end: number) => execute(compiled, bytes, [...addresses, scratch, begin, end]);
      // The second half first: units may not depend on each other.
      call(half, compiled.units);
      call(0, half);
      buffers.forEach((buffer, i) => checkCanary(bytes, addresses[i]! + buffer.length * 4, `${definition.name}: buffer ${i}`));
      checkCanary(bytes, scratch + compiled.scratchBytes, `${definition.name}: scratch`);
      return buffers.map((buffer, i) => Float32Array.from(new Float32Array(bytes, addresses[i]!, buffer.length)));
    },
  };
}

function checkCanary(memory: SharedArrayBuffer, address: number, what: string): void {
  const bytes = new Uint8Array(memory, address, 64 - (address % 64 === 0 ? 0 : address % 64));
  if (bytes.some((byte) => byte !== 0xa5)) throw new Error(`${what} was written beyond its end`);
}

function runWasm(kernel: ReturnType<typeof specialise>, buffer: SharedArrayBuffer, args: number[]): void {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  new Uint8Array(memory.buffer).set(new Uint8Array(buffer));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assembleModule([kernel])), { e: { m: memory } });
  (instance.exports["0"] as (...args: number[]) => void)(...args);
  new Uint8Array(buffer).set(new Uint8Array(memory.buffer, 0, buffer.byteLength));
}

function relaxedSimd(): boolean {
  const multiplyAdd = kernel("multiplyAdd", (k) => {
    k.range();
    k.variable().accumulate(k.variable(), k.variable());
    return { units: 1 };
  });
  return WebAssembly.validate(assembleModule([specialise(multiplyAdd, {}, wasmRelaxed)]));
}
