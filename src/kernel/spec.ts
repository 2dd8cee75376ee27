// The executable specification of the IR (tinygrad's uop/spec.py): what a kernel must satisfy. Tests and whoever interprets it check it.
import { check, fail } from "../base/index.ts";
import type { Kernel, Op, Reg, RegKind } from "./ir.ts";
import { isReg, kindOf, operandsOf } from "./operands.ts";

/** @throws CriaError naming the kernel, the op and the rule that it breaks. */
export function verify(kernel: Kernel): void {
  const last = kernel.params.slice(-3).map(({ name }) => name);
  check(
    last.join() === "scratch,begin,end",
    "kernel",
    () => `${kernel.name}: its last parameters are (${last.join(", ")}), but must be (scratch, begin, end): call range() after pointers()`,
  );
  const verifier = new Verifier(kernel);
  for (const { reg } of kernel.params) verifier.declare(reg);
  verifier.block(kernel.body);
}

class Verifier {
  readonly #kernel: Kernel;
  readonly #kinds = new Map<number, RegKind>();
  /** Registers that have a value here, whichever way was taken. */
  readonly #defined = new Set<number>();
  /** The same in the order in which they got it: a block's own are taken back at its end. */
  readonly #order: number[] = [];
  /** Counters and bounds of the loops around. */
  readonly #fixed: number[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  declare(reg: Reg): void {
    this.#kinds.set(reg.id, reg.kind);
    this.#define(reg.id);
  }

  block(ops: readonly Op[]): void {
    for (const op of ops) this.#op(op);
  }

  #op(op: Op): void {
    const { reads, writes } = operandsOf(op);
    for (const reg of reads) {
      if (!this.#defined.has(reg.id)) this.#broken(op, `reads register ${reg.id} before it is written`);
      this.#sameKind(op, reg);
    }
    for (const reg of writes) {
      if (this.#fixed.includes(reg.id)) this.#broken(op, `writes register ${reg.id}, the counter or the bound of a loop around it`);
      this.#sameKind(op, reg);
    }
    this.#operands(op);
    if (op.op === "loop") return this.#loop(op);
    if (op.op === "if") return this.#branches(op);
    for (const { id } of writes) this.#define(id);
  }

  #define(id: number): void {
    if (this.#defined.has(id)) return;
    this.#defined.add(id);
    this.#order.push(id);
  }

  #loop(op: Extract<Op, { op: "loop" }>): void {
    this.#rule(isPositive(op.step), op, () => `step ${op.step} must be a positive integer`);
    for (const bound of [op.from, op.to])
      if (!isReg(bound)) this.#rule(isNatural(bound), op, () => `bound ${bound} must be a non-negative integer`);
    const outer = this.#fixed.length;
    this.#fixed.push(op.i.id);
    if (isReg(op.to)) this.#fixed.push(op.to.id);
    this.#definedBy(() => {
      this.#define(op.i.id);
      this.block(op.body);
    });
    this.#fixed.length = outer;
  }

  /** What both branches define is defined afterwards. */
  #branches(op: Extract<Op, { op: "if" }>): void {
    const left = this.#definedBy(() => this.block(op.whenTrue));
    const right = new Set(this.#definedBy(() => this.block(op.otherwise)));
    for (const id of left) if (right.has(id)) this.#define(id);
  }

  /** Runs over a part of the kernel that may not be taken. @returns what has a value inside of it only. */
  #definedBy(visit: () => void): number[] {
    const outer = this.#order.length;
    visit();
    const inside = this.#order.splice(outer);
    for (const id of inside) this.#defined.delete(id);
    return inside;
  }

  #operands(op: Op): void {
    if (op.op === "transpose") return this.#transpose(op);
    this.#operandKinds(op);
    if ("m" in op) {
      const { base, index, offset } = op.m;
      this.#rule(base.kind === "int" && (index?.kind ?? "int") === "int", op, () => "addresses are int registers");
      this.#rule(isNatural(offset), op, () => `offset ${offset} must be a non-negative integer`);
    }
    if ("span" in op) {
      const { span } = op;
      const { lanes } = this.#kernel.target;
      this.#rule(span === "full" || (isPositive(span) && span < lanes), op, () => `a tail has 1 to ${lanes - 1} lanes, not ${span}`);
    }
    if ("offsets" in op) this.#parts(op, op.offsets, Number.POSITIVE_INFINITY);
    if ("from" in op && op.op === "vspread") this.#parts(op, op.from, this.#kernel.target.lanes);
    this.#constants(op);
  }

  #parts(op: Op, numbers: readonly number[], limit: number): void {
    const parts = this.#kernel.target.lanes / 4;
    this.#rule(numbers.length === parts, op, () => `a vector has ${parts} parts, not ${numbers.length}`);
    for (const number of numbers)
      this.#rule(isNatural(number) && number < limit, op, () => `${number} is not a natural number below ${limit}`);
  }

  #constants(op: Op): void {
    switch (op.op) {
      case "ishl":
      case "ishr":
      case "vshl":
      case "vshr":
      case "vsar":
        return this.#rule(isNatural(op.b) && op.b < 32, op, () => `shifts by 0 to 31 bits, not ${op.b}`);
      case "idiv":
      case "irem":
        return this.#rule(isPositive(op.b), op, () => `divides by a positive integer, not ${op.b}`);
      case "iconst":
        return this.#rule(Number.isInteger(op.value), op, () => `${op.value} is not an integer`);
    }
  }

  #transpose(op: Extract<Op, { op: "transpose" }>): void {
    const { lanes } = this.#kernel.target;
    this.#rule(op.a.length === lanes && op.d.length === lanes, op, () => `needs ${lanes} registers, has ${op.a.length} and ${op.d.length}`);
    const kinds = [...op.a, ...op.d].map(({ kind }) => kind);
    this.#rule(
      kinds.every((kind) => kind === "vec"),
      op,
      () => "moves vec registers only",
    );
    const sources = new Set(op.a.map(({ id }) => id));
    const written = new Set(op.d.map(({ id }) => id));
    this.#rule(!op.d.some(({ id }) => sources.has(id)), op, () => "sources and destinations must be different registers");
    this.#rule(written.size === lanes, op, () => "writes a register twice");
  }

  #operandKinds(op: Op): void {
    const fields = op as unknown as Record<string, unknown>;
    for (const field of operandFields) {
      const reg = fields[field];
      if (!isReg(reg)) continue;
      const want = kindOf(op.op, field);
      if (reg.kind !== want) this.#broken(op, `operand ${field} is a ${reg.kind} register, but must be ${want}`);
    }
  }

  #sameKind(op: Op, reg: Reg): void {
    const known = this.#kinds.get(reg.id);
    if (known === reg.kind) return;
    if (known !== undefined) this.#broken(op, `register ${reg.id} is ${reg.kind} here, but ${known} elsewhere`);
    this.#kinds.set(reg.id, reg.kind);
  }

  #rule(condition: boolean, op: Op, message: () => string): void {
    if (!condition) this.#broken(op, message());
  }

  #broken(op: Op, message: string): never {
    fail("kernel", `${this.#kernel.name}: ${op.op}: ${message}`);
  }
}

const operandFields = ["d", "a", "b", "c", "mask", "i", "from", "to"] as const;

function isNatural(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function isPositive(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
