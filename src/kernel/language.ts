// The kernel language: a kernel is a TypeScript function that runs once, at compile time, and emits IR through these handles.
// Loops of TypeScript unroll; loops of the language stay loops. Sizes are compile-time constants, so tails are too.
import { check } from "../base/index.ts";
import type { Kernel, Mem, Narrow, NarrowPart, NarrowStore, Op, Reg, RegKind, Relation, Span, Target } from "./ir.ts";
import { narrowBytes } from "./narrow.ts";
import type { Compare, IntBinary, IntConstant, LaneShift, VectorBinary, VectorUnary } from "./ops.ts";

/** A kernel before it knows its sizes and its target. `build` returns how it splits into units of parallel work. */
export interface KernelDefinition<C> {
  readonly name: string;
  build(k: Builder, constants: C): Split & { readonly scratchBytes?: number };
}

/** The units of parallel work of a kernel; with `liveUnits` its last pointer is an int32 with the number of live rows. */
export type Split = Pick<Kernel, "units" | "liveUnits">;

/** Declares a kernel of the library. */
export function kernel<C>(name: string, build: KernelDefinition<C>["build"]): KernelDefinition<C> {
  return { name, build };
}

/**
 * Runs a kernel's function for these constants on this target. That the IR keeps its specification is checked by tests and by what interprets it:
 * checking took as long as making it.
 */
export function specialise<C>(definition: KernelDefinition<C>, constants: C, target: Target): Kernel {
  const k = new Builder(definition.name, target);
  const { units, liveUnits, scratchBytes = 0 } = definition.build(k, constants);
  check(Number.isInteger(units) && units > 0, "kernel", () => `${definition.name}: ${units} units of work, must be a positive integer`);
  return k.finish({ units, liveUnits }, scratchBytes);
}

/** A machine word. Mutable: `set` and `bump` write the register. */
export class Int {
  readonly k: Builder;
  readonly reg: Reg;
  constructor(k: Builder, reg: Reg) {
    this.k = k;
    this.reg = reg;
  }
  add(b: Int | number): Int {
    return b === 0 ? this : this.#binary("iadd", b);
  }
  sub(b: Int | number): Int {
    return this.#binary("isub", b);
  }
  mul(b: Int | number): Int {
    return b === 1 ? this : this.#binary("imul", b);
  }
  min(b: Int | number): Int {
    return this.#binary("imin", b);
  }
  max(b: Int | number): Int {
    return this.#binary("imax", b);
  }
  /** Quotient of a non-negative number by a constant. */
  div(b: number): Int {
    return b === 1 ? this : this.#constant("idiv", b);
  }
  rem(b: number): Int {
    return this.#constant("irem", b);
  }
  set(value: Int | number): void {
    if (typeof value === "number") this.k.emit({ op: "iconst", d: this.reg, value });
    else this.k.emit({ op: "imov", d: this.reg, a: value.reg });
  }
  bump(by: Int | number): void {
    this.k.emit({ op: "iadd", d: this.reg, a: this.reg, b: operand(by) });
  }
  #binary(op: IntBinary, b: Int | number): Int {
    const d = this.k.register("int");
    this.k.emit({ op, d, a: this.reg, b: operand(b) });
    return new Int(this.k, d);
  }
  #constant(op: IntConstant, b: number): Int {
    const d = this.k.register("int");
    this.k.emit({ op, d, a: this.reg, b });
    return new Int(this.k, d);
  }
}

/** One truth value per lane. */
export class Mask {
  readonly k: Builder;
  readonly reg: Reg;
  constructor(k: Builder, reg: Reg) {
    this.k = k;
    this.reg = reg;
  }
  select(a: Vec, b: Vec): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op: "select", d, mask: this.reg, a: a.reg, b: b.reg });
    return new Vec(this.k, d);
  }
}

/** Lanes of float32, or of int32 for the methods that say so. Mutable by `set` and the `…To` forms. */
export class Vec {
  readonly k: Builder;
  readonly reg: Reg;
  constructor(k: Builder, reg: Reg) {
    this.k = k;
    this.reg = reg;
  }
  add(b: Vec): Vec {
    return this.#binary("fadd", b);
  }
  sub(b: Vec): Vec {
    return this.#binary("fsub", b);
  }
  mul(b: Vec): Vec {
    return this.#binary("fmul", b);
  }
  div(b: Vec): Vec {
    return this.#binary("fdiv", b);
  }
  min(b: Vec): Vec {
    return this.#binary("fmin", b);
  }
  max(b: Vec): Vec {
    return this.#binary("fmax", b);
  }
  sqrt(): Vec {
    return this.#unary("fsqrt");
  }
  abs(): Vec {
    return this.#unary("fabs");
  }
  neg(): Vec {
    return this.#unary("fneg");
  }
  /** The nearest integer, ties to even; still float32. */
  round(): Vec {
    return this.#unary("fround");
  }
  floor(): Vec {
    return this.#unary("ffloor");
  }
  /** this · b + c. */
  fma(b: Vec, c: Vec): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op: "ffma", d, a: this.reg, b: b.reg, c: c.reg });
    return new Vec(this.k, d);
  }
  set(value: Vec): void {
    this.k.emit({ op: "vmov", d: this.reg, a: value.reg });
  }
  /** this += a · b. */
  accumulate(a: Vec, b: Vec): void {
    this.k.emit({ op: "ffma", d: this.reg, a: a.reg, b: b.reg, c: this.reg });
  }
  /** this += a · b over pairs of bf16: see {@link Vec.pairBf16}. */
  accumulatePairs(a: Vec, b: Vec): void {
    this.k.emit({ op: "dotbf16", d: this.reg, a: a.reg, b: b.reg, c: this.reg });
  }
  /** this += a · b over four bytes per lane, those of a unsigned and at most `most`, those of b signed; this holds int32. Exact. */
  accumulateBytes(a: Vec, b: Vec, most = 255): void {
    this.k.emit({ op: "dotu8", d: this.reg, a: a.reg, b: b.reg, c: this.reg, most });
  }
  /** this += a · b over four signed bytes per lane, none of b −128; this holds int32. Exact. */
  accumulateSignedBytes(a: Vec, b: Vec): void {
    this.k.emit({ op: "dots8", d: this.reg, a: a.reg, b: b.reg, c: this.reg });
  }
  /** The products of {@link Vec.accumulateBytes} added in pairs: two numbers of 16 bits per lane, which must hold them. */
  bytePairs(b: Vec, most: number): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op: "pairsu8", d, a: this.reg, b: b.reg, most });
    return new Vec(this.k, d);
  }
  /** this += a · b over two signed numbers of 16 bits per lane; this holds int32. */
  accumulateHalves(a: Vec, b: Vec): void {
    this.k.emit({ op: "dot16", d: this.reg, a: a.reg, b: b.reg, c: this.reg });
  }
  /** this += b, two numbers of 16 bits per lane. */
  addHalvesTo(b: Vec): void {
    this.k.emit({ op: "vadd16", d: this.reg, a: this.reg, b: b.reg });
  }
  addTo(b: Vec): void {
    this.k.emit({ op: "fadd", d: this.reg, a: this.reg, b: b.reg });
  }
  maxTo(b: Vec): void {
    this.k.emit({ op: "fmax", d: this.reg, a: this.reg, b: b.reg });
  }
  less(b: Vec): Mask {
    return this.#compare("flt", b);
  }
  lessOrEqual(b: Vec): Mask {
    return this.#compare("fle", b);
  }
  equals(b: Vec): Mask {
    return this.#compare("feq", b);
  }
  /** Compares int32 lanes. */
  intLess(b: Vec): Mask {
    return this.#compare("vlt", b);
  }
  intEquals(b: Vec): Mask {
    return this.#compare("veq", b);
  }
  intAdd(b: Vec): Vec {
    return this.#binary("vadd", b);
  }
  intSub(b: Vec): Vec {
    return this.#binary("vsub", b);
  }
  intMul(b: Vec): Vec {
    return this.#binary("vmul", b);
  }
  and(b: Vec): Vec {
    return this.#binary("vand", b);
  }
  or(b: Vec): Vec {
    return this.#binary("vor", b);
  }
  xor(b: Vec): Vec {
    return this.#binary("vxor", b);
  }
  shiftLeft(bits: number): Vec {
    return this.#shift("vshl", bits);
  }
  shiftRight(bits: number): Vec {
    return this.#shift("vshr", bits);
  }
  shiftRightSigned(bits: number): Vec {
    return this.#shift("vsar", bits);
  }
  /** float32 → int32 toward zero, saturating; NaN becomes 0. */
  toInt(): Vec {
    return this.#unary("f2i");
  }
  /** int32 → float32, to nearest. */
  toFloat(): Vec {
    return this.#unary("i2f");
  }
  /** Each of four bytes per lane, at most 15, becomes that byte of a table of sixteen. */
  lookUp(table: readonly number[]): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op: "vlookup", d, a: this.reg, table });
    return new Vec(this.k, d);
  }
  /** Sum over the lanes, in every lane. */
  sum(): Vec {
    return this.#unary("rsum");
  }
  /** Maximum over the lanes, in every lane. */
  maximum(): Vec {
    return this.#unary("rmax");
  }
  /** Rounded to bf16 in the low half of each lane, `high` in the high half. Below 2⁻¹²⁶ it may become zero. */
  pairBf16(high: Vec): Vec {
    return this.#binary("bf16pair", high);
  }
  /** Neighbours exchanged: lanes 1, 0, 3, 2, … */
  swapNeighbours(): Vec {
    return this.#unary("vswap");
  }
  /** The lanes inside the span, the others from `outside`; nothing to do when the span is full. */
  within(span: Span, outside: Vec): Vec {
    if (span === "full") return this;
    const d = this.k.register("vec");
    this.k.emit({ op: "vkeep", d, a: this.reg, b: outside.reg, span });
    return new Vec(this.k, d);
  }
  #binary(op: VectorBinary, b: Vec): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op, d, a: this.reg, b: b.reg });
    return new Vec(this.k, d);
  }
  #unary(op: VectorUnary): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op, d, a: this.reg });
    return new Vec(this.k, d);
  }
  #shift(op: LaneShift, b: number): Vec {
    const d = this.k.register("vec");
    this.k.emit({ op, d, a: this.reg, b });
    return new Vec(this.k, d);
  }
  #compare(op: Compare, b: Vec): Mask {
    const d = this.k.register("mask");
    this.k.emit({ op, d, a: this.reg, b: b.reg });
    return new Mask(this.k, d);
  }
}

/** Where a body of {@link Builder.lanes} stands in its row: added to a pointer by load and store. */
export interface Position {
  /** Bytes from the row's start, when not constant. */
  readonly index?: Int;
  readonly offset: number;
  readonly span: Span;
  /** Which copy of an unrolled body this is: separate accumulators by it. */
  readonly copy: number;
}

/** The first full vector of a row. */
export const whole: Position = { offset: 0, span: "full", copy: 0 };

/** Emits IR into the innermost open block. */
export class Builder {
  readonly name: string;
  readonly target: Target;
  readonly #params: { name: string; reg: Reg }[] = [];
  readonly #constants = new Map<string, Vec>();
  readonly #madeAtEntry = new Map<string, Vec | Mask>();
  #next: number;
  #prologue: Op[] = [];
  #block: Op[] = [];

  /** @param firstRegister the number from which new registers count. */
  constructor(name: string, target: Target, firstRegister = 0) {
    this.name = name;
    this.target = target;
    this.#next = firstRegister;
  }

  get laneCount(): number {
    return this.target.lanes;
  }

  /** Declares the addresses that the kernel is called with, in order; `range` must follow. */
  pointers<N extends string>(...names: N[]): Record<N, Int> {
    return Object.fromEntries(names.map((name) => [name, this.#param(name)])) as Record<N, Int>;
  }

  /** The last three parameters: this thread's scratch and its units [begin, end). */
  range(): { scratch: Int; begin: Int; end: Int } {
    return { scratch: this.#param("scratch"), begin: this.#param("begin"), end: this.#param("end") };
  }

  int(value: number): Int {
    const d = this.register("int");
    this.emit({ op: "iconst", d, value });
    return new Int(this, d);
  }

  /** A register of its own with the value of `a`. */
  copy(a: Int): Int {
    const d = this.register("int");
    this.emit({ op: "imov", d, a: a.reg });
    return new Int(this, d);
  }

  /** A float constant in every lane; written once, at the kernel's entry. Not to be mutated. */
  constant(value: number): Vec {
    return this.#constant(value, "f32");
  }

  intConstant(value: number): Vec {
    return this.#constant(value, "i32");
  }

  /** A fresh mutable vector holding a float. */
  variable(value = 0): Vec {
    const d = this.register("vec");
    this.emit({ op: "vconst", d, value, type: "f32" });
    return new Vec(this, d);
  }

  copyVec(a: Vec): Vec {
    const d = this.register("vec");
    this.emit({ op: "vmov", d, a: a.reg });
    return new Vec(this, d);
  }

  iota(): Vec {
    const d = this.register("vec");
    this.emit({ op: "viota", d });
    return new Vec(this, d);
  }

  splatInt(a: Int): Vec {
    const d = this.register("vec");
    this.emit({ op: "vsplati", d, a: a.reg });
    return new Vec(this, d);
  }

  load(base: Int, at: Position = whole, extra = 0): Vec {
    const d = this.register("vec");
    this.emit({ op: "vload", d, m: memory(base, at, extra), span: at.span });
    return new Vec(this, d);
  }

  store(value: Vec, base: Int, at: Position = whole, extra = 0): void {
    this.emit({ op: "vstore", a: value.reg, m: memory(base, at, extra), span: at.span });
  }

  /** The float at base + offset bytes, in every lane. */
  splat(base: Int, offset = 0): Vec {
    const d = this.register("vec");
    this.emit({ op: "vsplat", d, m: { base: base.reg, offset } });
    return new Vec(this, d);
  }

  /**
   * Consecutive elements of 8 or 16 bits: floats as float32, integers as int32.
   * `at` is where the same elements would lie if each had 32 bits, as {@link Builder.lanes} gives it; `extra` counts bytes.
   */
  loadNarrow(type: Narrow, base: Int, at: Position = whole, extra = 0): Vec {
    const d = this.register("vec");
    this.emit({ op: "vloadNarrow", d, m: memory(base, narrowed(at, type), extra), span: at.span, type });
    return new Vec(this, d);
  }

  /** The inverse: floats rounded to nearest, ties to even; of integers the low bits. Below 2⁻¹²⁶ bf16 may become zero. */
  storeNarrow(type: NarrowStore, value: Vec, base: Int, at: Position = whole, extra = 0): void {
    this.emit({ op: "vstoreNarrow", a: value.reg, m: memory(base, narrowed(at, type), extra), span: at.span, type });
  }

  /** A vector made of parts of 16 bytes, four lanes each: part p is at base + offsets[p]. */
  loadParts(base: Int, offsets: readonly number[]): Vec {
    const d = this.register("vec");
    this.emit({ op: "vloadParts", d, m: { base: base.reg, offset: 0 }, offsets });
    return new Vec(this, d);
  }

  /** A vector made of one element per part, as float32 or int32 in its four lanes: that of part p is at base + offsets[p]. */
  splatParts(type: NarrowPart, base: Int, offsets: readonly number[]): Vec {
    const d = this.register("vec");
    this.emit({ op: "vsplatParts", d, m: { base: base.reg, offset: 0 }, offsets, type });
    return new Vec(this, d);
  }

  /** A hint that the cache line at base + offset bytes is wanted soon. */
  prefetch(base: Int, offset = 0): void {
    this.emit({ op: "prefetch", m: { base: base.reg, offset } });
  }

  /** Stores lane 0. */
  storeScalar(value: Vec, base: Int, offset = 0): void {
    this.emit({ op: "vstore", a: value.reg, m: { base: base.reg, offset }, span: this.target.lanes === 1 ? "full" : 1 });
  }

  loadInt(base: Int, offset = 0): Int {
    const d = this.register("int");
    this.emit({ op: "iload", d, m: { base: base.reg, offset }, type: "i32" });
    return new Int(this, d);
  }

  storeInt(value: Int, base: Int, offset = 0): void {
    this.emit({ op: "istore", a: value.reg, m: { base: base.reg, offset } });
  }

  transpose(rows: readonly Vec[]): Vec[] {
    const d = rows.map(() => this.register("vec"));
    this.emit({ op: "transpose", d, a: rows.map((v) => v.reg) });
    return d.map((reg) => new Vec(this, reg));
  }

  /** for (i = from; i < to; i += step). */
  loop(from: Int | number, to: Int | number, step: number, body: (i: Int) => void): void {
    const i = this.register("int");
    const ops = this.nested(() => body(new Int(this, i)));
    this.emit({ op: "loop", i, from: operand(from), to: operand(to), step, body: ops });
  }

  if(a: Int, relation: Relation, b: Int | number, then: () => void, otherwise: () => void = () => undefined): void {
    this.emit({ op: "if", a: a.reg, relation, b: operand(b), whenTrue: this.nested(then), otherwise: this.nested(otherwise) });
  }

  /** Runs `body` over `count` consecutive 32-bit elements, a vector at a time, then once for the tail; `unroll` bodies an iteration. */
  lanes(count: number, body: (at: Position) => void, unroll = 1): void {
    const bytes = this.laneCount * 4;
    const vectors = Math.floor(count / this.laneCount);
    const looped = Math.floor(vectors / unroll) * unroll;
    const at = (offset: number, copy: number, span: Span = "full"): Position => ({ offset, copy, span });
    if (looped <= unroll) for (let v = 0; v < looped; v++) body(at(v * bytes, v));
    else
      this.loop(0, looped * bytes, unroll * bytes, (index) => {
        for (let u = 0; u < unroll; u++) body({ ...at(u * bytes, u), index });
      });
    for (let v = looped; v < vectors; v++) body(at(v * bytes, v - looped));
    if (count % this.laneCount > 0) body(at(vectors * bytes, 0, count % this.laneCount));
  }

  /** Sum of `value` over `count` elements, in every lane; four partial sums, added pairwise. */
  sum(count: number, value: (at: Position) => Vec): Vec {
    const partial = this.#partials(count, 0);
    this.lanes(count, (at) => partial[at.copy]!.addTo(value(at).within(at.span, this.constant(0))), partial.length);
    return tree(partial, (a, b) => a.add(b)).sum();
  }

  /** Maximum of `value` over `count` elements, in every lane. */
  maximum(count: number, value: (at: Position) => Vec): Vec {
    const lowest = -3.4028234663852886e38;
    const partial = this.#partials(count, lowest);
    this.lanes(count, (at) => partial[at.copy]!.maxTo(value(at).within(at.span, this.constant(lowest))), partial.length);
    return tree(partial, (a, b) => a.max(b)).maximum();
  }

  /**
   * A flat array of `count` elements cut into blocks, one per unit of work: `body` runs for every vector of this thread's blocks.
   * @returns the number of units.
   */
  flat(count: number, range: { begin: Int; end: Int }, body: (at: Position) => void, block = 4096): number {
    this.loop(range.begin, range.end, 1, (unit) => {
      const start = unit.mul(block * 4);
      this.blocks(unit, count, block, (size) =>
        this.lanes(size, (at) => body({ ...at, index: at.index ? at.index.add(start) : start }), 2),
      );
    });
    return Math.ceil(count / block);
  }

  /** Runs `body` for block number `unit` of `count` elements cut into blocks of `size`, with how many it has: `size`, or what is left in the last. */
  blocks(unit: Int, count: number, size: number, body: (count: number) => void): void {
    const rest = count % size;
    if (rest === 0) body(size);
    else if (count < size) body(rest);
    else
      this.if(
        unit,
        "<",
        Math.floor(count / size),
        () => body(size),
        () => body(rest),
      );
  }

  /** What `make` emits, once, at the kernel's entry, from constants alone. Not to be mutated. */
  atEntry<T extends Vec | Mask>(key: string, make: () => T): T {
    const known = this.#madeAtEntry.get(key) as T | undefined;
    if (known) return known;
    const block = this.#block;
    this.#block = this.#prologue;
    const made = make();
    this.#block = block;
    this.#madeAtEntry.set(key, made);
    return made;
  }

  /** What `run` emits, as a block of its own. */
  nested(run: () => void): Op[] {
    const outer = this.#block;
    this.#block = [];
    run();
    const inner = this.#block;
    this.#block = outer;
    return inner;
  }

  register(kind: RegKind): Reg {
    return { kind, id: this.#next++ };
  }

  emit(op: Op): void {
    this.#block.push(op);
  }

  finish({ units, liveUnits }: Split, scratchBytes: number): Kernel {
    const body = [...this.#prologue, ...this.#block];
    return { name: this.name, target: this.target, params: this.#params, body, units, liveUnits, scratchBytes };
  }

  #partials(count: number, value: number): Vec[] {
    const copies = Math.min(4, Math.max(1, Math.floor(count / this.laneCount)));
    return Array.from({ length: copies }, () => this.variable(value));
  }

  #constant(value: number, type: "f32" | "i32"): Vec {
    const key = `${type}:${Object.is(value, -0) ? "-0" : value}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const d = this.register("vec");
    this.#prologue.push({ op: "vconst", d, value, type });
    const made = new Vec(this, d);
    this.#constants.set(key, made);
    return made;
  }

  #param(name: string): Int {
    const reg = this.register("int");
    this.#params.push({ name, reg });
    return new Int(this, reg);
  }
}

function operand(value: Int | number): Reg | number {
  return typeof value === "number" ? value : value.reg;
}

function memory(base: Int, at: Position, extra: number): Mem {
  const offset = at.offset + extra;
  return at.index ? { base: base.reg, index: at.index.reg, offset } : { base: base.reg, offset };
}

function narrowed(at: Position, type: Narrow): Position {
  const part = 4 / narrowBytes[type];
  return { ...at, offset: at.offset / part, ...(at.index ? { index: at.index.div(part) } : {}) };
}

function tree<T>(values: readonly T[], join: (a: T, b: T) => T): T {
  if (values.length === 1) return values[0]!;
  const half = Math.ceil(values.length / 2);
  return join(tree(values.slice(0, half), join), tree(values.slice(half), join));
}
