// IR → machine instructions over virtual registers. A vector read from memory waits until something wants it, so that it becomes that
// instruction's operand or at least holds a register no longer than it must.
import { fail } from "../../base/index.ts";
import type { Kernel, Mem, Op, Reg, RegKind, Relation, Span, Target } from "../ir.ts";
import { eachOp, isReg, operandsOf } from "../operands.ts";
import type { FloatBinary, IntBinary, IntConstant, LaneBinary, LaneShift } from "../ops.ts";
import type { Label } from "./assembler.ts";
import type { Dialect, Emit, Source } from "./dialect.ts";
import { type InstructionName, rows } from "./encoding.ts";
import {
  type Address,
  addressOf,
  type Instruction,
  type Item,
  instruction,
  isAddress,
  isRegister,
  literalOf,
  Names,
  type Operand,
  type Slot,
} from "./machine.ts";
import { dotBytes } from "./narrow.ts";

export interface Lowered {
  readonly items: readonly Item[];
  readonly names: Names;
  /** Where the caller's arguments are expected, in order. */
  readonly arguments: readonly Slot[];
}

export function lower(kernel: Kernel, dialect: Dialect): Lowered {
  const uses = countUses(kernel);
  const names = new Names(uses.registers, dialect.length);
  const slots = kernel.params.map(() => names.slot("int", true));
  const selector = new Selector(kernel.target, dialect, names, uses);
  kernel.params.forEach(({ reg }, i) => {
    if (uses.reads(reg) > 0) selector.emit("mov", [reg, slots[i]!]);
  });
  selector.block(kernel.body);
  return { items: selector.items(), names, arguments: slots };
}

interface Uses {
  reads(reg: Reg): number;
  writes(reg: Reg): number;
  /** One more than the highest number of a register. */
  readonly registers: number;
}

function countUses({ params, body }: Kernel): Uses {
  const reads: number[] = [];
  const writes: number[] = [];
  for (const { reg } of params) writes[reg.id] = 1;
  eachOp(body, (op) => {
    const operands = operandsOf(op);
    for (const { id } of operands.reads) reads[id] = (reads[id] ?? 0) + 1;
    for (const { id } of operands.writes) writes[id] = (writes[id] ?? 0) + 1;
  });
  return {
    reads: ({ id }) => reads[id] ?? 0,
    writes: ({ id }) => writes[id] ?? 0,
    registers: Math.max(reads.length, writes.length),
  };
}

type Load = Extract<Op, { op: "vload" | "vsplat" }>;

class Selector implements Emit {
  readonly #target: Target;
  readonly #dialect: Dialect;
  readonly #names: Names;
  readonly #uses: Uses;
  readonly #entry: Item[] = [];
  readonly #code: Item[] = [];
  readonly #held = new Map<string, Reg>();
  /** Written once at the kernel's entry: their values are in memory already. */
  readonly #constants = new Set<number>();
  /** The op that is being lowered. */
  #origin: Op | undefined;
  /** Loads that wait, in the kernel's order. */
  readonly #waiting = new Map<number, Load>();
  /** How many of them write a register or read it in their address, by its number. */
  readonly #watched: number[] = [];

  constructor(target: Target, dialect: Dialect, names: Names, uses: Uses) {
    this.#target = target;
    this.#dialect = dialect;
    this.#names = names;
    this.#uses = uses;
  }

  items(): readonly Item[] {
    return [...this.#entry, ...this.#code];
  }

  block(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === "vload" || op.op === "vsplat") this.#postpone(op);
      else {
        this.#release(op);
        this.#origin = op;
        this.#op(op);
      }
    }
    this.#releaseAll();
  }

  emit(name: InstructionName, operands: readonly Operand[], more: Partial<Instruction> = {}): void {
    const { length = this.#dialect.length, mask, zeroing } = more;
    const physical = this.#dialect.maskKind === "mask" ? operands : operands.map(this.#physicalKind);
    this.#code.push({ row: rows[name], operands: physical, length, mask, zeroing, source: this.#origin });
  }

  register(kind: RegKind): Reg {
    return this.#names.register(kind);
  }

  held(kind: RegKind, name: InstructionName, words: readonly number[]): Reg {
    const key = `${name}:${words.join()}`;
    const known = this.#held.get(key);
    if (known) return known;
    const made = this.register(kind);
    this.#entry.push(instruction(name, [made, literalOf(words)], this.#dialect.length));
    this.#held.set(key, made);
    return made;
  }

  /** A displacement has 31 bits; what is more goes through a register. */
  address({ base, index, offset }: Mem): Address {
    if (offset < 2 ** 31) return addressOf(base, index, offset);
    const far = this.register("int");
    this.#constant(far, offset);
    this.emit("add", [far, base]);
    return addressOf(far, index, 0);
  }

  /** IR masks are vectors where the machine has no mask registers. */
  readonly #physicalKind = (operand: Operand): Operand =>
    isRegister(operand) && operand.kind === "mask" ? { ...operand, kind: this.#dialect.maskKind } : operand;

  #postpone(op: Load): void {
    this.#releaseFor(op.d);
    this.#waiting.set(op.d.id, op);
    this.#watch(op, 1);
  }

  #watch({ d, m }: Load, change: 1 | -1): void {
    this.#watched[d.id] = (this.#watched[d.id] ?? 0) + change;
    this.#watched[m.base.id] = (this.#watched[m.base.id] ?? 0) + change;
    if (m.index) this.#watched[m.index.id] = (this.#watched[m.index.id] ?? 0) + change;
  }

  #take(id: number): Load | undefined {
    const op = this.#waiting.get(id);
    if (op === undefined) return undefined;
    this.#waiting.delete(id);
    this.#watch(op, -1);
    return op;
  }

  /** Before an op: what it reads, but for what becomes its operand; what it would change; everything, where memory may change. */
  #release(op: Op): void {
    if (this.#waiting.size === 0) return;
    if (op.op === "vstore" || op.op === "vstoreNarrow" || op.op === "istore" || op.op === "loop" || op.op === "if")
      return this.#releaseAll();
    const { reads, writes } = operandsOf(op);
    const folded = this.#foldable(op)?.id;
    for (const { id } of reads) if (id !== folded) this.#releaseOne(id);
    for (const reg of writes) this.#releaseFor(reg);
  }

  #releaseAll(): void {
    for (const id of this.#waiting.keys()) this.#releaseOne(id);
  }

  /** Those that would see this register written. */
  #releaseFor({ id }: Reg): void {
    if (!this.#watched[id]) return;
    for (const { d, m } of this.#waiting.values()) if (id === d.id || id === m.base.id || id === m.index?.id) this.#releaseOne(d.id);
  }

  #releaseOne(id: number): void {
    const op = this.#take(id);
    if (!op) return;
    this.#origin = op;
    const from = this.address(op.m);
    if (op.op === "vsplat") this.emit("vbroadcastss", [op.d, from]);
    else if (op.span === "full") this.emit("vmovups", [op.d, from]);
    else this.#dialect.loadFirst(this, op.d, from, op.span);
  }

  /** The operand that can come from memory right in this op: read once, waiting, in a place that may be memory. */
  #foldable(op: Op): Reg | undefined {
    const places = memoryOperands(op, this.#target);
    for (let i = 0; i < places.length; i++) if (this.#canFold(places[i]!, op)) return places[i];
    return undefined;
  }

  #canFold(reg: Reg, op: Op): boolean {
    const load = this.#waiting.get(reg.id);
    if (!load || this.#uses.reads(reg) !== 1 || this.#uses.writes(reg) !== 1) return false;
    return load.op === "vsplat" ? this.#dialect.broadcasts && op.op !== "vmov" : load.span === "full";
  }

  /** A register, or the memory that it would have been loaded from. */
  #source(reg: Reg): Source {
    const op = this.#take(reg.id);
    if (!op) return reg;
    const from = this.address(op.m);
    return op.op === "vsplat" ? addressOf(from.base, from.index, from.disp, true) : from;
  }

  #op(op: Exclude<Op, Load>): void {
    switch (op.op) {
      // Most of a kernel's ops are multiply-adds, and cases are tried in their order.
      case "ffma":
        return this.#multiplyAdd(op.d, op.a, op.b, op.c);
      case "iconst":
        return this.#constant(op.d, op.value);
      case "imov":
        return this.emit("mov", [op.d, op.a]);
      case "iadd":
      case "isub":
      case "imul":
      case "imin":
      case "imax":
        return this.#integer(op.op, op.d, op.a, op.b);
      case "ishl":
      case "ishr":
      case "iand":
      case "idiv":
      case "irem":
        return this.#integerConstant(op.op, op.d, op.a, op.b);
      case "iload":
        return this.emit(intLoads[op.type], [op.d, this.address(op.m)]);
      case "istore":
        return this.emit("mov.store32", [this.address(op.m), op.a]);
      case "vconst":
        return this.#vectorConstant(op.d, op.type === "f32" ? floatBits(op.value) : op.value);
      case "viota":
        return this.emit("vmovups", [op.d, literalOf(Array.from({ length: this.#dialect.lanes }, (_, i) => i))]);
      case "vmov":
        return this.emit("vmovups", [op.d, this.#source(op.a)]);
      case "vstore":
        if (op.span === "full") return this.emit("vmovups.store", [this.address(op.m), op.a]);
        return this.#dialect.storeFirst(this, op.a, this.address(op.m), op.span);
      case "vloadNarrow":
        if (op.type === "bf16") return notExpanded(op);
        return this.#dialect.narrow.load(this, op.d, this.address(op.m), this.#count(op.span), op.type);
      case "vstoreNarrow":
        if (op.type === "bf16" && !this.#target.bf16Dot) return notExpanded(op);
        return this.#dialect.narrow.store(this, op.a, this.address(op.m), this.#count(op.span), op.type);
      case "bf16pair":
        return this.#pair(op.d, op.a, op.b);
      case "dotbf16":
        return this.#dotPairs(op.d, op.a, op.b, op.c);
      case "dotu8":
        if (!this.#target.int8Dot) return dotBytes(this, this.#dialect, op);
        return this.#accumulate("vpdpbusd", op.d, op.a, this.#source(op.b), op.c);
      case "vloadParts":
        return this.#dialect.parts.load(this, op.d, this.#addresses(op));
      case "vsplatParts":
        return this.#dialect.parts.splat(this, op.d, this.#addresses(op), op.type);
      case "vspread":
        return this.emit("vpermps", [op.d, this.#laneNumbers(op.from), this.#source(op.a)]);
      case "prefetch":
        return this.emit("prefetcht0", [this.address(op.m)]);
      case "vsplati":
        return this.#dialect.spreadInt(this, op.d, op.a);
      case "fadd":
      case "fmul":
      case "vadd":
      case "vmul":
      case "vand":
      case "vor":
      case "vxor":
        return this.#commutative(this.#name(op.op), op.d, op.a, op.b);
      case "fsub":
      case "fdiv":
      case "vsub":
        return this.emit(this.#name(op.op), [op.d, op.a, this.#source(op.b)]);
      case "fmin":
      case "fmax":
        // The machine gives its second operand unless the comparison holds: IR's first.
        return this.emit(this.#name(op.op), [op.d, op.b, this.#source(op.a)]);
      case "fsqrt":
        return this.emit("vsqrtps", [op.d, this.#source(op.a)]);
      case "i2f":
        return this.emit("vcvtdq2ps", [op.d, this.#source(op.a)]);
      case "fround":
      case "ffloor":
        return this.emit(this.#dialect.names.round, [op.d, this.#source(op.a), op.op === "fround" ? toNearestEven : towardMinusInfinity]);
      case "fabs":
        return this.emit(this.#dialect.names.vand, [op.d, op.a, this.#dialect.literal(0x7fffffff)]);
      case "fneg":
        return this.emit(this.#dialect.names.vxor, [op.d, op.a, this.#dialect.literal(-0x80000000)]);
      case "f2i":
        return this.#dialect.toInt(this, op.d, op.a);
      case "vshl":
      case "vshr":
      case "vsar":
        return this.emit(laneShifts[op.op], [op.d, op.a, op.b]);
      case "flt":
      case "fle":
      case "feq":
      case "vlt":
      case "veq":
        return this.#dialect.compare(this, op.op, op.d, op.a, this.#source(op.b));
      case "select":
        return this.#dialect.select(this, op.d, this.#physicalKind(op.mask) as Reg, this.#source(op.a), op.b);
      case "vkeep":
        if (op.span === "full") return this.emit("vmovups", [op.d, op.a]);
        return this.#dialect.keepFirst(this, op.d, op.a, op.b, op.span);
      case "rsum":
      case "rmax":
        return this.#reduce(op.op, op.d, op.a);
      case "vswap":
        return this.emit("vpermilps", [op.d, this.#source(op.a), swapNeighbours]);
      case "transpose":
        return this.#transpose(op.d, op.a);
      case "loop":
        return this.#loop(op);
      case "if":
        return this.#if(op);
      default:
        op satisfies never;
    }
  }

  #name(op: FloatBinary | Exclude<LaneBinary, "bf16pair">): InstructionName {
    return op === "vand" || op === "vor" || op === "vxor" ? this.#dialect.names[op] : laneOps[op];
  }

  #constant(d: Reg, value: number): void {
    if (value >= 0 && value < 2 ** 32) this.emit("mov.zero32", [d, value]);
    else this.emit(isInt32(value) ? "mov.imm32" : "movabs", [d, value]);
  }

  /** An operand that instructions can hold, or a register with it. */
  #int32(value: Reg | number): Reg | number {
    if (isReg(value) || isInt32(value)) return value;
    const d = this.register("int");
    this.#constant(d, value);
    return d;
  }

  #integer(op: IntBinary, d: Reg, a: Reg, given: Reg | number): void {
    const b = this.#int32(given);
    if (op === "iadd") this.#add(d, a, b);
    else if (op === "imul" && !isReg(b)) this.emit("imul.imm32", [d, a, b]);
    else if (op === "isub" && !isReg(b) && b > -(2 ** 31)) this.#add(d, a, -b);
    else this.#twoAddress(op, d, a, isReg(b) ? b : this.#inRegister(b));
  }

  #add(d: Reg, a: Reg, b: Reg | number): void {
    if (isReg(b)) {
      if (d.id === a.id) this.emit("add", [d, b]);
      else if (d.id === b.id) this.emit("add", [d, a]);
      else this.emit("lea", [d, addressOf(a, b, 0)]);
    } else if (d.id === a.id) this.emit(isInt8(b) ? "add.imm8" : "add.imm32", [d, b]);
    else this.emit("lea", [d, addressOf(a, undefined, b)]);
  }

  /** Instructions whose result replaces their first operand: through a register of its own where d is also the second. */
  #twoAddress(op: Exclude<IntBinary, "iadd">, d: Reg, a: Reg, b: Reg): void {
    const result = d.id === b.id && d.id !== a.id ? this.register("int") : d;
    if (result.id !== a.id) this.emit("mov", [result, a]);
    if (op === "isub") this.emit("sub", [result, b]);
    else if (op === "imul") this.emit("imul", [result, b]);
    else {
      this.emit("cmp", [result, b]);
      this.emit(op === "imin" ? "cmovg" : "cmovl", [result, b]);
    }
    if (result.id !== d.id) this.emit("mov", [d, result]);
  }

  #inRegister(value: number): Reg {
    const d = this.register("int");
    this.#constant(d, value);
    return d;
  }

  #integerConstant(op: IntConstant, d: Reg, a: Reg, b: number): void {
    const power = Number.isInteger(Math.log2(b));
    if (op === "idiv") return power ? this.#shift("shr.imm", d, a, Math.log2(b)) : this.#divide(d, a, b);
    if (op === "irem" && !power) return this.#remainder(d, a, b);
    if (op === "ishl" || op === "ishr") return this.#shift(op === "ishl" ? "shl.imm" : "shr.imm", d, a, b);
    const mask = op === "irem" ? b - 1 : b;
    if (d.id !== a.id) this.emit("mov", [d, a]);
    this.emit(isInt8(mask) ? "and.imm8" : "and.imm32", [d, mask]);
  }

  #shift(name: "shl.imm" | "shr.imm", d: Reg, a: Reg, bits: number): void {
    if (d.id !== a.id) this.emit("mov", [d, a]);
    if (bits > 0) this.emit(name, [d, bits]);
  }

  /** ⌊a / b⌋ = ⌊a · m / 2ˢ⌋ with m = ⌈2ˢ / b⌉, exact for 0 ≤ a < 2³¹ when 2ˢ ≥ 2³¹ · b (Granlund & Montgomery 1994). */
  #divide(d: Reg, a: Reg, b: number): void {
    const bits = 31 + Math.ceil(Math.log2(b));
    const quotient = this.#inRegister(Math.ceil(2 ** bits / b));
    this.emit("imul", [quotient, a]);
    this.emit("shr.imm", [quotient, bits]);
    this.emit("mov", [d, quotient]);
  }

  #remainder(d: Reg, a: Reg, b: number): void {
    const product = this.register("int");
    const rest = this.register("int");
    this.#divide(product, a, b);
    this.emit("imul.imm32", [product, product, b]);
    this.emit("mov", [rest, a]);
    this.emit("sub", [rest, product]);
    this.emit("mov", [d, rest]);
  }

  #vectorConstant(d: Reg, bits: number): void {
    if (this.#uses.writes(d) === 1) this.#constants.add(d.id);
    else if (bits === 0) return this.#dialect.zero(this, d);
    this.#dialect.constant(this, d, bits);
  }

  #commutative(name: InstructionName, d: Reg, a: Reg, b: Reg): void {
    const first = this.#source(a);
    const second = this.#source(b);
    this.emit(name, isAddress(first) ? [d, second, first] : [d, first, second]);
  }

  /** Three forms, by which operand the result replaces: one that d is, or that nothing else reads, else a copy of c. */
  #multiplyAdd(d: Reg, a: Reg, b: Reg, c: Reg): void {
    const left = this.#source(a);
    const right = this.#source(b);
    const addend = this.#source(c);
    // A product's factors may change places: memory second, and what the result may replace first.
    const swap = isAddress(left) || (!isAddress(right) && (d.id === b.id || (this.#isLast(b) && !this.#isLast(a) && d.id !== a.id)));
    const x = swap ? right : left;
    const y = swap ? left : right;
    const first = (swap ? b : a) as Reg;
    if (d.id === c.id) return this.emit("vfmadd231ps", [d, x, y]);
    if (d.id === first.id || isAddress(addend) || this.#isLast(first)) {
      if (d.id !== first.id) this.emit("vmovups", [d, x]);
      return isAddress(y) ? this.emit("vfmadd132ps", [d, addend, y]) : this.emit("vfmadd213ps", [d, y, addend]);
    }
    if (isRegister(y) && d.id === y.id) return this.emit("vfmadd213ps", [d, x, addend]);
    this.emit("vmovups", [d, addend]);
    this.emit("vfmadd231ps", [d, x, y]);
  }

  /** The machine has b's in the upper half of the register and a's in the lower: words i and 16 + i become lane i. */
  #pair(d: Reg, a: Reg, b: Reg): void {
    const halves = this.register("vec");
    const order = this.held(
      "vec",
      "vmovups",
      Array.from({ length: this.#dialect.lanes }, (_, i) => i | ((i + this.#dialect.lanes) << 16)),
    );
    this.emit("vcvtne2ps2bf16", [halves, b, this.#source(a)]);
    this.emit("vpermw", [d, order, halves]);
  }

  #dotPairs(d: Reg, a: Reg, b: Reg, c: Reg): void {
    const [first, second] = [this.#source(a), this.#source(b)];
    if (isRegister(first)) this.#accumulate("vdpbf16ps", d, first, second, c);
    else this.#accumulate("vdpbf16ps", d, second as Reg, first, c);
  }

  /** Instructions that add to what their first operand holds: through a register of its own where d is also a factor. */
  #accumulate(name: "vdpbf16ps" | "vpdpbusd", d: Reg, a: Reg, b: Source, c: Reg): void {
    const isFactor = d.id === a.id || (isRegister(b) && d.id === b.id);
    const result = d.id !== c.id && isFactor ? this.register("vec") : d;
    if (result.id !== c.id) this.emit("vmovups", [result, c]);
    this.emit(name, [result, a, b]);
    if (result.id !== d.id) this.emit("vmovups", [d, result]);
  }

  #addresses({ m, offsets }: { m: Mem; offsets: readonly number[] }): Address[] {
    return offsets.map((offset) => this.address({ ...m, offset: m.offset + offset }));
  }

  #laneNumbers(from: readonly number[]): Reg {
    return this.held(
      "vec",
      "vmovups",
      from.flatMap((lane) => [lane, lane, lane, lane]),
    );
  }

  #count(span: Span): number {
    return span === "full" ? this.#dialect.lanes : span;
  }

  /** Made for one reader. */
  #isLast(reg: Reg): boolean {
    return this.#uses.reads(reg) === 1 && this.#uses.writes(reg) === 1 && !this.#constants.has(reg.id);
  }

  /** Halves first. Each step leaves its result in both halves, so the last leaves it everywhere; of maxima lane 0 is spread: see below. */
  #reduce(op: "rsum" | "rmax", d: Reg, a: Reg): void {
    let value = a;
    for (let distance = this.#dialect.lanes / 2; distance >= 1; distance /= 2) {
      const moved = this.register("vec");
      const joined = this.register("vec");
      if (distance >= 4) this.#dialect.swapBlocks(this, moved, value, distance);
      else this.emit("vpermilps", [moved, value, distance === 2 ? swapPairs : swapNeighbours]);
      this.emit(op === "rsum" ? "vaddps" : "vmaxps", op === "rsum" ? [joined, value, moved] : [joined, moved, value]);
      value = joined;
    }
    // Of zeros of both signs, and beside NaN, the order of the operands decides.
    this.emit(op === "rsum" ? "vmovups" : "vbroadcastss", [d, value]);
  }

  /** Lanes of four rows interleaved, then their pairs: blocks of four lanes, which then change places. */
  #transpose(d: readonly Reg[], a: readonly Reg[]): void {
    const groups = a.length / 4;
    const blocks: Reg[][] = [[], [], [], []];
    for (let group = 0; group < groups; group++)
      this.#transposeFour(a.slice(group * 4, group * 4 + 4)).forEach((column, j) => blocks[j]!.push(column));
    blocks.forEach((rows, j) =>
      this.#dialect.transposeBlocks(
        this,
        d.filter((_, column) => column % 4 === j),
        rows,
      ),
    );
  }

  #transposeFour([a, b, c, d]: readonly Reg[]): Reg[] {
    const make = (name: InstructionName, ...operands: Operand[]) => {
      const made = this.register("vec");
      this.emit(name, [made, ...operands]);
      return made;
    };
    // In this order, because two rows at a time are used up.
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
  #loop(loop: Extract<Op, { op: "loop" }>): void {
    const { i, from, to, step, body } = loop;
    const limit = this.#int32(to);
    const [top, end] = [this.#names.label(), this.#names.label()];
    if (isReg(from)) this.emit("mov", [i, from]);
    else this.#constant(i, from);
    const runs = typeof from === "number" && typeof to === "number";
    if (runs && from >= to) return;
    if (!runs) {
      this.#compare(i, limit);
      this.emit("jae", [end]);
    }
    this.#code.push(top);
    this.block(body);
    this.#origin = loop;
    this.#add(i, i, this.#int32(step));
    this.#compare(i, limit);
    this.emit("jb", [top]);
    this.#code.push(end);
  }

  #compare(a: Reg, b: Reg | number): void {
    this.emit(isReg(b) ? "cmp" : isInt8(b) ? "cmp.imm8" : "cmp.imm32", [a, b]);
  }

  #if({ a, relation, b, whenTrue, otherwise }: Extract<Op, { op: "if" }>): void {
    const [other, end]: Label[] = [this.#names.label(), this.#names.label()] as const;
    this.#compare(a, this.#int32(b));
    this.emit(jumpUnless[relation], [other!]);
    this.block(whenTrue);
    if (otherwise.length > 0) this.emit("jmp", [end!]);
    this.#code.push(other!);
    this.block(otherwise);
    this.#code.push(end!);
  }
}

function notExpanded(op: Op): never {
  return fail("x64", `${op.op}: must be expanded before it is lowered`);
}

/** Operands of an op that its instruction can read from memory, the best first. */
function memoryOperands(op: Op, target: Target): readonly Reg[] {
  switch (op.op) {
    case "ffma":
      return [op.b, op.a, op.c];
    case "fadd":
    case "fmul":
    case "vadd":
    case "vmul":
    case "vand":
    case "vor":
    case "vxor":
      return op.a.id === op.b.id ? [] : [op.b, op.a];
    case "fsub":
    case "fdiv":
    case "vsub":
    case "flt":
    case "fle":
    case "feq":
    case "veq":
      return [op.b];
    case "fmin":
    case "fmax":
    case "fsqrt":
    case "fround":
    case "ffloor":
    case "i2f":
    case "vswap":
    case "select":
    case "vmov":
      return [op.a];
    case "bf16pair":
    case "vspread":
      return [op.a];
    case "dotbf16":
      return op.a.id === op.b.id ? [] : [op.b, op.a];
    case "dotu8":
      return target.int8Dot ? [op.b] : [];
    default:
      return [];
  }
}

const isInt32 = (value: number) => value >= -(2 ** 31) && value < 2 ** 31;
const isInt8 = (value: number) => value >= -128 && value < 128;

function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

// Immediates: two bits a lane of four; rounding with exceptions suppressed.
const swapNeighbours = 0xb1;
const swapPairs = 0x4e;
const toNearestEven = 0x08;
const towardMinusInfinity = 0x09;

const intLoads = { i32: "movsxd", u16: "movzx.16", u8: "movzx.8", i8: "movsx.8" } as const;

const laneOps = {
  fadd: "vaddps",
  fsub: "vsubps",
  fmul: "vmulps",
  fdiv: "vdivps",
  fmin: "vminps",
  fmax: "vmaxps",
  vadd: "vpaddd",
  vsub: "vpsubd",
  vmul: "vpmulld",
} as const;

const laneShifts: Record<LaneShift, InstructionName> = { vshl: "vpslld", vshr: "vpsrld", vsar: "vpsrad" };

const jumpUnless: Record<Relation, InstructionName> = { "<": "jge", "<=": "jg", ">": "jle", ">=": "jl", "==": "jne", "!=": "je" };
