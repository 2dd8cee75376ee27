// What each op of IR becomes on x86-64: one row per op, which also says which of its operands may lie in memory.
import { fail } from "../../base/index.ts";
import type { Mem, Reg, Relation, Span, Target } from "../ir.ts";
import { float32Bits, wordsOfBytes } from "../narrow.ts";
import { isReg } from "../operands.ts";
import type { Compare, IntBinary, IntConstant, LaneShift, OpName, OpOf, VectorBinary, VectorUnary } from "../ops.ts";
import type { Label } from "./assembler.ts";
import type { Dialect, Emit, Source } from "./dialect.ts";
import type { InstructionName } from "./encoding.ts";
import { type Address, isAddress, isRegister, literalOf, type Operand } from "./instruction.ts";
import { add, compareInts, int32Operand, integer, integerConstant, loadConstant } from "./integers.ts";
import { dotBytes, dotSignedBytes } from "./narrow.ts";

/** What a pattern needs of the code around it. */
export interface Selection extends Emit {
  readonly target: Target;
  readonly dialect: Dialect;
  /** Whether the register is made for one reader, so that this one may write over it. */
  isLast(reg: Reg): boolean;
  /** Whether no other op writes the register. */
  isWrittenOnce(reg: Reg): boolean;
  /** Notes a constant that is written once, at the kernel's entry: its value is in memory already. */
  noteConstant(reg: Reg): void;
  /** A register by the kind that the machine has for it. */
  physical(reg: Reg): Reg;
  label(): Label;
  /** The next instruction is where jumps to the label go. */
  mark(label: Label): void;
  /** Selects for a block; `op` is what instructions after it come from. */
  block(ops: OpOf<"loop">["body"], op: OpOf<"loop" | "if">): void;
}

type Field = "a" | "b" | "c";
/** The operands of an op by name: registers, of which at most one is the memory that it would have been loaded from. */
export type Operands = Record<Field, Source>;

/** A row as the selector reads it. */
export interface Pattern<N extends OpName = OpName> {
  /** The operands that the instruction can read right from memory, the best first. Nothing else says so: `emit` is given what was chosen. */
  readonly memory: readonly Field[];
  /** Whether that memory may be one element for all lanes, where the machine has such operands. */
  readonly takesBroadcast: boolean;
  emit(s: Selection, op: OpOf<N>, from: Readonly<Operands>): void;
}

function inRegisters<N extends OpName>(emit: Pattern<N>["emit"]): Pattern<N> {
  return { memory: [], takesBroadcast: false, emit };
}

function withMemory<N extends OpName>(
  memory: readonly (Field & keyof OpOf<N>)[],
  emit: Pattern<N>["emit"],
  takesBroadcast = true,
): Pattern<N> {
  return { memory, takesBroadcast, emit };
}

/** An instruction's name, where the dialects have different ones for it. */
type Name = InstructionName | ((names: Dialect["names"]) => InstructionName);

function nameOf({ dialect }: Selection, name: Name): InstructionName {
  return typeof name === "string" ? name : name(dialect.names);
}

/** d = a ∘ b, in which either operand may be the second one. */
function commutative(name: Name, takesBroadcast = true): Pattern<VectorBinary> {
  return withMemory(["b", "a"], (s, { d }, { a, b }) => s.emit(nameOf(s, name), isAddress(a) ? [d, b, a] : [d, a, b]), takesBroadcast);
}

/** d = a ∘ b. */
function binary(name: InstructionName): Pattern<VectorBinary> {
  return withMemory(["b"], (s, { d, a }, { b }) => s.emit(name, [d, a, b]));
}

/** d = ∘ a, with constants behind it. */
function unary(name: Name, ...constants: readonly number[]): Pattern<VectorUnary> {
  return withMemory(["a"], (s, { d }, { a }) => s.emit(nameOf(s, name), [d, a, ...constants]));
}

const intBinary = inRegisters<IntBinary>(integer);
const intConstant = inRegisters<IntConstant>(integerConstant);
const shifted = (name: InstructionName) => inRegisters<LaneShift>((s, { d, a, b }) => s.emit(name, [d, a, b]));
const compared = withMemory<Compare>(["b"], (s, { op, d, a }, { b }) => s.dialect.compare(s, op, d, a, b));

// Immediates: two bits per lane of four; rounding with exceptions suppressed.
const swapNeighbours = 0xb1;
const swapPairs = 0x4e;
const toNearestEven = 0x08;
const towardMinusInfinity = 0x09;

const intLoads = { i32: "movsxd", u16: "movzx.16", u8: "movzx.8", i8: "movsx.8" } as const;

/** Loads of vectors have no row: they wait for an op that wants them. */
type Waiting = "vload" | "vsplat";
/** A row for every op but loads of whole elements. */
export type Patterns = { readonly [N in Exclude<OpName, Waiting>]: Pattern<N> };

const patterns: Patterns = {
  iconst: inRegisters((s, { d, value }) => loadConstant(s, d, value)),
  imov: inRegisters((s, { d, a }) => s.emit("mov", [d, a])),
  iadd: intBinary,
  isub: intBinary,
  imul: intBinary,
  imin: intBinary,
  imax: intBinary,
  ishl: intConstant,
  ishr: intConstant,
  iand: intConstant,
  idiv: intConstant,
  irem: intConstant,
  iload: inRegisters((s, { d, m, type }) => s.emit(intLoads[type], [d, s.address(m)])),
  istore: inRegisters((s, { a, m }) => s.emit("mov.store32", [s.address(m), a])),

  vstore: inRegisters((s, { a, m, span }) => {
    if (span === "full") s.emit("vmovups.store", [s.address(m), a]);
    else s.dialect.storeFirst(s, a, s.address(m), span);
  }),
  vloadNarrow: inRegisters((s, { op, d, m, span, type }) => {
    if (type === "bf16") return notLegal(op);
    s.dialect.narrow.load(s, d, s.address(m), lanesIn(s, span), type);
  }),
  vstoreNarrow: inRegisters((s, { op, a, m, span, type }) => {
    if (type === "bf16" && !s.target.bf16Dot) return notLegal(op);
    s.dialect.narrow.store(s, a, s.address(m), lanesIn(s, span), type);
  }),
  vloadParts: inRegisters((s, { d, m, offsets }) => s.dialect.parts.load(s, d, addresses(s, m, offsets))),
  vsplatParts: inRegisters((s, { d, m, offsets, type }) => s.dialect.parts.splat(s, d, addresses(s, m, offsets), type)),
  prefetch: inRegisters((s, { m }) => s.emit("prefetcht0", [s.address(m)])),

  vconst: inRegisters((s, { d, value, type }) => vectorConstant(s, d, type === "f32" ? float32Bits(value) : value)),
  viota: inRegisters((s, { d }) => s.emit("vmovups", [d, literalOf(Array.from({ length: s.dialect.lanes }, (_, i) => i))])),
  vsplati: inRegisters((s, { d, a }) => s.dialect.spreadInt(s, d, a)),
  vmov: withMemory(["a"], (s, { d }, { a }) => s.emit("vmovups", [d, a]), false),

  fadd: commutative("vaddps"),
  fsub: binary("vsubps"),
  fmul: commutative("vmulps"),
  fdiv: binary("vdivps"),
  // The machine gives its second operand unless the comparison holds: IR's first.
  fmin: withMemory(["a"], (s, { d, b }, { a }) => s.emit("vminps", [d, b, a])),
  fmax: withMemory(["a"], (s, { d, b }, { a }) => s.emit("vmaxps", [d, b, a])),
  fsqrt: unary("vsqrtps"),
  fabs: inRegisters((s, { d, a }) => s.emit(s.dialect.names.vand, [d, a, s.dialect.literal(0x7fffffff)])),
  fneg: inRegisters((s, { d, a }) => s.emit(s.dialect.names.vxor, [d, a, s.dialect.literal(-0x80000000)])),
  fround: unary(({ round }) => round, toNearestEven),
  ffloor: unary(({ round }) => round, towardMinusInfinity),
  ffma: withMemory(["b", "a", "c"], multiplyAdd),
  i2f: unary("vcvtdq2ps"),
  f2i: inRegisters((s, { d, a }) => s.dialect.toInt(s, d, a)),

  vadd: commutative("vpaddd"),
  vsub: binary("vpsubd"),
  vadd16: commutative("vpaddw", false),
  vmul: commutative("vpmulld"),
  vand: commutative(({ vand }) => vand),
  vor: commutative(({ vor }) => vor),
  vxor: commutative(({ vxor }) => vxor),
  vshl: shifted("vpslld"),
  vshr: shifted("vpsrld"),
  vsar: shifted("vpsrad"),
  vlookup: withMemory(["a"], (s, { d, table }, { a }) => s.emit("vpshufb", [d, tableOf(s, table), a]), false),
  bf16pair: withMemory(["a"], pair),
  dotbf16: withMemory(["b", "a"], (s, { d, c }, { a, b }) => {
    if (isRegister(a)) accumulate(s, "vdpbf16ps", { d, a, b, c });
    else accumulate(s, "vdpbf16ps", { d, a: b as Reg, b: a, c });
  }),
  dotu8: withMemory(["b"], (s, { d, a, c }, { b }) => accumulate(s, "vpdpbusd", { d, a, b, c })),
  dots8: inRegisters((s, op) => dotSignedBytes(s, s.dialect, op)),
  pairsu8: withMemory(["b"], (s, { d, a }, { b }) => s.emit("vpmaddubsw", [d, a, b]), false),
  dot16: withMemory(["b", "a"], (s, { d, c }, { a, b }) => {
    if (isRegister(a)) accumulate(s, "vpdpwssd", { d, a, b, c });
    else accumulate(s, "vpdpwssd", { d, a: b as Reg, b: a, c });
  }),

  flt: compared,
  fle: compared,
  feq: compared,
  vlt: inRegisters((s, { op, d, a, b }) => s.dialect.compare(s, op, d, a, b)),
  veq: compared,
  select: withMemory(["a"], (s, { d, mask, b }, { a }) => s.dialect.select(s, d, s.physical(mask), a, b)),
  vkeep: inRegisters((s, { d, a, b, span }) => {
    if (span === "full") s.emit("vmovups", [d, a]);
    else s.dialect.keepFirst(s, d, a, b, span);
  }),

  rsum: inRegisters(reduce),
  rmax: inRegisters(reduce),
  vswap: unary("vpermilps", swapNeighbours),
  transpose: inRegisters(transpose),

  loop: inRegisters(loop),
  if: inRegisters(branch),
};

/** Where no instruction multiplies bytes, it takes several, which read the operands more than once. */
const withoutByteDots: Patterns = {
  ...patterns,
  dotu8: inRegisters((s, op) => dotBytes(s, s.dialect, op)),
  dot16: withMemory(
    ["b", "a"],
    (s, { d, c }, { a, b }) => {
      const products = s.register("vec");
      s.emit("vpmaddwd", [products, ...(isAddress(a) ? [b, a] : [a, b])]);
      s.emit("vpaddd", [d, c, products]);
    },
    false,
  ),
};

/** The rows of a target. */
export function patternsOf({ int8Dot }: Target): Patterns {
  return int8Dot ? patterns : withoutByteDots;
}

function notLegal(op: OpName): never {
  return fail("x64", `${op}: must be legalised before it is compiled`);
}

function lanesIn({ dialect }: Selection, span: Span): number {
  return span === "full" ? dialect.lanes : span;
}

function addresses(s: Selection, m: Mem, offsets: readonly number[]): Address[] {
  return offsets.map((offset) => s.address({ ...m, offset: m.offset + offset }));
}

function vectorConstant(s: Selection, d: Reg, bits: number): void {
  if (s.isWrittenOnce(d)) s.noteConstant(d);
  else if (bits === 0) return s.dialect.zero(s, d);
  s.dialect.constant(s, d, bits);
}

/** Three forms, by which operand the result replaces: one that d is, or that nothing else reads, else a copy of c. */
function multiplyAdd(s: Selection, { d, a, b, c }: OpOf<"ffma">, from: Readonly<Operands>): void {
  // A product's factors may change places: memory second, and what the result may replace first.
  const swap = isAddress(from.a) || (!isAddress(from.b) && (d.id === b.id || (s.isLast(b) && !s.isLast(a) && d.id !== a.id)));
  const [x, y, first] = swap ? [from.b, from.a, b] : [from.a, from.b, a];
  const addend = from.c;
  if (d.id === c.id) return s.emit("vfmadd231ps", [d, x, y]);
  if (d.id === first.id || isAddress(addend) || s.isLast(first)) {
    if (d.id !== first.id) s.emit("vmovups", [d, x]);
    return isAddress(y) ? s.emit("vfmadd132ps", [d, addend, y]) : s.emit("vfmadd213ps", [d, y, addend]);
  }
  if (isRegister(y) && d.id === y.id) return s.emit("vfmadd213ps", [d, x, addend]);
  s.emit("vmovups", [d, addend]);
  s.emit("vfmadd231ps", [d, x, y]);
}

/** The machine has b's in the upper half of the register and a's in the lower: words i and 16 + i become lane i. */
function pair(s: Selection, { d, b }: OpOf<"bf16pair">, { a }: Readonly<Operands>): void {
  const { lanes } = s.dialect;
  const halves = s.register("vec");
  const order = s.held(
    "vec",
    "vmovups",
    Array.from({ length: lanes }, (_, i) => i | ((i + lanes) << 16)),
  );
  s.emit("vcvtne2ps2bf16", [halves, b, a]);
  s.emit("vpermw", [d, order, halves]);
}

/** d = c + a · b. */
interface Accumulation {
  readonly d: Reg;
  readonly a: Reg;
  readonly b: Source;
  readonly c: Reg;
}

/** Instructions that add to what their first operand holds: through a register of its own where d is also a factor. */
function accumulate(s: Selection, name: "vdpbf16ps" | "vpdpbusd" | "vpdpwssd", { d, a, b, c }: Accumulation): void {
  const isFactor = d.id === a.id || (isRegister(b) && d.id === b.id);
  const result = d.id !== c.id && isFactor ? s.register("vec") : d;
  if (result.id !== c.id) s.emit("vmovups", [result, c]);
  s.emit(name, [result, a, b]);
  if (result.id !== d.id) s.emit("vmovups", [d, result]);
}

/** A register with the table in each of its parts. */
function tableOf(s: Selection, table: readonly number[]): Reg {
  return s.held("vec", "vmovups", Array.from({ length: s.dialect.lanes / 4 }, () => wordsOfBytes(table)).flat());
}

/** Halves first. Each step leaves its result in both halves, so the last leaves it everywhere; of maxima lane 0 is spread: see below. */
function reduce(s: Selection, { op, d, a }: OpOf<"rsum" | "rmax">): void {
  let value = a;
  for (let distance = s.dialect.lanes / 2; distance >= 1; distance /= 2) {
    const moved = s.register("vec");
    const joined = s.register("vec");
    if (distance >= 4) s.dialect.swapBlocks(s, moved, value, distance);
    else s.emit("vpermilps", [moved, value, distance === 2 ? swapPairs : swapNeighbours]);
    s.emit(op === "rsum" ? "vaddps" : "vmaxps", op === "rsum" ? [joined, value, moved] : [joined, moved, value]);
    value = joined;
  }
  // The order of the operands decides between zeros of both signs, and beside NaN.
  s.emit(op === "rsum" ? "vmovups" : "vbroadcastss", [d, value]);
}

/** Lanes of four rows interleaved, then their pairs: blocks of four lanes, which then change places. */
function transpose(s: Selection, { d, a }: OpOf<"transpose">): void {
  const groups = a.length / 4;
  const blocks: Reg[][] = [[], [], [], []];
  for (let group = 0; group < groups; group++)
    transposeFour(s, a.slice(group * 4, group * 4 + 4)).forEach((column, j) => blocks[j]!.push(column));
  blocks.forEach((rows, j) =>
    s.dialect.transposeBlocks(
      s,
      d.filter((_, column) => column % 4 === j),
      rows,
    ),
  );
}

function transposeFour(s: Selection, [a, b, c, d]: readonly Reg[]): Reg[] {
  const make = (name: InstructionName, ...operands: Operand[]) => {
    const made = s.register("vec");
    s.emit(name, [made, ...operands]);
    return made;
  };
  // Two rows at a time are used up in this order.
  const [low01, high01] = [make("vunpcklps", a!, b!), make("vunpckhps", a!, b!)];
  const [low23, high23] = [make("vunpcklps", c!, d!), make("vunpckhps", c!, d!)];
  return [
    make("vshufps", low01, low23, 0x44),
    make("vshufps", low01, low23, 0xee),
    make("vshufps", high01, high23, 0x44),
    make("vshufps", high01, high23, 0xee),
  ];
}

/** i = from; if (i < to) do { body; i += step } while (i < to). Unsigned: i may be an address. */
function loop(s: Selection, op: OpOf<"loop">): void {
  const { i, from, to, step, body } = op;
  const limit = int32Operand(s, to);
  const [top, end] = [s.label(), s.label()];
  if (isReg(from)) s.emit("mov", [i, from]);
  else loadConstant(s, i, from);
  const runs = typeof from === "number" && typeof to === "number";
  if (runs && from >= to) return;
  if (!runs) {
    compareInts(s, i, limit);
    s.emit("jae", [end]);
  }
  s.mark(top);
  s.block(body, op);
  add(s, i, i, int32Operand(s, step));
  compareInts(s, i, limit);
  s.emit("jb", [top]);
  s.mark(end);
}

function branch(s: Selection, op: OpOf<"if">): void {
  const [other, end] = [s.label(), s.label()];
  compareInts(s, op.a, int32Operand(s, op.b));
  s.emit(jumpUnless[op.relation], [other]);
  s.block(op.whenTrue, op);
  if (op.otherwise.length > 0) s.emit("jmp", [end]);
  s.mark(other);
  s.block(op.otherwise, op);
  s.mark(end);
}

const jumpUnless: Record<Relation, InstructionName> = { "<": "jge", "<=": "jg", ">": "jle", ">=": "jl", "==": "jne", "!=": "je" };
