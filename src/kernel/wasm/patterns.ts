// What each op of IR becomes in WebAssembly: one row per op.
import { fail } from "../../base/index.ts";
import type { Mem, Reg, Relation, Span } from "../ir.ts";
import { narrowBytes, wordsOfBytes } from "../narrow.ts";
import { type Fields, type OpName, type OpOf, ops } from "../ops.ts";
import { type TailMove, tailMoves } from "../tail-moves.ts";
import { control, emptyBlock, type IntegerName, integer, type SimdName, simd, unsigned } from "./encoding.ts";

/** The code of a function as it grows: what a row needs of it. Values go through the machine's stack. */
export interface Code {
  /** Whether the instructions of relaxed SIMD may be used. */
  readonly isRelaxed: boolean;
  emit(...bytes: readonly number[]): void;
  simd(name: SimdName): void;
  /** A vector instruction with an address, which lies on the stack. @param alignment its binary logarithm. */
  memory(name: SimdName, alignment: number, offset: number): void;
  /** Pushes base and index; the offset belongs to the instruction. */
  address(m: Mem): void;
  int(value: Reg | number): void;
  const(value: number): void;
  vectorConst(values: readonly number[], type: "f32" | "i32"): void;
  /** Pushes lanes of a (0 to 3) and b (4 to 7). */
  shuffle(a: Reg, b: Reg, lanes: readonly number[]): void;
  get(reg: Reg): void;
  /** Pops into a register. */
  set(reg: Reg): void;
  /** Puts the top of the stack into a register and leaves it there. */
  tee(reg: Reg): void;
  block(ops: OpOf<"loop">["body"]): void;
}

/** The instructions that turn an op's operands, in the row's order, into its result; or a function, where an op is more than that. */
type Row<N extends OpName> = readonly (IntegerName | SimdName)[] | ((code: Code, op: OpOf<N>) => void);

const table: { readonly [N in OpName]: Row<N> } = {
  iconst: [],
  imov: [],
  iadd: ["i32.add"],
  isub: ["i32.sub"],
  imul: ["i32.mul"],
  imin: (code, op) => choose(code, op, "i32.lt_s"),
  imax: (code, op) => choose(code, op, "i32.gt_s"),
  ishl: ["i32.shl"],
  ishr: ["i32.shr_u"],
  iand: ["i32.and"],
  idiv: ["i32.div_u"],
  irem: ["i32.rem_u"],
  iload: (code, { d, m, type }) => loadInt(code, d, m, type),
  istore(code, { a, m }) {
    code.address(m);
    code.get(a);
    code.emit(integer["i32.store"], 2, ...unsigned(m.offset));
  },

  vload: (code, { d, m, span }) => load(code, d, m, span),
  vstore: (code, { a, m, span }) => store(code, a, m, span),
  vloadNarrow: (code, op) => loadNarrow(code, op),
  vstoreNarrow: (code, op) => storeNarrow(code, op),
  vloadParts(code, { d, m, offsets: [offset] }) {
    code.address(m);
    code.memory("v128.load", 0, m.offset + offset!);
    code.set(d);
  },
  vsplatParts(code, { op, d, m, offsets: [offset], type }) {
    if (type === "f16") return notLegal(op);
    const { name, align } = intLoads[type];
    code.address(m);
    code.emit(integer[name], align, ...unsigned(m.offset + offset!));
    code.simd("i32x4.splat");
    code.set(d);
  },
  vsplat(code, { d, m }) {
    code.address(m);
    code.memory("v128.load32_splat", 2, m.offset);
    code.set(d);
  },
  prefetch: () => undefined,

  vconst(code, { d, value, type }) {
    code.vectorConst([value, value, value, value], type);
    code.set(d);
  },
  viota(code, { d }) {
    code.vectorConst([0, 1, 2, 3], "i32");
    code.set(d);
  },
  vsplati: ["i32x4.splat"],
  vmov: [],

  fadd: ["f32x4.add"],
  fsub: ["f32x4.sub"],
  fmul: ["f32x4.mul"],
  fdiv: ["f32x4.div"],
  fmin: ["f32x4.pmin"],
  fmax: ["f32x4.pmax"],
  fsqrt: ["f32x4.sqrt"],
  fabs: ["f32x4.abs"],
  fneg: ["f32x4.neg"],
  fround: ["f32x4.nearest"],
  ffloor: ["f32x4.floor"],
  ffma: (code, op) => multiplyAdd(code, op),
  i2f: ["f32x4.convert_i32x4_s"],
  f2i: ["i32x4.trunc_sat_f32x4_s"],

  vadd: ["i32x4.add"],
  vsub: ["i32x4.sub"],
  vadd16: ["i16x8.add"],
  vmul: ["i32x4.mul"],
  vand: ["v128.and"],
  vor: ["v128.or"],
  vxor: ["v128.xor"],
  vshl: ["i32x4.shl"],
  vshr: ["i32x4.shr_u"],
  vsar: ["i32x4.shr_s"],
  vlookup(code, { d, a, table }) {
    code.vectorConst(wordsOfBytes(table), "i32");
    code.get(a);
    code.simd("i8x16.swizzle");
    code.set(d);
  },
  bf16pair: (_, { op }) => notLegal(op),
  dotbf16: (_, { op }) => notLegal(op),
  dotu8: (code, op) => dotBytes(code, op),
  dots8: (code, op) => dotBytes(code, op),
  pairsu8: (code, op) => bytePairs(code, op),
  dot16(code, { d, a, b, c }) {
    for (const reg of [c, a, b]) code.get(reg);
    code.simd("i32x4.dot_i16x8_s");
    code.simd("i32x4.add");
    code.set(d);
  },

  flt: ["f32x4.lt"],
  fle: ["f32x4.le"],
  feq: ["f32x4.eq"],
  vlt: ["i32x4.lt_s"],
  veq: ["i32x4.eq"],
  select: (code, { d, mask, a, b }) => blend(code, d, a, b, () => code.get(mask)),
  vkeep: (code, { d, a, b, span }) =>
    blend(code, d, a, b, () =>
      code.vectorConst(
        [0, 1, 2, 3].map((i) => (span === "full" || i < span ? -1 : 0)),
        "i32",
      ),
    ),

  rsum: (code, op) => reduce(code, op, "f32x4.add"),
  rmax: (code, op) => reduce(code, op, "f32x4.pmax"),
  vswap: (code, { d, a }) => shuffled(code, d, a, [1, 0, 3, 2]),
  transpose: (code, op) => transpose(code, op),

  loop: (code, op) => loop(code, op),
  if(code, { a, relation, b, whenTrue, otherwise }) {
    code.get(a);
    code.int(b);
    code.emit(integer[relations[relation]], control.if, emptyBlock);
    code.block(whenTrue);
    if (otherwise.length > 0) code.emit(control.else);
    code.block(otherwise);
    code.emit(control.end);
  },
};

/** A row as a function body reads it. */
interface Pattern {
  /** The fields to push before the instructions. */
  readonly operands: readonly string[];
  readonly instructions: readonly number[];
  /** Writes all of the op, in place of the above. */
  readonly write: ((code: Code, op: OpOf<OpName>) => void) | undefined;
}

/** What to write for an op, by its name. */
export const patterns = Object.fromEntries(
  Object.entries(table).map(([name, row]) => [name, read(row as Row<OpName>, ops[name as OpName].fields)]),
) as Readonly<Record<OpName, Pattern>>;

function read(row: Row<OpName>, fields: Fields): Pattern {
  if (typeof row === "function") return { operands: [], instructions: [], write: row };
  const operands = Object.keys(fields).filter((name) => name !== "d");
  return {
    operands,
    instructions: row.flatMap((name) => (name in integer ? [integer[name as IntegerName]] : opcode(name as SimdName))),
    write: undefined,
  };
}

function opcode(name: SimdName): number[] {
  return [0xfd, ...unsigned(simd[name])];
}

function notLegal(op: OpName): never {
  return fail("wasm", `${op}: must be legalised before it is compiled`);
}

/** The operand for which the comparison holds: a if a < b, or if a > b. */
function choose(code: Code, { d, a, b }: OpOf<"imin" | "imax">, comparison: IntegerName): void {
  for (const operand of [a, b, a, b]) code.int(operand);
  code.emit(integer[comparison], integer.select);
  code.set(d);
}

const intLoads = {
  i32: { name: "i32.load", align: 2 },
  u16: { name: "i32.load16_u", align: 1 },
  u8: { name: "i32.load8_u", align: 0 },
  i8: { name: "i32.load8_s", align: 0 },
} as const;

function loadInt(code: Code, d: Reg, m: Mem, type: keyof typeof intLoads): void {
  const { name, align } = intLoads[type];
  code.address(m);
  code.emit(integer[name], align, ...unsigned(m.offset));
  code.set(d);
}

function load(code: Code, d: Reg, m: Mem, span: Span): void {
  code.address(m);
  if (span === "full") code.memory("v128.load", 2, m.offset);
  else if (span === 1) code.memory("v128.load32_zero", 2, m.offset);
  else code.memory("v128.load64_zero", 2, m.offset);
  code.set(d);
  if (span !== 3) return;
  code.address(m);
  code.get(d);
  code.memory("v128.load32_lane", 2, m.offset + 8);
  code.emit(2);
  code.set(d);
}

function store(code: Code, a: Reg, m: Mem, span: Span): void {
  if (span === 1 || span === 3) {
    code.address(m);
    code.get(a);
    code.memory("v128.store32_lane", 2, m.offset + (span - 1) * 4);
    code.emit(span - 1);
  }
  if (span === 1) return;
  code.address(m);
  code.get(a);
  code.memory(span === "full" ? "v128.store" : "v128.store64_lane", 2, m.offset);
  if (span !== "full") code.emit(0);
}

const widen = {
  u16: ["i32x4.extend_low_i16x8_u"],
  i8: ["i16x8.extend_low_i8x16_s", "i32x4.extend_low_i16x8_s"],
  u8: ["i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u"],
} as const;

function loadNarrow(code: Code, { op, d, m, span, type }: OpOf<"vloadNarrow">): void {
  if (type === "f16" || type === "bf16") return notLegal(op);
  const [first, ...more] = tailMoves(narrowBytes[type] * (span === "full" ? 4 : span));
  loadTail(code, m, first!, undefined);
  code.set(d);
  for (const move of more) {
    loadTail(code, m, move, d);
    code.set(d);
  }
  code.get(d);
  for (const name of widen[type]) code.simd(name);
  code.set(d);
}

const loadLane = { 1: "v128.load8_lane", 2: "v128.load16_lane", 4: "v128.load32_lane" } as const;

/** Some bytes into a vector that exists, or into zeros. */
function loadTail(code: Code, m: Mem, { offset, bytes }: TailMove, into: Reg | undefined): void {
  code.address(m);
  if (!into && bytes >= 4) return code.memory(bytes === 8 ? "v128.load64_zero" : "v128.load32_zero", 0, m.offset + offset);
  if (into) code.get(into);
  else code.vectorConst([0, 0, 0, 0], "i32");
  code.memory(loadLane[bytes as keyof typeof loadLane], 0, m.offset + offset); // 8 bytes come first, and into nothing
  code.emit(offset / bytes);
}

const storeLane = { 1: "v128.store8_lane", 2: "v128.store16_lane", 4: "v128.store32_lane", 8: "v128.store64_lane" } as const;

/** Puts the elements' bytes side by side, then stores them in a few moves. */
function storeNarrow(code: Code, { op, a, m, span, type }: OpOf<"vstoreNarrow">): void {
  if (type === "f16" || type === "bf16") return notLegal(op);
  const size = narrowBytes[type];
  const order = Array.from({ length: 16 }, (_, i) => Math.floor((i % (4 * size)) / size) * 4 + (i % size));
  for (const { offset, bytes } of tailMoves(size * (span === "full" ? 4 : span))) {
    code.address(m);
    code.get(a);
    code.get(a);
    code.simd("i8x16.shuffle");
    code.emit(...order);
    code.memory(storeLane[bytes], 0, m.offset + offset);
    code.emit(offset / bytes);
  }
}

/** The largest byte that relaxed dot products multiply with one result on all machines. */
const relaxedMost = 127;

/**
 * Relaxed SIMD multiplies small bytes in pairs; else it is c + even bytes' products + odd bytes' products, each of 16 bits times 16 bits in pairs.
 * The instruction for four, i32x4.relaxed_dot_i8x16_i7x16_add_s, fails this op's test in V8 11.3.
 */
function dotBytes(code: Code, op: OpOf<"dotu8" | "dots8">): void {
  const { d, a, b, c } = op;
  if (op.op === "dotu8" && code.isRelaxed && op.most <= relaxedMost) {
    for (const reg of [c, b, a]) code.get(reg);
    code.simd("i16x8.relaxed_dot_i8x16_i7x16_s");
    code.vectorConst(Array<number>(4).fill(0x00010001), "i32");
    code.simd("i32x4.dot_i16x8_s");
    code.simd("i32x4.add");
    return code.set(d);
  }
  code.get(c);
  code.get(a);
  if (op.op === "dotu8") {
    code.vectorConst(Array<number>(4).fill(0x00ff00ff), "i32");
    code.simd("v128.and");
  } else evenSigned(code);
  code.get(b);
  evenSigned(code);
  code.simd("i32x4.dot_i16x8_s");
  code.simd("i32x4.add");
  code.get(a);
  shift(code, op.op === "dotu8" ? "i16x8.shr_u" : "i16x8.shr_s", 8);
  code.get(b);
  shift(code, "i16x8.shr_s", 8);
  code.simd("i32x4.dot_i16x8_s");
  code.simd("i32x4.add");
  code.set(d);
}

/** Even bytes' products + odd bytes' products, as numbers of 16 bits. */
function bytePairs(code: Code, { d, a, b, most }: OpOf<"pairsu8">): void {
  if (code.isRelaxed && most <= relaxedMost) {
    for (const reg of [b, a]) code.get(reg);
    code.simd("i16x8.relaxed_dot_i8x16_i7x16_s");
    return code.set(d);
  }
  code.get(a);
  code.vectorConst(Array<number>(4).fill(0x00ff00ff), "i32");
  code.simd("v128.and");
  code.get(b);
  evenSigned(code);
  code.simd("i16x8.mul");
  code.get(a);
  shift(code, "i16x8.shr_u", 8);
  code.get(b);
  shift(code, "i16x8.shr_s", 8);
  code.simd("i16x8.mul");
  code.simd("i16x8.add");
  code.set(d);
}

function evenSigned(code: Code): void {
  shift(code, "i16x8.shl", 8);
  shift(code, "i16x8.shr_s", 8);
}

function shift(code: Code, name: SimdName, bits: number): void {
  code.const(bits);
  code.simd(name);
}

function multiplyAdd(code: Code, { d, a, b, c }: OpOf<"ffma">): void {
  if (code.isRelaxed) {
    for (const reg of [a, b, c]) code.get(reg);
    code.simd("f32x4.relaxed_madd");
  } else {
    code.get(c);
    code.get(a);
    code.get(b);
    code.simd("f32x4.mul");
    code.simd("f32x4.add");
  }
  code.set(d);
}

/** The bits of a where those of the mask are set, else those of b. */
function blend(code: Code, d: Reg, a: Reg, b: Reg, pushMask: () => void): void {
  code.get(a);
  code.get(b);
  pushMask();
  code.simd("v128.bitselect");
  code.set(d);
}

function shuffled(code: Code, d: Reg, a: Reg, lanes: readonly number[]): void {
  code.shuffle(a, a, lanes);
  code.set(d);
}

/** Halves first: lanes 0, 1 with 2, 3; then 0 with 1. */
function reduce(code: Code, { d, a }: OpOf<"rsum" | "rmax">, join: SimdName): void {
  code.get(a);
  code.shuffle(a, a, [2, 3, 0, 1]);
  code.simd(join);
  code.set(d);
  code.get(d);
  code.shuffle(d, d, [1, 0, 3, 2]);
  code.simd(join);
  code.set(d);
  // Every lane must hold the same bits: 0 + 1 and 1 + 0 do, maximum of NaN and numbers does not, so lane 0 is spread.
  shuffled(code, d, d, [0, 0, 0, 0]);
}

/** Four rows to four columns in eight shuffles: pairs of rows interleaved, then pairs of pairs. */
function transpose(code: Code, { d, a }: OpOf<"transpose">): void {
  const [a0, a1, a2, a3] = a as [Reg, Reg, Reg, Reg];
  const [d0, d1, d2, d3] = d as [Reg, Reg, Reg, Reg];
  const put = (to: Reg, x: Reg, y: Reg, lanes: number[]) => {
    code.shuffle(x, y, lanes);
    code.set(to);
  };
  put(d0, a0, a1, [0, 4, 1, 5]);
  put(d1, a2, a3, [0, 4, 1, 5]);
  put(d2, a0, a1, [2, 6, 3, 7]);
  put(d3, a2, a3, [2, 6, 3, 7]);
  // Each pair still needs both halves, so one of them waits on the stack.
  for (const [x, y] of [
    [d0, d1],
    [d2, d3],
  ] as const) {
    code.shuffle(x, y, [0, 1, 4, 5]);
    code.shuffle(x, y, [2, 3, 6, 7]);
    code.set(y);
    code.set(x);
  }
}

/** i = from; if (i < to) do { body; i += step } while (i < to). Unsigned: i may be an address beyond 2 GiB. */
function loop(code: Code, { i, from, to, step, body }: OpOf<"loop">): void {
  code.int(from);
  code.tee(i);
  code.int(to);
  code.emit(integer["i32.lt_u"], control.if, emptyBlock, control.loop, emptyBlock);
  code.block(body);
  code.get(i);
  code.const(step);
  code.emit(integer["i32.add"]);
  code.tee(i);
  code.int(to);
  code.emit(integer["i32.lt_u"], control.br_if, 0, control.end, control.end);
}

const relations: Record<Relation, IntegerName> = {
  "<": "i32.lt_s",
  "<=": "i32.le_s",
  ">": "i32.gt_s",
  ">=": "i32.ge_s",
  "==": "i32.eq",
  "!=": "i32.ne",
};
