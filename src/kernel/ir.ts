// The intermediate representation: structured loops over mutable virtual registers, as in LLVM before SSA or QEMU's TCG.
// No lane count appears in an op: a vector register holds as many 32-bit lanes as the target has. What the ops are is in ops.ts.
import type { OpName, OpOf } from "./ops.ts";

/** `int`: an address or a counter; results beyond 32 bits are undefined. `vec`: lanes of float32 or int32, untyped. `mask`: one truth value per lane. */
export type RegKind = "int" | "vec" | "mask";

/** A virtual register; kernels have as many as they like. */
export interface Reg {
  readonly kind: RegKind;
  readonly id: number;
}

/** Address base + index + offset, in bytes; the offset is never negative. */
export interface Mem {
  readonly base: Reg;
  readonly index?: Reg;
  readonly offset: number;
}

/** How many lanes a memory op touches: all of them, or the first `n` of a tail, 0 < n < lanes. */
export type Span = "full" | number;

/** Elements in memory that are narrower than a lane. */
export type Narrow = "f16" | "bf16" | "u16" | "i8" | "u8";
/** The elements that a vector can be narrowed to. */
export type NarrowStore = Exclude<Narrow, "i8">;
/** The elements that can be spread over parts of a vector. */
export type NarrowPart = Exclude<Narrow, "bf16">;

/** How an `if` compares two ints. */
export type Relation = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** One op with its operands: see {@link ops} for what each does. */
export type Op = OpOf<OpName>;

/** Units in the order of the rows: with `n` live rows, the first `units` · ⌈n / `rows`⌉ units have work. */
export interface LiveUnits {
  readonly rows: number;
  readonly units: number;
}

/** A kernel for one target: what `specialise` makes and what interpreter and compilers read. */
export interface Kernel {
  readonly name: string;
  readonly target: Target;
  /** Named for printing; the last three are always scratch, begin, end. */
  readonly params: readonly { readonly name: string; readonly reg: Reg }[];
  readonly body: readonly Op[];
  /** Units of parallel work: `begin` and `end` run over [0, units). */
  readonly units: number;
  /** The units that have work, in a kernel that stops at the live rows and whose units follow the rows. */
  readonly liveUnits?: LiveUnits | undefined;
  /** Bytes of its own scratch that every thread must have. */
  readonly scratchBytes: number;
}

/** What a kernel may ask of its target while it is built. */
export interface Target {
  readonly name: string;
  /** 32-bit lanes of a vector register. */
  readonly lanes: number;
  /** Whether `ffma` rounds once. */
  readonly fusedMultiplyAdd: boolean;
  /** Whether `dotbf16` is one instruction: twice the rate of `ffma`. */
  readonly bf16Dot: boolean;
  /** Whether 16-bit floats are widened in an instruction or two when they are loaded. */
  readonly halfLoads: boolean;
  /** Whether another compiler follows, which puts instructions into an order of its own: WebAssembly's engine. */
  readonly compiledAgain: boolean;
  /** Whether `dotu8` is one instruction: four times the rate of `ffma`. */
  readonly int8Dot: boolean;
  /** Whether `pairsu8` is one instruction. */
  readonly bytePairs: boolean;
  /** Whether weights of 8 bits are multiplied as signed bytes (`dots8`), because unsigned ones beyond 127 take more instructions. */
  readonly signedBytes: boolean;
  /** Register tile of a matrix product: rows × vectors accumulators, and how often its inner loop is unrolled. */
  readonly tile: { readonly rows: number; readonly vectors: number; readonly unroll: number };
}
