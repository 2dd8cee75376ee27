// The slow meaning of every op, and the judge of every compiler: runs IR over plain memory, one lane at a time.
import { check, fail, float16Value, roundToEven } from "../base/index.ts";
import type {
  Compare,
  FloatBinary,
  FloatUnary,
  IntBinary,
  IntConstant,
  Kernel,
  LaneBinary,
  LaneShift,
  Mem,
  Narrow,
  Op,
  Reg,
  Relation,
  Span,
} from "./ir.ts";
import { float32Value, narrowBytes, roundToBfloat16, roundToFloat16 } from "./narrow.ts";

/** Runs a kernel over `memory`. @param args byte addresses and numbers, the last three are scratch, begin, end. @throws CriaError on an access outside. */
export function interpret(kernel: Kernel, memory: ArrayBufferLike, args: readonly number[]): void {
  check(
    args.length === kernel.params.length,
    "interpreter",
    () => `${kernel.name}: takes ${kernel.params.length} arguments, got ${args.length}`,
  );
  const machine = new Machine(kernel, memory);
  kernel.params.forEach((param, i) => machine.setInt(param.reg, args[i]!));
  machine.run(kernel.body);
}

class Machine {
  readonly #kernel: Kernel;
  readonly #lanes: number;
  readonly #bytes: DataView;
  readonly #ints: number[] = [];
  readonly #vectors: Lanes[] = [];
  #spare: Lanes;

  constructor(kernel: Kernel, memory: ArrayBufferLike) {
    this.#kernel = kernel;
    this.#lanes = kernel.target.lanes;
    this.#spare = makeLanes(this.#lanes);
    this.#bytes = new DataView(memory);
  }

  setInt(reg: Reg, value: number): void {
    this.#ints[reg.id] = value;
  }

  run(ops: readonly Op[]): void {
    for (const op of ops) this.#step(op);
  }

  #step(op: Op): void {
    switch (op.op) {
      case "iconst":
        return this.setInt(op.d, op.value);
      case "imov":
        return this.setInt(op.d, this.#int(op.a));
      case "iadd":
      case "isub":
      case "imul":
      case "imin":
      case "imax":
        return this.setInt(op.d, intBinary[op.op](this.#int(op.a), this.#int(op.b)));
      case "ishl":
      case "ishr":
      case "iand":
      case "idiv":
      case "irem":
        return this.setInt(op.d, intConstant[op.op](this.#int(op.a), op.b));
      case "iload":
        return this.setInt(op.d, this.#loadInt(op.m, op.type));
      case "istore":
        return this.#bytes.setInt32(this.#address(op.m, 4), this.#int(op.a), true);
      case "vconst":
        return op.type === "f32" ? this.#floats(op.d, () => op.value) : this.#bits(op.d, () => op.value);
      case "vmov":
        return this.#bits(op.d, (i) => this.#vec(op.a).i[i]!);
      case "vload":
        return this.#load(op.d, op.m, op.span);
      case "vstore":
        return this.#store(op.a, op.m, op.span);
      case "vloadNarrow":
        return this.#loadNarrow(op.d, op.m, op.span, op.type);
      case "vstoreNarrow":
        return this.#storeNarrow(op.a, op.m, op.span, op.type);
      case "bf16pair": {
        const half = (reg: Reg, i: number) => roundToBfloat16(this.#vec(reg).i[i]!, this.#kernel.target.bf16Dot);
        return this.#bits(op.d, (i) => half(op.a, i) | (half(op.b, i) << 16));
      }
      case "dotbf16":
        return this.#floats(op.d, (i) => this.#dotPairs(this.#vec(op.a).i[i]!, this.#vec(op.b).i[i]!, this.#vec(op.c).f[i]!));
      case "dotu8":
        return this.#bits(op.d, (i) => this.#vec(op.c).i[i]! + dotBytes(this.#vec(op.a).i[i]!, this.#vec(op.b).i[i]!, op.most));
      case "vloadParts": {
        const addresses = op.offsets.map((offset) => this.#address({ ...op.m, offset: op.m.offset + offset }, 16));
        return this.#bits(op.d, (i) => this.#bytes.getInt32(addresses[i >> 2]! + (i & 3) * 4, true));
      }
      case "vsplatParts": {
        const elements = op.offsets.map((offset) => this.#element({ ...op.m, offset: op.m.offset + offset }, op.type));
        return op.type === "f16" ? this.#floats(op.d, (i) => elements[i >> 2]!) : this.#bits(op.d, (i) => elements[i >> 2]!);
      }
      case "vspread":
        return this.#bits(op.d, (i) => this.#vec(op.a).i[op.from[i >> 2]!]!);
      case "prefetch":
        return;
      case "vsplat": {
        const bits = this.#bytes.getInt32(this.#address(op.m, 4), true);
        return this.#bits(op.d, () => bits);
      }
      case "vsplati":
        return this.#bits(op.d, () => this.#int(op.a));
      case "viota":
        return this.#bits(op.d, (i) => i);
      case "fadd":
      case "fsub":
      case "fmul":
      case "fdiv":
      case "fmin":
      case "fmax":
        return this.#floats(op.d, (i) => floatBinary[op.op](this.#vec(op.a).f[i]!, this.#vec(op.b).f[i]!));
      case "fsqrt":
      case "fabs":
      case "fneg":
      case "fround":
      case "ffloor":
        return this.#floats(op.d, (i) => floatUnary[op.op](this.#vec(op.a).f[i]!));
      case "vadd":
      case "vsub":
      case "vmul":
      case "vand":
      case "vor":
      case "vxor":
        return this.#bits(op.d, (i) => laneBinary[op.op](this.#vec(op.a).i[i]!, this.#vec(op.b).i[i]!));
      case "vshl":
      case "vshr":
      case "vsar":
        return this.#bits(op.d, (i) => laneShift[op.op](this.#vec(op.a).i[i]!, op.b));
      case "ffma": {
        return this.#floats(op.d, (i) => this.#multiplyAdd(this.#vec(op.a).f[i]!, this.#vec(op.b).f[i]!, this.#vec(op.c).f[i]!));
      }
      case "i2f":
        return this.#floats(op.d, (i) => this.#vec(op.a).i[i]!);
      case "f2i":
        return this.#bits(op.d, (i) => truncateSaturating(this.#vec(op.a).f[i]!));
      case "flt":
      case "fle":
      case "feq":
      case "vlt":
      case "veq":
        return this.#bits(op.d, (i) => (compare[op.op](this.#vec(op.a), this.#vec(op.b), i) ? -1 : 0));
      case "select":
        return this.#bits(op.d, (i) => this.#vec(this.#vec(op.mask).i[i]! !== 0 ? op.a : op.b).i[i]!);
      case "vkeep":
        return this.#bits(op.d, (i) => this.#vec(i < spanned(op.span, this.#lanes) ? op.a : op.b).i[i]!);
      case "rsum":
        return this.#reduce(op.d, op.a, floatBinary.fadd);
      case "rmax":
        return this.#reduce(op.d, op.a, floatBinary.fmax);
      case "vswap":
        return this.#bits(op.d, (i) => this.#vec(op.a).i[i ^ 1]!);
      case "transpose":
        return op.d.forEach((reg, column) => this.#bits(reg, (row) => this.#vec(op.a[row]!).i[column]!));
      case "loop": {
        const to = this.#int(op.to);
        for (let i = this.#int(op.from); i < to; i += op.step) {
          this.setInt(op.i, i);
          this.run(op.body);
        }
        return;
      }
      case "if":
        return this.run(relations[op.relation](this.#int(op.a), this.#int(op.b)) ? op.whenTrue : op.otherwise);
      default:
        op satisfies never;
    }
  }

  #multiplyAdd(a: number, b: number, c: number): number {
    return this.#kernel.target.fusedMultiplyAdd ? fusedMultiplyAdd(a, b, c) : separateMultiplyAdd(a, b, c);
  }

  /** The low halves first. */
  #dotPairs(a: number, b: number, c: number): number {
    const low = Math.fround(this.#multiplyAdd(float32Value(a << 16), float32Value(b << 16), c));
    return this.#multiplyAdd(float32Value(a & upperHalf), float32Value(b & upperHalf), low);
  }

  #int(value: Reg | number): number {
    return typeof value === "number" ? value : this.#ints[value.id]!;
  }

  #vec(reg: Reg): Lanes {
    const lanes = this.#vectors[reg.id] ?? makeLanes(this.#lanes);
    this.#vectors[reg.id] = lanes;
    return lanes;
  }

  #floats(d: Reg, lane: (i: number) => number): void {
    const { f } = this.#spare;
    for (let i = 0; i < this.#lanes; i++) f[i] = lane(i);
    this.#commit(d);
  }

  #bits(d: Reg, lane: (i: number) => number): void {
    const { i: lanes } = this.#spare;
    for (let i = 0; i < this.#lanes; i++) lanes[i] = lane(i);
    this.#commit(d);
  }

  /** Every lane is computed from the old values before any is written, so that d may be an operand. */
  #commit(d: Reg): void {
    const old = this.#vec(d);
    this.#vectors[d.id] = this.#spare;
    this.#spare = old;
  }

  #reduce(d: Reg, a: Reg, join: (x: number, y: number) => number): void {
    let values = [...this.#vec(a).f];
    while (values.length > 1) {
      const half = values.length / 2;
      values = values.slice(0, half).map((x, i) => Math.fround(join(x, values[i + half]!)));
    }
    this.#floats(d, () => values[0]!);
  }

  #load(d: Reg, m: Mem, span: Span): void {
    const count = spanned(span, this.#lanes);
    const address = this.#address(m, count * 4);
    this.#bits(d, (i) => (i < count ? this.#bytes.getInt32(address + i * 4, true) : 0));
  }

  #store(a: Reg, m: Mem, span: Span): void {
    const count = spanned(span, this.#lanes);
    const address = this.#address(m, count * 4);
    for (let i = 0; i < count; i++) this.#bytes.setInt32(address + i * 4, this.#vec(a).i[i]!, true);
  }

  /** The value of an f16, the bits of the others. */
  #element(m: Mem, type: Narrow): number {
    const size = narrowBytes[type];
    const address = this.#address(m, size);
    const bits = size === 1 ? this.#bytes.getUint8(address) : this.#bytes.getUint16(address, true);
    return type === "f16" ? float16Value(bits) : widen[type](bits);
  }

  #loadNarrow(d: Reg, m: Mem, span: Span, type: Narrow): void {
    const count = spanned(span, this.#lanes);
    const element = (i: number) => (i < count ? this.#element({ ...m, offset: m.offset + i * narrowBytes[type] }, type) : 0);
    if (type === "f16") this.#floats(d, element);
    else this.#bits(d, element);
  }

  #storeNarrow(a: Reg, m: Mem, span: Span, type: Exclude<Narrow, "i8">): void {
    const count = spanned(span, this.#lanes);
    const size = narrowBytes[type];
    const address = this.#address(m, count * size);
    for (let i = 0; i < count; i++) {
      const bits = this.#vec(a).i[i]!;
      if (type === "u8") this.#bytes.setUint8(address + i, bits);
      else this.#bytes.setUint16(address + i * 2, type === "u16" ? bits : this.#round(type, bits), true);
    }
  }

  #round(type: "f16" | "bf16", bits: number): number {
    return type === "f16" ? roundToFloat16(bits) : roundToBfloat16(bits, this.#kernel.target.bf16Dot);
  }

  #loadInt(m: Mem, type: "i32" | "u16" | "u8" | "i8"): number {
    if (type === "i32") return this.#bytes.getInt32(this.#address(m, 4), true);
    if (type === "u16") return this.#bytes.getUint16(this.#address(m, 2), true);
    const address = this.#address(m, 1);
    return type === "u8" ? this.#bytes.getUint8(address) : this.#bytes.getInt8(address);
  }

  #address(m: Mem, bytes: number): number {
    const address = this.#int(m.base) + (m.index ? this.#int(m.index) : 0) + m.offset;
    check(
      address >= 0 && address + bytes <= this.#bytes.byteLength,
      "interpreter",
      () => `${this.#kernel.name}: bytes ${address} to ${address + bytes} accessed, but the memory has ${this.#bytes.byteLength}`,
    );
    return address;
  }
}

/** The same bits as floats and as integers. */
interface Lanes {
  readonly f: Float32Array;
  readonly i: Int32Array;
}

function makeLanes(count: number): Lanes {
  const f = new Float32Array(count);
  return { f, i: new Int32Array(f.buffer) };
}

function spanned(span: Span, lanes: number): number {
  return span === "full" ? lanes : span;
}

const intBinary: Record<IntBinary, (a: number, b: number) => number> = {
  iadd: (a, b) => a + b,
  isub: (a, b) => a - b,
  imul: (a, b) => a * b,
  imin: Math.min,
  imax: Math.max,
};

const intConstant: Record<IntConstant, (a: number, b: number) => number> = {
  ishl: (a, b) => a * 2 ** b,
  ishr: (a, b) => Math.floor(a / 2 ** b),
  iand: (a, b) => a & b,
  idiv: (a, b) => Math.trunc(a / b),
  irem: (a, b) => a % b,
};

// Minimum and maximum as WebAssembly's pmin and pmax and x86's minps and maxps have them: b unless the comparison holds.
const floatBinary: Record<FloatBinary, (a: number, b: number) => number> = {
  fadd: (a, b) => a + b,
  fsub: (a, b) => a - b,
  fmul: (a, b) => a * b,
  fdiv: (a, b) => a / b,
  fmin: (a, b) => (b < a ? b : a),
  fmax: (a, b) => (a < b ? b : a),
};

const floatUnary: Record<FloatUnary, (a: number) => number> = {
  fsqrt: Math.sqrt,
  fabs: Math.abs,
  fneg: (a) => -a,
  fround: roundToEven,
  ffloor: Math.floor,
};

const laneBinary: Record<LaneBinary, (a: number, b: number) => number> = {
  vadd: (a, b) => a + b,
  vsub: (a, b) => a - b,
  vmul: Math.imul,
  vand: (a, b) => a & b,
  vor: (a, b) => a | b,
  vxor: (a, b) => a ^ b,
};

const laneShift: Record<LaneShift, (a: number, b: number) => number> = {
  vshl: (a, b) => a << b,
  vshr: (a, b) => a >>> b,
  vsar: (a, b) => a >> b,
};

const compare: Record<Compare, (a: Lanes, b: Lanes, i: number) => boolean> = {
  flt: (a, b, i) => a.f[i]! < b.f[i]!,
  fle: (a, b, i) => a.f[i]! <= b.f[i]!,
  feq: (a, b, i) => a.f[i] === b.f[i],
  vlt: (a, b, i) => a.i[i]! < b.i[i]!,
  veq: (a, b, i) => a.i[i] === b.i[i],
};

const relations: Record<Relation, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

const upperHalf = -0x10000;

/** A lane's bits. */
const widen: Record<Exclude<Narrow, "f16">, (bits: number) => number> = {
  bf16: (bits) => bits << 16,
  u16: (bits) => bits,
  i8: (bits) => (bits << 24) >> 24,
  u8: (bits) => bits,
};

function dotBytes(a: number, b: number, most = 255): number {
  let sum = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (a >>> shift) & 255;
    if (byte > most) fail("interpret", `dotu8 multiplies the byte ${byte}, which must be at most ${most}`);
    sum += byte * ((b << (24 - shift)) >> 24);
  }
  return sum;
}

function separateMultiplyAdd(a: number, b: number, c: number): number {
  return Math.fround(a * b) + c;
}

/**
 * a · b is exact in float64 (24 + 24 bits); the sum is rounded there before it is rounded to float32, which differs from one rounding
 * only when the float64 sum lies halfway between two floats: then the sign of what was lost decides.
 */
function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const virtual = sum - product; // TwoSum (Knuth): sum + lost = product + c exactly
  const lost = product - (sum - virtual) + (c - virtual);
  const rounded = Math.fround(sum);
  if (lost === 0 || !Number.isFinite(sum) || rounded === sum) return rounded;
  const other = nextFloat(rounded, sum > rounded);
  return Math.abs(sum - rounded) === Math.abs(other - sum) ? (lost > 0 === other > rounded ? other : rounded) : rounded;
}

function nextFloat(value: number, up: boolean): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  if (value === 0) return up ? 2 ** -149 : -(2 ** -149);
  view.setInt32(0, view.getInt32(0) + (up === value > 0 ? 1 : -1));
  return view.getFloat32(0);
}

function truncateSaturating(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(value)));
}
