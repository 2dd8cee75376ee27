// IR → the body of a WebAssembly function: a virtual register is a local, a loop is a loop. V8 schedules and allocates registers.
import { fail } from "../../base/index.ts";
import { expand } from "../expand.ts";
import type { Kernel, Mem, Op, Reg, Relation, Span, Target } from "../ir.ts";
import { narrowBytes } from "../narrow.ts";
import { eachOp, operandsOf } from "../operands.ts";
import { type Piece, piecesOf } from "../pieces.ts";
import { control, emptyBlock, integer, signed, simd, unsigned, valueType } from "./encoding.ts";

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
  halfLoads: false,
  compiledAgain: true,
  tile,
};
/** With relaxed SIMD, whose multiply-add is one instruction where the machine has it. */
export const wasmRelaxed: Target = { ...wasm128, name: "wasm+fma", fusedMultiplyAdd: true };

/** A code entry of the module's code section: locals, then instructions. */
export function lower(given: Kernel): Uint8Array {
  const kernel = expand(given, { f16: false, bf16: false });
  const locals = assignLocals(kernel);
  const code = new Emitter(locals.index, kernel.target);
  code.block(kernel.body);
  const header = [unsigned(locals.groups.length), ...locals.groups.map(([count, type]) => [...unsigned(count), type])].flat();
  return Uint8Array.from([...header, ...code.bytes, control.end]);
}

/** Parameters come first, then all int locals, then all vectors. Loops hold their bound in a local of their own. */
function assignLocals(kernel: Kernel) {
  const ints = new Set<number>();
  const vectors = new Set<number>();
  const params = new Set(kernel.params.map((p) => p.reg.id));
  eachOp(kernel.body, (op) => {
    for (const reg of operandsOf(op).writes) if (!params.has(reg.id)) (reg.kind === "int" ? ints : vectors).add(reg.id);
  });
  const order = [...kernel.params.map((p) => p.reg.id), ...ints, ...vectors];
  const groups = [
    [ints.size, valueType.i32],
    [vectors.size, valueType.v128],
  ] as const;
  return { index: new Map(order.map((id, i) => [id, i])), groups };
}

class Emitter {
  readonly bytes: number[] = [];
  readonly #local: ReadonlyMap<number, number>;
  readonly #target: Target;

  constructor(local: ReadonlyMap<number, number>, target: Target) {
    this.#local = local;
    this.#target = target;
  }

  block(ops: readonly Op[]): void {
    for (const op of ops) this.#op(op);
  }

  #op(op: Op): void {
    switch (op.op) {
      case "iconst":
        this.#const(op.value);
        return this.#set(op.d);
      case "imov":
      case "vmov":
        this.#get(op.a);
        return this.#set(op.d);
      case "iadd":
      case "isub":
      case "imul":
        this.#int(op.a);
        this.#int(op.b);
        this.#emit(integer[intInstruction[op.op]]);
        return this.#set(op.d);
      case "imin":
      case "imax":
        this.#int(op.a);
        this.#int(op.b);
        this.#int(op.a);
        this.#int(op.b);
        this.#emit(integer[op.op === "imin" ? "i32.lt_s" : "i32.gt_s"], integer.select);
        return this.#set(op.d);
      case "ishl":
      case "ishr":
      case "iand":
      case "idiv":
      case "irem":
        this.#get(op.a);
        this.#const(op.b);
        this.#emit(integer[intInstruction[op.op]]);
        return this.#set(op.d);
      case "iload":
        this.#address(op.m);
        this.#emit(integer[intLoads[op.type].name], intLoads[op.type].align, ...unsigned(op.m.offset));
        return this.#set(op.d);
      case "istore":
        this.#address(op.m);
        this.#get(op.a);
        return this.#emit(integer["i32.store"], 2, ...unsigned(op.m.offset));
      case "vconst":
        this.#vectorConst(
          Array.from({ length: 4 }, () => op.value),
          op.type,
        );
        return this.#set(op.d);
      case "viota":
        this.#vectorConst([0, 1, 2, 3], "i32");
        return this.#set(op.d);
      case "vload":
        return this.#load(op.d, op.m, op.span);
      case "vstore":
        return this.#store(op.a, op.m, op.span);
      case "vloadNarrow":
        return this.#loadNarrow(op);
      case "vstoreNarrow":
        return this.#storeNarrow(op);
      case "vloadParts":
        this.#address(op.m);
        this.#memory("v128.load", 0, op.m.offset + op.offsets[0]!);
        return this.#set(op.d);
      case "vsplatParts": {
        const { name, align } = intLoads[op.type as keyof typeof intLoads];
        this.#address(op.m);
        this.#emit(integer[name], align, ...unsigned(op.m.offset + op.offsets[0]!));
        this.#simd("i32x4.splat");
        return this.#set(op.d);
      }
      case "vspread":
        this.#shuffle(op.a, op.a, Array<number>(4).fill(op.from[0]!));
        return this.#set(op.d);
      case "dotu8":
        return this.#dotBytes(op.d, op.a, op.b, op.c);
      case "prefetch":
        return;
      case "bf16pair":
      case "dotbf16":
        return fail("wasm", `${op.op}: must be expanded before it is lowered`);
      case "vsplat":
        this.#address(op.m);
        this.#memory("v128.load32_splat", 2, op.m.offset);
        return this.#set(op.d);
      case "vsplati":
        return this.#unary(op.d, op.a, "i32x4.splat");
      case "fsqrt":
      case "fabs":
      case "fneg":
      case "fround":
      case "ffloor":
      case "i2f":
      case "f2i":
        return this.#unary(op.d, op.a, unary[op.op]);
      case "vshl":
      case "vshr":
      case "vsar":
        this.#get(op.a);
        this.#const(op.b);
        this.#simd(shift[op.op]);
        return this.#set(op.d);
      case "ffma":
        return this.#multiplyAdd(op.d, op.a, op.b, op.c);
      case "fmin":
      case "fmax":
        // pmin(x, y) is y < x ? y : x, as IR defines it.
        return this.#binary(op.d, op.a, op.b, op.op === "fmin" ? "f32x4.pmin" : "f32x4.pmax");
      case "fadd":
      case "fsub":
      case "fmul":
      case "fdiv":
      case "vadd":
      case "vsub":
      case "vmul":
      case "vand":
      case "vor":
      case "vxor":
      case "flt":
      case "fle":
      case "feq":
      case "vlt":
      case "veq":
        return this.#binary(op.d, op.a, op.b, binary[op.op]);
      case "select":
        this.#get(op.a);
        this.#get(op.b);
        this.#get(op.mask);
        this.#simd("v128.bitselect");
        return this.#set(op.d);
      case "vkeep":
        this.#get(op.a);
        this.#get(op.b);
        this.#vectorConst(
          [0, 1, 2, 3].map((i) => (op.span === "full" || i < op.span ? -1 : 0)),
          "i32",
        );
        this.#simd("v128.bitselect");
        return this.#set(op.d);
      case "rsum":
      case "rmax":
        return this.#reduce(op.d, op.a, op.op === "rsum" ? "f32x4.add" : "f32x4.pmax");
      case "vswap":
        this.#shuffle(op.a, op.a, [1, 0, 3, 2]);
        return this.#set(op.d);
      case "transpose":
        return this.#transpose(op.d, op.a);
      case "loop":
        return this.#loop(op);
      case "if":
        this.#get(op.a);
        this.#int(op.b);
        this.#emit(integer[relation[op.relation]], control.if, emptyBlock);
        this.block(op.whenTrue);
        if (op.otherwise.length > 0) this.#emit(control.else);
        this.block(op.otherwise);
        return this.#emit(control.end);
      default:
        op satisfies never;
    }
  }

  /** i = from; if (i < to) do { body; i += step } while (i < to). Unsigned: i may be an address beyond 2 GiB. */
  #loop(op: Extract<Op, { op: "loop" }>): void {
    this.#int(op.from);
    this.#emit(control["local.tee"], ...this.#index(op.i));
    this.#int(op.to);
    this.#emit(integer["i32.lt_u"], control.if, emptyBlock, control.loop, emptyBlock);
    this.block(op.body);
    this.#get(op.i);
    this.#const(op.step);
    this.#emit(integer["i32.add"], control["local.tee"], ...this.#index(op.i));
    this.#int(op.to);
    this.#emit(integer["i32.lt_u"], control.br_if, 0, control.end, control.end);
  }

  #load(d: Reg, m: Mem, span: Span): void {
    this.#address(m);
    if (span === "full") this.#memory("v128.load", 2, m.offset);
    else if (span === 1) this.#memory("v128.load32_zero", 2, m.offset);
    else this.#memory("v128.load64_zero", 2, m.offset);
    this.#set(d);
    if (span !== 3) return;
    this.#address(m);
    this.#get(d);
    this.#memory("v128.load32_lane", 2, m.offset + 8);
    this.#emit(2);
    this.#set(d);
  }

  #store(a: Reg, m: Mem, span: Span): void {
    if (span === 1 || span === 3) {
      this.#address(m);
      this.#get(a);
      this.#memory("v128.store32_lane", 2, m.offset + (span - 1) * 4);
      this.#emit(span - 1);
    }
    if (span === 1) return;
    this.#address(m);
    this.#get(a);
    this.#memory(span === "full" ? "v128.store" : "v128.store64_lane", 2, m.offset);
    if (span !== "full") this.#emit(0);
  }

  #loadNarrow({ d, m, span, type }: Extract<Op, { op: "vloadNarrow" }>): void {
    const [first, ...more] = piecesOf(narrowBytes[type] * (span === "full" ? 4 : span));
    this.#loadPiece(m, first!, undefined);
    this.#set(d);
    for (const piece of more) {
      this.#loadPiece(m, piece, d);
      this.#set(d);
    }
    this.#get(d);
    for (const name of widen[type as keyof typeof widen]) this.#simd(name);
    this.#set(d);
  }

  /** Some bytes into a vector that exists, or into zeros. */
  #loadPiece(m: Mem, { offset, bytes }: Piece, into: Reg | undefined): void {
    this.#address(m);
    if (!into && bytes >= 4) return this.#memory(bytes === 8 ? "v128.load64_zero" : "v128.load32_zero", 0, m.offset + offset);
    if (into) this.#get(into);
    else this.#vectorConst([0, 0, 0, 0], "i32");
    this.#memory(loadLane[bytes as keyof typeof loadLane], 0, m.offset + offset);
    this.#emit(offset / bytes);
  }

  /** The elements' bytes side by side, then in pieces. */
  #storeNarrow({ a, m, span, type }: Extract<Op, { op: "vstoreNarrow" }>): void {
    const size = narrowBytes[type];
    const order = Array.from({ length: 16 }, (_, i) => Math.floor((i % (4 * size)) / size) * 4 + (i % size));
    for (const { offset, bytes } of piecesOf(size * (span === "full" ? 4 : span))) {
      this.#address(m);
      this.#get(a);
      this.#get(a);
      this.#simd("i8x16.shuffle");
      this.#emit(...order);
      this.#memory(storeLane[bytes], 0, m.offset + offset);
      this.#emit(offset / bytes);
    }
  }

  /** c + even bytes' products + odd bytes' products, each of 16 bits times 16 bits in pairs. */
  #dotBytes(d: Reg, a: Reg, b: Reg, c: Reg): void {
    this.#get(c);
    this.#get(a);
    this.#vectorConst(Array<number>(4).fill(0x00ff00ff), "i32");
    this.#simd("v128.and");
    this.#get(b);
    this.#shift("i16x8.shl", 8);
    this.#shift("i16x8.shr_s", 8);
    this.#simd("i32x4.dot_i16x8_s");
    this.#simd("i32x4.add");
    this.#get(a);
    this.#shift("i16x8.shr_u", 8);
    this.#get(b);
    this.#shift("i16x8.shr_s", 8);
    this.#simd("i32x4.dot_i16x8_s");
    this.#simd("i32x4.add");
    this.#set(d);
  }

  #shift(name: keyof typeof simd, bits: number): void {
    this.#const(bits);
    this.#simd(name);
  }

  #multiplyAdd(d: Reg, a: Reg, b: Reg, c: Reg): void {
    if (this.#target.fusedMultiplyAdd) {
      for (const reg of [a, b, c]) this.#get(reg);
      this.#simd("f32x4.relaxed_madd");
    } else {
      this.#get(c);
      this.#get(a);
      this.#get(b);
      this.#simd("f32x4.mul");
      this.#simd("f32x4.add");
    }
    this.#set(d);
  }

  /** Halves first: lanes 0, 1 with 2, 3; then 0 with 1. */
  #reduce(d: Reg, a: Reg, join: "f32x4.add" | "f32x4.pmax"): void {
    this.#get(a);
    this.#shuffle(a, a, [2, 3, 0, 1]);
    this.#simd(join);
    this.#set(d);
    this.#get(d);
    this.#shuffle(d, d, [1, 0, 3, 2]);
    this.#simd(join);
    this.#set(d);
    // Every lane must hold the same bits: 0 + 1 and 1 + 0 do, maximum of NaN and numbers does not, so lane 0 is spread.
    this.#shuffle(d, d, [0, 0, 0, 0]);
    this.#set(d);
  }

  /** Four rows to four columns in eight shuffles: pairs of rows interleaved, then pairs of pairs. */
  #transpose(d: readonly Reg[], a: readonly Reg[]): void {
    const [a0, a1, a2, a3] = a as [Reg, Reg, Reg, Reg];
    const [d0, d1, d2, d3] = d as [Reg, Reg, Reg, Reg];
    const put = (to: Reg, x: Reg, y: Reg, lanes: number[]) => {
      this.#shuffle(x, y, lanes);
      this.#set(to);
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
      this.#shuffle(x, y, [0, 1, 4, 5]);
      this.#shuffle(x, y, [2, 3, 6, 7]);
      this.#set(y);
      this.#set(x);
    }
  }

  #shuffle(a: Reg, b: Reg, lanes: readonly number[]): void {
    this.#get(a);
    this.#get(b);
    this.#simd("i8x16.shuffle");
    this.#emit(...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)));
  }

  #unary(d: Reg, a: Reg, name: keyof typeof simd): void {
    this.#get(a);
    this.#simd(name);
    this.#set(d);
  }

  #binary(d: Reg, a: Reg, b: Reg, name: keyof typeof simd): void {
    this.#get(a);
    this.#get(b);
    this.#simd(name);
    this.#set(d);
  }

  #vectorConst(values: readonly number[], type: "f32" | "i32"): void {
    const lanes = type === "f32" ? new Float32Array(values) : new Int32Array(values);
    this.#simd("v128.const");
    this.#emit(...new Uint8Array(lanes.buffer));
  }

  #address(m: Mem): void {
    this.#get(m.base);
    if (!m.index) return;
    this.#get(m.index);
    this.#emit(integer["i32.add"]);
  }

  #memory(name: keyof typeof simd, alignment: number, offset: number): void {
    this.#simd(name);
    this.#emit(alignment, ...unsigned(offset));
  }

  #simd(name: keyof typeof simd): void {
    this.#emit(0xfd, ...unsigned(simd[name]));
  }

  #int(value: Reg | number): void {
    if (typeof value === "number") this.#const(value);
    else this.#get(value);
  }

  #const(value: number): void {
    this.#emit(integer["i32.const"], ...signed(value));
  }

  #get(reg: Reg): void {
    this.#emit(control["local.get"], ...this.#index(reg));
  }

  #set(reg: Reg): void {
    this.#emit(control["local.set"], ...this.#index(reg));
  }

  #index(reg: Reg): number[] {
    return unsigned(this.#local.get(reg.id)!);
  }

  #emit(...bytes: number[]): void {
    for (const byte of bytes) this.bytes.push(byte);
  }
}

const intInstruction = {
  iadd: "i32.add",
  isub: "i32.sub",
  imul: "i32.mul",
  ishl: "i32.shl",
  ishr: "i32.shr_u",
  iand: "i32.and",
  idiv: "i32.div_u",
  irem: "i32.rem_u",
} as const;

const intLoads = {
  i32: { name: "i32.load", align: 2 },
  u16: { name: "i32.load16_u", align: 1 },
  u8: { name: "i32.load8_u", align: 0 },
  i8: { name: "i32.load8_s", align: 0 },
} as const;

const relation: Record<Relation, keyof typeof integer> = {
  "<": "i32.lt_s",
  "<=": "i32.le_s",
  ">": "i32.gt_s",
  ">=": "i32.ge_s",
  "==": "i32.eq",
  "!=": "i32.ne",
};

const widen = {
  u16: ["i32x4.extend_low_i16x8_u"],
  i8: ["i16x8.extend_low_i8x16_s", "i32x4.extend_low_i16x8_s"],
  u8: ["i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u"],
} as const;

const loadLane = { 1: "v128.load8_lane", 2: "v128.load16_lane", 4: "v128.load32_lane" } as const;
const storeLane = { 1: "v128.store8_lane", 2: "v128.store16_lane", 4: "v128.store32_lane", 8: "v128.store64_lane" } as const;

const unary = {
  fsqrt: "f32x4.sqrt",
  fabs: "f32x4.abs",
  fneg: "f32x4.neg",
  fround: "f32x4.nearest",
  ffloor: "f32x4.floor",
  i2f: "f32x4.convert_i32x4_s",
  f2i: "i32x4.trunc_sat_f32x4_s",
} as const;

const shift = { vshl: "i32x4.shl", vshr: "i32x4.shr_u", vsar: "i32x4.shr_s" } as const;

const binary = {
  fadd: "f32x4.add",
  fsub: "f32x4.sub",
  fmul: "f32x4.mul",
  fdiv: "f32x4.div",
  vadd: "i32x4.add",
  vsub: "i32x4.sub",
  vmul: "i32x4.mul",
  vand: "v128.and",
  vor: "v128.or",
  vxor: "v128.xor",
  flt: "f32x4.lt",
  fle: "f32x4.le",
  feq: "f32x4.eq",
  vlt: "i32x4.lt_s",
  veq: "i32x4.eq",
} as const;
