// Random valid kernels, loops in branches in loops: the interpreter and the compiled kernel must leave the same memory, bit for bit.
import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { differences } from "./differential.test.helper.ts";
import type { Op, Reg, Relation, Span, Target } from "./ir.ts";
import { type Builder, Int, kernel, Mask, Vec } from "./language.ts";
import type { IntBinary, IntConstant, LaneBinary } from "./ops.ts";
import { compiledRuns, crampedRuns, specialised } from "./testing.test.helper.ts";

const kernels = 150;
/** Ints stay below 256, so that index · 16 + offset + a vector stays inside. */
const region = 256 * 16 + 128;
const units = 3;
const narrow = ["f16", "bf16", "u16", "i8", "u8"] as const;

const fuzz = kernel<{ seed: number }>("fuzz", (k, { seed }) => {
  const { x } = k.pointers("x");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, (unit) => new Generator(k, new Rng(seed), x.add(unit.mul(region)), unit).run());
  return { units };
});

describe.each([...compiledRuns, ...crampedRuns])("$name", (run) => {
  const { target } = run;
  test(`${kernels} random kernels do what the interpreter does`, () => {
    for (let seed = 1; seed <= kernels; seed++) expect(differences(run, make(seed, target), memory(seed), [0]), `seed ${seed}`).toEqual([]);
  });

  test("the same kernel gives the same bytes, other kernels others", () => {
    const bytes = (seed: number) => Buffer.from(run.bytes(make(seed, target)));
    expect(bytes(7).equals(bytes(7))).toBe(true);
    expect(bytes(7).equals(bytes(8))).toBe(false);
  });
});

function make(seed: number, target: Target) {
  return specialised(fuzz, { seed }, target);
}

function memory(seed: number): Int32Array {
  const rng = new Rng(seed).fork("memory");
  const words = new Int32Array((region * units) / 4);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < words.length; i++)
    if (rng.below(4) === 0) words[i] = rng.uniform() * 2 ** 32;
    else floats[i] = rng.normal() * 4;
  return words;
}

/** What is defined where the generator stands. */
interface Scope {
  readonly ints: Int[];
  /** Ints that may be written: neither counters nor bounds. */
  readonly free: Int[];
  readonly vecs: Vec[];
  readonly masks: Mask[];
}

class Generator {
  readonly #k: Builder;
  readonly #rng: Rng;
  readonly #x: Int;
  #scope: Scope;
  #depth = 0;

  constructor(k: Builder, rng: Rng, x: Int, unit: Int) {
    this.#k = k;
    this.#rng = rng;
    this.#x = x;
    const vecs = [k.load(x), k.load(x, { offset: 16, span: "full", copy: 0 }), k.iota(), k.variable(0.5)];
    this.#scope = { ints: [unit, k.int(3)], free: [k.int(17)], vecs, masks: [k.iota().less(vecs[0]!)] };
  }

  run(): void {
    this.#statements(25);
    this.#scope.vecs.forEach((v, i) => this.#k.store(v, this.#x, { offset: (i * 16) % (region - 64), span: "full", copy: 0 }));
    this.#scope.free.forEach((i, n) => this.#k.storeInt(i, this.#x, (1024 + n * 4) % (region - 4)));
  }

  #statements(count: number): void {
    for (let n = 0; n < count; n++) this.#statement();
  }

  #statement(): void {
    const choice = this.#rng.below(12);
    if (choice < 2 && this.#depth < 3) return choice === 0 ? this.#loop() : this.#branch();
    if (choice < 4) return this.#memoryOp();
    if (choice < 6) return this.#intOp();
    if (choice < 9) return this.#floatOp();
    return this.#bitOp();
  }

  #loop(): void {
    const bound = this.#rng.below(2) === 0 ? this.#int() : this.#rng.below(6);
    this.#nested(() =>
      this.#k.loop(this.#rng.below(3), bound instanceof Int ? bound.min(9) : bound, 1 + this.#rng.below(4), (i) => {
        this.#scope.ints.push(i);
        this.#statements(4);
      }),
    );
  }

  #branch(): void {
    const relation = this.#pick<Relation>(["<", "<=", ">", ">=", "==", "!="]);
    const right = this.#rng.below(2) === 0 ? this.#int() : this.#rng.below(20);
    this.#k.if(
      this.#int(),
      relation,
      right,
      () => this.#nested(() => this.#statements(4)),
      () => this.#nested(() => this.#statements(this.#rng.below(3))),
    );
  }

  /** What is defined inside is forgotten after; what is written stays written. */
  #nested(body: () => void): void {
    const { ints, free, vecs, masks } = this.#scope;
    this.#depth++;
    this.#scope = { ints: [...ints], free: [...free], vecs: [...vecs], masks: [...masks] };
    body();
    this.#scope = { ints, free, vecs, masks };
    this.#depth--;
  }

  #memoryOp(): void {
    const index = this.#int().mul(16);
    const span = this.#span();
    const at = { offset: this.#rng.below(12) * 4, span, copy: 0, ...(this.#rng.below(2) === 0 ? { index } : {}) };
    const choice = this.#rng.below(6);
    if (choice === 5) this.#k.storeNarrow(this.#pick(["f16", "bf16", "u16", "u8"] as const), this.#vec(), this.#x, at);
    else if (choice === 4) this.#scope.vecs.push(this.#noNaN(this.#k.loadNarrow(this.#pick(narrow), this.#x, at)));
    else if (choice === 0) this.#k.store(this.#vec(), this.#x, at);
    else if (choice === 1) this.#scope.vecs.push(this.#k.splat(this.#x.add(index), at.offset));
    else if (choice === 2) this.#keep(this.#k.loadInt(this.#x.add(index), at.offset));
    else this.#scope.vecs.push(this.#k.load(this.#x, at));
  }

  #intOp(): void {
    const d = this.#k.register("int");
    const a = this.#int().reg;
    const b = this.#rng.below(2) === 0 ? this.#int().reg : this.#rng.below(100);
    const binary = this.#pick<IntBinary>(["iadd", "isub", "imul", "imin", "imax"]);
    const constant = this.#pick<IntConstant>(["ishl", "ishr", "iand", "idiv", "irem"]);
    this.#k.emit(this.#rng.below(2) === 0 ? { op: binary, d, a, b } : { op: constant, d, a, b: 1 + this.#rng.below(9) });
    this.#keep(new Int(this.#k, d));
  }

  /** Keeps it small; sometimes in a register that exists. */
  #keep(value: Int): void {
    const d = this.#rng.below(3) === 0 ? this.#pick(this.#scope.free).reg : this.#k.register("int");
    this.#k.emit({ op: "iand", d, a: value.reg, b: 255 });
    const kept = new Int(this.#k, d);
    if (this.#scope.ints.some(({ reg }) => reg.id === d.id) || this.#scope.free.some(({ reg }) => reg.id === d.id)) return;
    // A bound must stay: an int is either read by loops or written, never both.
    (this.#rng.below(2) === 0 ? this.#scope.ints : this.#scope.free).push(kept);
  }

  /** No machine promises the bits of a NaN, so results that are one become zero. */
  #floatOp(): void {
    const [a, b, c] = [this.#vec(), this.#vec(), this.#vec()].map(({ reg }) => reg) as [Reg, Reg, Reg];
    const value = this.#write((d) =>
      this.#pick<Op>([
        { op: this.#pick(["fadd", "fsub", "fmul", "fdiv", "fmin", "fmax"] as const), d, a, b },
        { op: this.#pick(["fsqrt", "fabs", "fneg", "fround", "ffloor"] as const), d, a },
        { op: this.#pick(["rsum", "rmax"] as const), d, a },
        { op: "ffma", d, a, b, c },
      ]),
    );
    value.set(this.#noNaN(value));
  }

  #noNaN(value: Vec): Vec {
    return value.equals(value).select(value, this.#k.constant(0));
  }

  #bitOp(): void {
    const [a, b] = [this.#vec().reg, this.#vec().reg];
    const mask = this.#k.register("mask");
    this.#k.emit({ op: this.#pick(["flt", "fle", "feq", "vlt", "veq"] as const), d: mask, a, b });
    this.#scope.masks.push(new Mask(this.#k, mask));
    this.#write((d) =>
      this.#pick<Op>([
        { op: this.#pick<LaneBinary>(["vadd", "vsub", "vadd16", "vmul", "vand", "vor", "vxor"]), d, a, b },
        { op: this.#pick(["vshl", "vshr", "vsar"] as const), d, a, b: this.#rng.below(32) },
        { op: this.#pick(["i2f", "f2i", "vmov", "vswap"] as const), d, a },
        { op: "vkeep", d, a, b, span: this.#span() },
        { op: "select", d, mask: this.#pick(this.#scope.masks).reg, a, b },
        { op: "vsplati", d, a: this.#int().reg },
        { op: "bf16pair", d, a, b },
        { op: "dotu8", d, a, b, c: this.#vec().reg, most: 255 },
        { op: "dots8", d, a, b: this.#vec().or(this.#k.intConstant(0x01010101)).reg, c: this.#vec().reg },
        { op: "pairsu8", d, a: this.#vec().and(this.#k.intConstant(0x7f7f7f7f)).reg, b, most: 127 },
        { op: "dot16", d, a, b, c: this.#vec().reg },
        { op: "dotbf16", d, ...this.#exactPairs() },
        { op: "vlookup", d, a: this.#vec().and(this.#k.intConstant(0x0f0f0f0f)).reg, table: this.#table() },
      ]),
    );
    if (this.#rng.below(6) === 0) this.#scope.vecs.push(...this.#k.transpose(Array.from({ length: this.#k.laneCount }, () => this.#vec())));
  }

  #table(): number[] {
    return Array.from({ length: 16 }, () => this.#rng.below(256));
  }

  /** Operands whose products and sum are exact, in any order: factors 2 and 4, small integers to add. */
  #exactPairs(): { a: Reg; b: Reg; c: Reg } {
    const k = this.#k;
    const pairs = () =>
      this.#vec()
        .and(k.intConstant(0xc080c080 | 0))
        .or(k.intConstant(0x40004000)).reg;
    return { a: pairs(), b: pairs(), c: this.#vec().and(k.intConstant(255)).toFloat().reg };
  }

  /** Writes a fresh register, or one that exists: an operand, perhaps. */
  #write(op: (d: Reg) => Op): Vec {
    const fresh = this.#rng.below(2) === 0;
    const d = fresh ? this.#k.register("vec") : this.#vec().reg;
    this.#k.emit(op(d));
    const value = new Vec(this.#k, d);
    if (fresh) this.#scope.vecs.push(value);
    return value;
  }

  #span(): Span {
    return this.#pick<Span>(["full", ...Array.from({ length: this.#k.laneCount - 1 }, (_, i) => i + 1)]);
  }

  #int(): Int {
    return this.#pick(this.#scope.ints);
  }

  #vec(): Vec {
    return this.#pick(this.#scope.vecs);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#rng.below(values.length)]!;
  }
}
