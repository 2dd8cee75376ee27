// The x86-64 targets and the conventions by which their code is called.
import type { Target } from "../ir.ts";

/** AVX2, FMA, F16C: 8 lanes, 16 registers. Twelve accumulators, two vectors of B and a broadcast fill 15 of them. */
export const avx2: Target = {
  name: "avx2",
  lanes: 8,
  fusedMultiplyAdd: true,
  bf16Dot: false,
  int8Dot: false,
  bytePairs: true,
  signedBytes: true,
  halfLoads: true,
  compiledAgain: false,
  tile: { rows: 6, vectors: 2, unroll: 2 },
};

/** AVX-512 F, BW, DQ, VL: 16 lanes, 32 registers, masks. A CPU that has more gets a target with `bf16Dot` or `int8Dot`. */
export const avx512: Target = {
  name: "avx512",
  lanes: 16,
  fusedMultiplyAdd: true,
  bf16Dot: false,
  int8Dot: false,
  bytePairs: true,
  signedBytes: false,
  halfLoads: true,
  compiledAgain: false,
  tile: { rows: 12, vectors: 2, unroll: 4 },
};

/** AVX-512 with AVX512_BF16 and AVX512_VNNI. */
export const avx512Dots: Target = { ...avx512, bf16Dot: true, int8Dot: true };

/** General registers by their numbers in instructions; 8 to 15 have no other names. */
export const general = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7 } as const;

/** How a function is called on a system: where its arguments are, and which registers it must leave as they were. */
export interface Convention {
  readonly name: "systemV" | "windows";
  /** General registers of the first arguments; the others lie on the stack. */
  readonly args: readonly number[];
  /** Bytes between the return address and the first argument on the stack. */
  readonly shadow: number;
  /** General registers that a function may change, in the order to use them. rax must be among them, and no argument's. */
  readonly scratch: readonly number[];
  /** General registers that it must leave as they were. */
  readonly saved: readonly number[];
  /** Vector registers whose low 128 bits it must leave as they were. */
  readonly savedVectors: readonly number[];
}

const { rax, rcx, rdx, rbx, rbp, rsi, rdi } = general;

/** System V AMD64 ABI, section 3.2: Linux, macOS, BSD. */
export const systemV: Convention = {
  name: "systemV",
  args: [rdi, rsi, rdx, rcx, 8, 9],
  shadow: 0,
  scratch: [rax, rcx, rdx, rsi, rdi, 8, 9, 10, 11],
  saved: [rbx, rbp, 12, 13, 14, 15],
  savedVectors: [],
};

/** Microsoft x64 calling convention. */
export const windows: Convention = {
  name: "windows",
  args: [rcx, rdx, 8, 9],
  shadow: 32,
  scratch: [rax, rcx, rdx, 8, 9, 10, 11],
  saved: [rbx, rbp, rsi, rdi, 12, 13, 14, 15],
  savedVectors: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
};
