// The ops of the intermediate representation, one row each: operands with their types, and the meaning as a formula. The types of IR, its
// specification, the interpreter, printing and all walks over operands follow from these rows; a compiler has a table of its own, op → instructions.
import { roundToEven } from "../base/index.ts";
import {
  addHalves,
  dotBytePairs,
  dotBytes,
  dotHalves,
  dotPairs,
  dotSignedBytes,
  lookUpBytes,
  multiplyAdd,
  reduced,
  truncateSaturating,
} from "./arithmetic.ts";
import type { Mem, Narrow, NarrowPart, NarrowStore, Op, Reg, Relation, Span, Target } from "./ir.ts";
import { float32Bits, narrowBits, narrowBytes, narrowStorage, widenBits } from "./narrow.ts";

/** What a field of an op may be, by the type that its row names. The fields `d`, and `i` of a loop, are written; all other registers are read. */
export interface Held extends Constants {
  /** A machine word in a register: an address or a counter. */
  readonly int: Reg;
  /** A machine word in a register, or a constant. */
  readonly "int or number": Reg | number;
  /** The same of a loop's counter: a constant is not negative. */
  readonly bound: Reg | number;
  /** A vector whose lanes the formula sees as float32, one at a time. */
  readonly f32: Reg;
  /** A vector whose lanes the formula sees as int32 or as bits, one at a time. */
  readonly i32: Reg;
  /** One truth value per lane. */
  readonly mask: Reg;
  /** A vector whose lanes the formula sees all at once, as float32. */
  readonly "f32 lanes": Reg;
  /** A vector whose lanes the formula sees all at once, as int32. */
  readonly "i32 lanes": Reg;
  /** The rows or columns of a square matrix: one vector per lane of the target. */
  readonly square: readonly Reg[];
  readonly memory: Mem;
  readonly span: Span;
  readonly block: readonly Op[];
}

/** What a formula sees of such a field. */
interface Seen extends Constants {
  readonly int: number;
  readonly "int or number": number;
  readonly bound: number;
  readonly f32: number;
  readonly i32: number;
  /** 0 where it is false. */
  readonly mask: number;
  readonly "f32 lanes": Float32Array;
  readonly "i32 lanes": Int32Array;
  readonly square: readonly Int32Array[];
  readonly memory: Memory;
  /** How many lanes are inside of the span. */
  readonly span: number;
  readonly block: never;
}

/** Fields that are the same in an op and in its formula. */
interface Constants {
  readonly number: number;
  readonly integer: number;
  /** A number of bits, 0 to 31. */
  readonly shift: number;
  /** A positive integer. */
  readonly divisor: number;
  /** A positive integer. */
  readonly step: number;
  /** One natural number per part; a part is four lanes. */
  readonly "number per part": readonly number[];
  /** Sixteen bytes. */
  readonly "byte table": readonly number[];
  readonly relation: Relation;
  readonly "constant type": "f32" | "i32";
  readonly "int type": "i32" | "u16" | "u8" | "i8";
  readonly narrow: Narrow;
  readonly "narrow store": NarrowStore;
  readonly "narrow part": NarrowPart;
}

/** Memory at the address that an op names. */
export interface Memory {
  /** Reads an element that lies so many bytes behind the address. @throws CriaError outside of the memory. */
  read(type: "i32" | "u16" | "u8" | "i8", offset: number): number;
  /** Writes the low bits of an integer. @throws CriaError outside of the memory. */
  write(type: "i32" | "u16" | "u8", offset: number, value: number): undefined;
}

/** The name of what a field may be. */
export type FieldType = keyof Held;
/** The fields of an op, in the order in which they are printed. */
export type Fields = Readonly<Record<string, FieldType>>;
type Values<F extends Fields, Types extends Record<FieldType, unknown>> = { readonly [N in keyof F]: Types[F[N]] };

/** The operands that a formula takes by their places. */
export const operandsByPlace = ["mask", "a", "b", "c"] as const;
type OperandsOf<F extends Fields, Names extends readonly unknown[] = typeof operandsByPlace> = Names extends readonly [
  infer N,
  ...infer Rest,
]
  ? [...(N extends keyof F ? [Seen[F[N]]] : []), ...OperandsOf<F, Rest>]
  : [];

/** What a formula may ask for beside the op's fields. */
interface Here {
  readonly target: Target;
  /** Which register of a square result it makes. */
  readonly column: number;
}

/**
 * The value of `d`, for a vector that of lane `i`. Without `d` it is what the op does, for vectors per lane. A formula takes those of the operands
 * mask, a, b and c that the op has, then the other fields, then `i`: one that takes no `i` and no lane is the same in all lanes. Floats are computed in float64 and rounded when they are written, which for one
 * operation gives what float32 gives.
 */
type Formula<F extends Fields> = (
  ...given: [...OperandsOf<F>, others: Values<Omit<F, "d" | (typeof operandsByPlace)[number]>, Seen> & Here, i: number]
) => number | boolean | undefined;

interface Row<F extends Fields> {
  readonly fields: F;
  readonly formula?: Formula<F>;
}

function row<const F extends Fields>(fields: F, formula?: Formula<F>): Row<F> {
  return formula ? { fields, formula } : { fields };
}

const ints = { d: "int", a: "int", b: "int or number" } as const;
const floats = { d: "f32", a: "f32", b: "f32" } as const;
const bits = { d: "i32", a: "i32", b: "i32" } as const;
const shifted = { d: "i32", a: "i32", b: "shift" } as const;
const floatsCompared = { d: "mask", a: "f32", b: "f32" } as const;
const intsCompared = { d: "mask", a: "i32", b: "i32" } as const;

/** The ops by name. Ops of ints begin with i, those of float lanes with f, those of lanes as integers or bits with v. */
export const ops = {
  iconst: row({ d: "int", value: "integer" }, ({ value }) => value),
  imov: row({ d: "int", a: "int" }, (a) => a),
  iadd: row(ints, (a, b) => a + b),
  isub: row(ints, (a, b) => a - b),
  imul: row(ints, (a, b) => a * b),
  imin: row(ints, (a, b) => Math.min(a, b)),
  imax: row(ints, (a, b) => Math.max(a, b)),
  ishl: row({ d: "int", a: "int", b: "shift" }, (a, b) => a * 2 ** b),
  // Right shift, division and remainder are of non-negative numbers.
  ishr: row({ d: "int", a: "int", b: "shift" }, (a, b) => Math.floor(a / 2 ** b)),
  iand: row({ d: "int", a: "int", b: "integer" }, (a, b) => a & b),
  idiv: row({ d: "int", a: "int", b: "divisor" }, (a, b) => Math.trunc(a / b)),
  irem: row({ d: "int", a: "int", b: "divisor" }, (a, b) => a % b),
  iload: row({ d: "int", m: "memory", type: "int type" }, ({ m, type }) => m.read(type, 0)),
  istore: row({ a: "int", m: "memory" }, (a, { m }) => m.write("i32", 0, a)),

  // Vectors to and from memory; lanes beyond the span read as zero, and are not written.
  vload: row({ d: "i32", m: "memory", span: "span" }, ({ m, span }, i) => (i < span ? m.read("i32", 4 * i) : 0)),
  vstore: row({ a: "i32", m: "memory", span: "span" }, (a, { m, span }, i) => (i < span ? m.write("i32", 4 * i, a) : undefined)),
  // One element per lane, consecutive in memory: f16 and bf16 become float32, the others int32.
  vloadNarrow: row({ d: "i32", m: "memory", span: "span", type: "narrow" }, ({ m, span, type }, i) =>
    i < span ? widenBits(type, m.read(narrowStorage[type], i * narrowBytes[type])) : 0,
  ),
  // Floats are rounded to nearest, ties to even, too large ones to infinity; a NaN keeps its sign and upper bits and becomes quiet. Of integers
  // the low bits are stored. Targets with `bf16Dot` store floats below 2⁻¹²⁶ as bf16 zeros of their sign.
  vstoreNarrow: row({ a: "i32", m: "memory", span: "span", type: "narrow store" }, (a, { m, span, type, target }, i) =>
    i < span ? m.write(narrowStorage[type], i * narrowBytes[type], narrowBits(type, a, target.bf16Dot)) : undefined,
  ),
  // Part p of four lanes is the 16 bytes at m + offsets[p].
  vloadParts: row({ d: "i32", m: "memory", offsets: "number per part" }, ({ m, offsets }, i) =>
    m.read("i32", offsets[i >> 2]! + (i & 3) * 4),
  ),
  // Part p is the element at m + offsets[p], widened, in four lanes.
  vsplatParts: row({ d: "i32", m: "memory", offsets: "number per part", type: "narrow part" }, ({ m, offsets, type }, i) =>
    widenBits(type, m.read(narrowStorage[type], offsets[i >> 2]!)),
  ),
  vsplat: row({ d: "i32", m: "memory" }, ({ m }) => m.read("i32", 0)),
  // Brings a cache line near. It touches nothing, so any address will do.
  prefetch: row({ m: "memory" }, () => undefined),

  // Vectors out of ints and constants.
  vconst: row({ d: "i32", value: "number", type: "constant type" }, ({ value, type }) => (type === "f32" ? float32Bits(value) : value)),
  viota: row({ d: "i32" }, (_, i) => i),
  vsplati: row({ d: "i32", a: "int" }, (a) => a),
  vmov: row({ d: "i32", a: "i32" }, (a) => a),

  fadd: row(floats, (a, b) => a + b),
  fsub: row(floats, (a, b) => a - b),
  fmul: row(floats, (a, b) => a * b),
  fdiv: row(floats, (a, b) => a / b),
  // Minimum and maximum as WebAssembly's pmin and pmax and x86's minps and maxps have them: a unless the comparison holds.
  fmin: row(floats, (a, b) => (b < a ? b : a)),
  fmax: row(floats, (a, b) => (a < b ? b : a)),
  fsqrt: row({ d: "f32", a: "f32" }, (a) => Math.sqrt(a)),
  fabs: row({ d: "f32", a: "f32" }, (a) => Math.abs(a)),
  fneg: row({ d: "f32", a: "f32" }, (a) => -a),
  fround: row({ d: "f32", a: "f32" }, (a) => roundToEven(a)),
  ffloor: row({ d: "f32", a: "f32" }, (a) => Math.floor(a)),
  ffma: row({ d: "f32", a: "f32", b: "f32", c: "f32" }, (a, b, c, { target }) => multiplyAdd(target, a, b, c)),
  i2f: row({ d: "f32", a: "i32" }, (a) => a),
  f2i: row({ d: "i32", a: "f32" }, (a) => truncateSaturating(a)),

  vadd: row(bits, (a, b) => a + b),
  vsub: row(bits, (a, b) => a - b),
  // Lanes as two numbers of 16 bits, which are added alone and wrap.
  vadd16: row(bits, (a, b) => addHalves(a, b)),
  vmul: row(bits, (a, b) => Math.imul(a, b)),
  vand: row(bits, (a, b) => a & b),
  vor: row(bits, (a, b) => a | b),
  vxor: row(bits, (a, b) => a ^ b),
  vshl: row(shifted, (a, b) => a << b),
  vshr: row(shifted, (a, b) => a >>> b),
  vsar: row(shifted, (a, b) => a >> b),
  // Lanes as four bytes: each is a number of the table's, at most 15, and becomes the byte there.
  vlookup: row({ d: "i32", a: "i32", table: "byte table" }, (a, { table }) => lookUpBytes(a, table)),
  // a as bf16 in the low half of each lane, b in the high half, rounded as vstoreNarrow does.
  bf16pair: row(bits, (a, b, { target }) => narrowBits("bf16", a, target.bf16Dot) | (narrowBits("bf16", b, target.bf16Dot) << 16)),
  // Lanes as pairs of bf16: c + a.low · b.low + a.high · b.high in float32, rounded, and subnormals kept or not, as the target has it.
  dotbf16: row({ d: "f32", a: "i32", b: "i32", c: "f32" }, (a, b, c, { target }) => dotPairs(target, a, b, c)),
  // Lanes as four bytes: c + Σ a · b, exact, wrapping. The bytes of a are unsigned and at most `most`, those of b signed.
  dotu8: row({ ...bits, c: "i32", most: "number" }, (a, b, c, { most }) => c + dotBytes(a, b, most)),
  // The same where the bytes of a are signed, too, and none of b is -128.
  dots8: row({ ...bits, c: "i32" }, (a, b, c) => c + dotSignedBytes(a, b)),
  // Lanes as four bytes: the products of dotu8 added in pairs, to two numbers of 16 bits, which hold them.
  pairsu8: row({ ...bits, most: "number" }, (a, b, { most }) => dotBytePairs(a, b, most)),
  // Lanes as two signed numbers of 16 bits: c + a.low · b.low + a.high · b.high, wrapping.
  dot16: row({ ...bits, c: "i32" }, (a, b, c) => c + dotHalves(a, b)),

  // Comparisons of floats are false for NaN.
  flt: row(floatsCompared, (a, b) => a < b),
  fle: row(floatsCompared, (a, b) => a <= b),
  feq: row(floatsCompared, (a, b) => a === b),
  vlt: row(intsCompared, (a, b) => a < b),
  veq: row(intsCompared, (a, b) => a === b),
  select: row({ d: "i32", mask: "mask", a: "i32", b: "i32" }, (mask, a, b) => (mask ? a : b)),
  // The first `span` lanes of a, the others of b.
  vkeep: row({ ...bits, span: "span" }, (a, b, { span }, i) => (i < span ? a : b)),

  // Across lanes. Sum and maximum are in every lane, added pairwise, halves first.
  rsum: row({ d: "f32", a: "f32 lanes" }, (a) => reduced(a, (x, y) => x + y)),
  rmax: row({ d: "f32", a: "f32 lanes" }, (a) => reduced(a, (x, y) => (x < y ? y : x))),
  vswap: row({ d: "i32", a: "i32 lanes" }, (a, _, i) => a[i ^ 1]!),
  // The registers of a are the rows of a square matrix, those of d its columns. No register of d is one of a.
  transpose: row({ d: "square", a: "square" }, (a, { column }, i) => a[i]![column]!),

  // for (i = from; i < to; i += step), from and to ≥ 0. The body writes neither i nor to; after the loop, i has no value.
  loop: row({ i: "int", from: "bound", to: "bound", step: "step", body: "block" }),
  if: row({ a: "int", relation: "relation", b: "int or number", whenTrue: "block", otherwise: "block" }),
} satisfies Readonly<Record<string, { readonly fields: Fields }>>;

/** The name of an op. */
export type OpName = keyof typeof ops;
type FieldsOf<N extends OpName> = (typeof ops)[N]["fields"];

/** An op as it stands in a kernel's body. */
export type OpOf<N extends OpName> = N extends OpName ? { readonly op: N } & Values<FieldsOf<N>, Held> : never;

/** The names of the ops that have these fields, of these types, and no others. */
type OpsWith<F extends Fields> = {
  [N in OpName]: FieldsOf<N> extends F
    ? [keyof F] extends [keyof FieldsOf<N>]
      ? [keyof FieldsOf<N>] extends [keyof F]
        ? N
        : never
      : never
    : never;
}[OpName];

// Ops with the same operands are written, and mostly compiled, alike.
/** d = a ∘ b on ints, where b may be a constant. */
export type IntBinary = OpsWith<typeof ints>;
/** d = a ∘ b on ints, where b is a constant. */
export type IntConstant = OpsWith<{ d: "int"; a: "int"; b: "shift" | "integer" | "divisor" }>;
/** d = a ∘ b on float32 lanes. */
export type FloatBinary = OpsWith<typeof floats>;
/** d = a ∘ b on int32 lanes or their bits. */
export type LaneBinary = OpsWith<typeof bits>;
/** d = a ∘ b on lanes, where b is a constant number of bits. */
export type LaneShift = OpsWith<typeof shifted>;
/** d = a ∘ b on vectors. */
export type VectorBinary = FloatBinary | LaneBinary;
/** d = ∘ a on vectors. */
export type VectorUnary = OpsWith<{ d: "f32" | "i32"; a: "f32" | "i32" | "f32 lanes" | "i32 lanes" }>;
/** d = a ∘ b, one truth value per lane. */
export type Compare = OpsWith<typeof floatsCompared> | OpsWith<typeof intsCompared>;
