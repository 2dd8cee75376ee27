// The intermediate representation: structured loops over mutable virtual registers, as in LLVM before SSA or QEMU's TCG.
// No lane count appears in an op: a vector register holds as many 32-bit lanes as the target has.

/** `int`: an address or a counter; results beyond 32 bits are undefined. `vec`: lanes of float32 or int32, untyped. `mask`: one truth value a lane. */
export type RegKind = "int" | "vec" | "mask";

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

export type Relation = "<" | "<=" | ">" | ">=" | "==" | "!=";

export type IntBinary = "iadd" | "isub" | "imul" | "imin" | "imax";
/** Second operand is a constant; right shift, division and remainder are of non-negative numbers. */
export type IntConstant = "ishl" | "ishr" | "iand" | "idiv" | "irem";
export type FloatBinary = "fadd" | "fsub" | "fmul" | "fdiv" | "fmin" | "fmax";
export type FloatUnary = "fsqrt" | "fabs" | "fneg" | "fround" | "ffloor";
/** Lanes as int32 or as bits. */
export type LaneBinary = "vadd" | "vsub" | "vmul" | "vand" | "vor" | "vxor";
export type LaneShift = "vshl" | "vshr" | "vsar";
/** Float comparisons are false for NaN; `vlt` compares int32 lanes. */
export type Compare = "flt" | "fle" | "feq" | "vlt" | "veq";

/** Elements in memory that are narrower than a lane. */
export type Narrow = "f16" | "bf16" | "u16" | "i8" | "u8";

export type NarrowPart = Exclude<Narrow, "bf16">;

export type Op =
  | { readonly op: "iconst"; readonly d: Reg; readonly value: number }
  | { readonly op: "imov"; readonly d: Reg; readonly a: Reg }
  | { readonly op: IntBinary; readonly d: Reg; readonly a: Reg; readonly b: Reg | number }
  | { readonly op: IntConstant; readonly d: Reg; readonly a: Reg; readonly b: number }
  | { readonly op: "iload"; readonly d: Reg; readonly m: Mem; readonly type: "i32" | "u16" | "u8" | "i8" }
  | { readonly op: "istore"; readonly a: Reg; readonly m: Mem }
  | { readonly op: "vconst"; readonly d: Reg; readonly value: number; readonly type: "f32" | "i32" }
  | { readonly op: "vmov"; readonly d: Reg; readonly a: Reg }
  /** Lanes beyond the span read as zero. */
  | { readonly op: "vload"; readonly d: Reg; readonly m: Mem; readonly span: Span }
  | { readonly op: "vstore"; readonly a: Reg; readonly m: Mem; readonly span: Span }
  /** An element a lane, consecutive in memory: f16 and bf16 as float32, the others as int32. Lanes beyond the span read as zero. */
  | { readonly op: "vloadNarrow"; readonly d: Reg; readonly m: Mem; readonly span: Span; readonly type: Narrow }
  /**
   * An element a lane: floats to nearest, ties to even, too large to infinity; a NaN keeps its sign and upper bits and becomes quiet.
   * Of integers the low bits. Targets with `bf16Dot` store floats below 2⁻¹²⁶ as bf16 zeros of their sign.
   */
  | { readonly op: "vstoreNarrow"; readonly a: Reg; readonly m: Mem; readonly span: Span; readonly type: Exclude<Narrow, "i8"> }
  /** a as bf16 in the low half of each lane, b in the high half; rounded as `vstoreNarrow` does. */
  | { readonly op: "bf16pair"; readonly d: Reg; readonly a: Reg; readonly b: Reg }
  /** Lanes as pairs of bf16: d = c + a.low · b.low + a.high · b.high in float32, rounded, and subnormals kept or not, as the target has it. */
  | { readonly op: "dotbf16"; readonly d: Reg; readonly a: Reg; readonly b: Reg; readonly c: Reg }
  /** Lanes as four bytes: d = c + Σ a · b in int32, exact, wrapping; a's bytes are unsigned, and at most `most` where it is there, b's signed. */
  | { readonly op: "dotu8"; readonly d: Reg; readonly a: Reg; readonly b: Reg; readonly c: Reg; readonly most?: number }
  /** A vector of parts of four lanes: part p is the 16 bytes at m + offsets[p]. */
  | { readonly op: "vloadParts"; readonly d: Reg; readonly m: Mem; readonly offsets: readonly number[] }
  /** Part p is the element at m + offsets[p], widened, in four lanes. */
  | { readonly op: "vsplatParts"; readonly d: Reg; readonly m: Mem; readonly offsets: readonly number[]; readonly type: NarrowPart }
  /** Part p is lane from[p] of a, in four lanes. */
  | { readonly op: "vspread"; readonly d: Reg; readonly a: Reg; readonly from: readonly number[] }
  /** Brings a cache line near; touches nothing, so any address will do. */
  | { readonly op: "prefetch"; readonly m: Mem }
  /** One 32-bit element from memory in every lane. */
  | { readonly op: "vsplat"; readonly d: Reg; readonly m: Mem }
  /** An int register, truncated to 32 bits, in every lane. */
  | { readonly op: "vsplati"; readonly d: Reg; readonly a: Reg }
  /** 0, 1, 2, … as int32. */
  | { readonly op: "viota"; readonly d: Reg }
  | { readonly op: FloatBinary; readonly d: Reg; readonly a: Reg; readonly b: Reg }
  | { readonly op: LaneBinary; readonly d: Reg; readonly a: Reg; readonly b: Reg }
  | { readonly op: FloatUnary; readonly d: Reg; readonly a: Reg }
  | { readonly op: LaneShift; readonly d: Reg; readonly a: Reg; readonly b: number }
  /** d = a · b + c, with one rounding or two as the target has it. */
  | { readonly op: "ffma"; readonly d: Reg; readonly a: Reg; readonly b: Reg; readonly c: Reg }
  /** int32 → float32, to nearest; float32 → int32, toward zero, saturating, NaN → 0. */
  | { readonly op: "i2f" | "f2i"; readonly d: Reg; readonly a: Reg }
  | { readonly op: Compare; readonly d: Reg; readonly a: Reg; readonly b: Reg }
  /** Lane by lane: mask ? a : b. */
  | { readonly op: "select"; readonly d: Reg; readonly mask: Reg; readonly a: Reg; readonly b: Reg }
  /** The first `span` lanes of a, the others of b. */
  | { readonly op: "vkeep"; readonly d: Reg; readonly a: Reg; readonly b: Reg; readonly span: Span }
  /** Sum or maximum over the lanes, in every lane; added pairwise, halves first. */
  | { readonly op: "rsum" | "rmax"; readonly d: Reg; readonly a: Reg }
  /** Neighbours exchanged: lanes 1, 0, 3, 2, … */
  | { readonly op: "vswap"; readonly d: Reg; readonly a: Reg }
  /** `lanes` registers as the rows of a square matrix; d are its columns. No register of d is one of a. */
  | { readonly op: "transpose"; readonly d: readonly Reg[]; readonly a: readonly Reg[] }
  /** for (i = from; i < to; i += step), step > 0, from and to ≥ 0. The body writes neither i nor to; after the loop, i has no value. */
  | {
      readonly op: "loop";
      readonly i: Reg;
      readonly from: Reg | number;
      readonly to: Reg | number;
      readonly step: number;
      readonly body: readonly Op[];
    }
  | {
      readonly op: "if";
      readonly a: Reg;
      readonly relation: Relation;
      readonly b: Reg | number;
      readonly whenTrue: readonly Op[];
      readonly otherwise: readonly Op[];
    };

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
  /** Register tile of a matrix product: rows × vectors accumulators, and how often its inner loop is unrolled. */
  readonly tile: { readonly rows: number; readonly vectors: number; readonly unroll: number };
}
