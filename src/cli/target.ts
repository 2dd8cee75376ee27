// What the kernels are compiled for on this machine. A row a target, the fastest first; CRIA_TARGET overrides.
import { didYouMean, UsageError } from "../base/index.ts";

export interface Target {
  readonly name: string;
  readonly reason: string;
}

interface TargetRow {
  readonly name: string;
  works(): boolean;
  readonly reason: string;
}

const targets: readonly TargetRow[] = [
  { name: "wasm", works: hasSimd, reason: "128-bit WebAssembly SIMD, which every machine with Node has" },
];

/** @throws UsageError when `override` names no target, or one that does not work here. */
export function chooseTarget(override: string | undefined): Target {
  const names = targets.map((row) => row.name);
  if (override && !names.includes(override))
    throw new UsageError("target", `CRIA_TARGET is "${override}"${didYouMean(override, names) || `: there is ${names.join(", ")}`}`);
  const row = targets.find((one) => (override ? one.name === override : true) && one.works());
  if (row !== undefined) return { name: row.name, reason: override ? "CRIA_TARGET says so" : row.reason };
  throw new UsageError("target", `none of ${override || names.join(", ")} works here: run cria doctor`);
}

/** Whether this WebAssembly has SIMD: it is asked to validate a function that returns `i8x16.popcnt(i8x16.splat(0))`. */
export function hasSimd(): boolean {
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]; // "\0asm", version 1
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b]; // one type: () → v128
  const functions = [3, 2, 1, 0];
  const code = [10, 10, 1, 8, 0, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x62, 0x0b]; // i32.const 0, i8x16.splat, i8x16.popcnt, end
  return WebAssembly.validate(new Uint8Array([...header, ...types, ...functions, ...code]));
}

/** Worker threads need one memory that all of them see. */
export function hasSharedMemory(): boolean {
  return typeof SharedArrayBuffer === "function" && typeof Atomics.wait === "function";
}
