// The executable specification of the IR (tinygrad's uop/spec.py): what a kernel must satisfy. Tests and whoever interprets it check it.
import { check, fail } from "../base/index.ts";
import type { Kernel, Op, Reg, RegKind } from "./ir.ts";
import { fieldsOf, isReg, kindOf, operandsOf } from "./operands.ts";
import { type FieldType, type Held, ops } from "./ops.ts";

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

  /** What each field holds is as its type in the op's row asks. */
  #operands(op: Op): void {
    if (op.op === "transpose") this.#transpose(op);
    const types: Readonly<Record<string, FieldType>> = ops[op.op].fields;
    for (const name of Object.keys(types)) this.#field(op, name, types[name]!, fieldsOf(op)[name]);
  }

  #field(op: Op, name: string, type: FieldType, value: unknown): void {
    const kind = kindOf(type);
    if (isReg(value) && value.kind !== kind) this.#broken(op, `operand ${name} is a ${value.kind} register, but must be ${kind}`);
    const complaint = rules[type]?.(value as never, this.#kernel.target.lanes);
    if (complaint) this.#broken(op, complaint);
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

/** What is wrong with a field of a type, where that is more than the kind of a register; a vector has `lanes` lanes. */
const rules: { readonly [T in FieldType]?: (value: Held[T], lanes: number) => string | undefined } = {
  integer: (value) => (Number.isInteger(value) ? undefined : `${value} is not an integer`),
  shift: (value) => (isNatural(value) && value < 32 ? undefined : `shifts by 0 to 31 bits, not ${value}`),
  divisor: (value) => (isPositive(value) ? undefined : `divides by a positive integer, not ${value}`),
  step: (value) => (isPositive(value) ? undefined : `step ${value} must be a positive integer`),
  bound: (value) => (isReg(value) || isNatural(value) ? undefined : `bound ${value} must be a non-negative integer`),
  span: (value, lanes) =>
    value === "full" || (isPositive(value) && value < lanes) ? undefined : `a tail has 1 to ${lanes - 1} lanes, not ${value}`,
  "number per part": (values, lanes) => partsRule(values, lanes),
  "byte table": (bytes) =>
    bytes.length === 16 && bytes.every((byte) => isNatural(byte) && byte < 256) ? undefined : `a table has 16 bytes, not ${bytes}`,
  memory({ base, index, offset }) {
    if (base.kind !== "int" || (index?.kind ?? "int") !== "int") return "addresses are int registers";
    return isNatural(offset) ? undefined : `offset ${offset} must be a non-negative integer`;
  },
};

function partsRule(numbers: readonly number[], lanes: number): string | undefined {
  const parts = lanes / 4;
  if (numbers.length !== parts) return `a vector has ${parts} parts, not ${numbers.length}`;
  const bad = numbers.find((number) => !isNatural(number));
  return bad === undefined ? undefined : `${bad} is not a natural number`;
}

function isNatural(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function isPositive(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
