// The WebAssembly targets.
import type { Target } from "../ir.ts";

/**
 * V8 moves arithmetic behind the loads of its block, so an unrolled inner loop spills: not unrolling is 1.6 × faster.
 * 4 × 2 accumulators, 4 splats and 2 vectors fill 14 of its 15 registers. Measured: docs/log/2026-11-23-wasm-matmul.md.
 */
const tile = { rows: 4, vectors: 2, unroll: 1 } as const;

/** SIMD128, four lanes; a multiply-add rounds twice. */
export const wasm128: Target = {
  name: "wasm",
  lanes: 4,
  fusedMultiplyAdd: false,
  bf16Dot: false,
  int8Dot: false,
  bytePairs: false,
  signedBytes: false,
  halfLoads: false,
  compiledAgain: true,
  tile,
};
/** SIMD128 with relaxed SIMD, whose multiply-add and dot products of bytes are one instruction where the machine has them. */
export const wasmRelaxed: Target = { ...wasm128, name: "wasm+fma", fusedMultiplyAdd: true, bytePairs: true };
