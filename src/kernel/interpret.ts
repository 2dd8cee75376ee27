// The slow meaning of a kernel, and the judge of every compiler: runs IR over plain memory by the formulas of the ops, one lane at a time.
import { check, fail } from "../base/index.ts";
import type { Kernel, Mem, Op, Reg, Relation, Span, Target } from "./ir.ts";
import { fieldsOf, isReg, kindOf } from "./operands.ts";
import { type Fields, type FieldType, type Memory, type OpName, ops } from "./ops.ts";

/** Runs a kernel over `memory`. @param args byte addresses and numbers, the last three are scratch, begin, end. @throws CriaError on an access outside. */
export function interpret(kernel: Kernel, memory: ArrayBufferLike, args: readonly number[]): void {
  check(
    args.length === kernel.params.length,
    "interpreter",
    () => `${kernel.name}: takes ${kernel.params.length} arguments, got ${args.length}`,
  );
  const interpreter = new Interpreter(kernel, memory);
  kernel.params.forEach((param, i) => interpreter.setInt(param.reg, args[i]!));
  interpreter.run(kernel.body);
}

class Interpreter {
  readonly #lanes: number;
  readonly #ints: number[] = [];
  readonly #vectors: Lanes[] = [];
  #spare: Lanes;
  readonly #seen: Seen;
  readonly #here: { readonly target: Target; column: number };

  constructor({ name, target }: Kernel, memory: ArrayBufferLike) {
    this.#lanes = target.lanes;
    this.#spare = makeLanes(this.#lanes);
    this.#seen = { ...nothingSeen, m: new MemoryAt(name, memory) };
    this.#here = { target, column: 0 };
  }

  setInt(reg: Reg, value: number): void {
    this.#ints[reg.id] = value;
  }

  run(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === "loop") this.#loop(op);
      else if (op.op === "if") this.run(relations[op.relation](this.#int(op.a), this.#int(op.b)) ? op.whenTrue : op.otherwise);
      else this.#op(op);
    }
  }

  #loop(op: Extract<Op, { op: "loop" }>): void {
    const to = this.#int(op.to);
    for (let i = this.#int(op.from); i < to; i += op.step) {
      this.setInt(op.i, i);
      this.run(op.body);
    }
  }

  #op(op: Op): void {
    const rule = rules[op.op];
    const { whole, isVector, formula } = rule;
    const fields = fieldsOf(op);
    for (let i = 0; i < whole.length; i++) this.#see(whole[i]!.name, whole[i]!.type, fields[whole[i]!.name]);
    if (isVector) this.#vector(rule, fields);
    else {
      const value = formula(this.#seen, 0, this.#here);
      if (fields.d) this.setInt(fields.d as Reg, value as number);
    }
  }

  /** Puts a field into what a formula sees. */
  #see(name: string, type: FieldType, value: unknown): void {
    const seen = this.#seen as Record<string, unknown>;
    switch (type) {
      case "int":
      case "int or number":
        seen[name] = this.#int(value as Reg | number);
        return;
      case "f32 lanes":
        seen[name] = this.#vec(value as Reg).f;
        return;
      case "i32 lanes":
        seen[name] = this.#vec(value as Reg).i;
        return;
      case "square":
        seen[name] = (value as readonly Reg[]).map((reg) => this.#vec(reg).i);
        return;
      case "memory": {
        const { base, index, offset } = value as Mem;
        this.#seen.m.start = this.#int(base) + (index ? this.#int(index) : 0) + offset;
        return;
      }
      case "span":
        seen[name] = (value as Span) === "full" ? this.#lanes : value;
        return;
      default:
        seen[name] = value;
    }
  }

  /** Every lane is computed from the old values before any is written, so that d may be an operand. */
  #vector(rule: Rule, fields: Readonly<Record<string, unknown>>): void {
    const d = fields.d as Reg | readonly Reg[] | undefined;
    if (d === undefined) this.#eachLane(rule, fields);
    else if (isReg(d)) this.#result(rule, fields, d);
    else
      d.forEach((reg, column) => {
        this.#here.column = column;
        this.#result(rule, fields, reg);
      });
  }

  #result(rule: Rule, fields: Readonly<Record<string, unknown>>, d: Reg): void {
    this.#eachLane(rule, fields);
    this.#commit(d);
  }

  /** What a field holds, where the formula sees it one lane at a time. */
  #lanesOf(type: FieldType | undefined, reg: unknown): Float32Array | Int32Array | undefined {
    if (type === undefined) return undefined;
    return type === "f32" ? this.#vec(reg as Reg).f : this.#vec(reg as Reg).i;
  }

  #eachLane(rule: Rule, fields: Readonly<Record<string, unknown>>): void {
    const { lanewise, result, formula } = rule;
    const lanesA = this.#lanesOf(lanewise.a, fields.a);
    const lanesB = this.#lanesOf(lanewise.b, fields.b);
    const lanesC = this.#lanesOf(lanewise.c, fields.c);
    const truths = this.#lanesOf(lanewise.mask, fields.mask);
    const results = result === "f32" ? this.#spare.f : this.#spare.i;
    const [seen, here] = [this.#seen, this.#here];
    for (let i = 0; i < this.#lanes; i++) {
      if (lanesA) seen.a = lanesA[i];
      if (lanesB) seen.b = lanesB[i];
      if (lanesC) seen.c = lanesC[i];
      if (truths) seen.mask = truths[i] !== 0;
      const value = formula(seen, i, here);
      results[i] = result === "mask" ? -Number(value) : (value as number);
    }
  }

  #commit(d: Reg): void {
    const old = this.#vec(d);
    this.#vectors[d.id] = this.#spare;
    this.#spare = old;
  }

  #int(value: Reg | number): number {
    return typeof value === "number" ? value : this.#ints[value.id]!;
  }

  #vec(reg: Reg): Lanes {
    const lanes = this.#vectors[reg.id] ?? makeLanes(this.#lanes);
    this.#vectors[reg.id] = lanes;
    return lanes;
  }
}

/** The memory behind an address that changes from op to op. */
class MemoryAt implements Memory {
  start = 0;
  readonly #kernel: string;
  readonly #bytes: DataView;

  constructor(kernel: string, memory: ArrayBufferLike) {
    this.#kernel = kernel;
    this.#bytes = new DataView(memory);
  }

  read(type: "i32" | "u16" | "u8" | "i8", offset: number): number {
    const address = this.#inside(this.start + offset, elementBytes[type]);
    if (type === "i32") return this.#bytes.getInt32(address, true);
    if (type === "u16") return this.#bytes.getUint16(address, true);
    return type === "u8" ? this.#bytes.getUint8(address) : this.#bytes.getInt8(address);
  }

  write(type: "i32" | "u16" | "u8", offset: number, value: number): undefined {
    const address = this.#inside(this.start + offset, elementBytes[type]);
    if (type === "i32") this.#bytes.setInt32(address, value, true);
    else if (type === "u16") this.#bytes.setUint16(address, value, true);
    else this.#bytes.setUint8(address, value);
  }

  /** @returns the address. @throws CriaError where that and the bytes behind it are not all in memory. */
  #inside(address: number, bytes: number): number {
    if (!(address >= 0 && address + bytes <= this.#bytes.byteLength))
      fail("interpreter", `${this.#kernel}: bytes ${address} to ${address + bytes} accessed, but the memory has ${this.#bytes.byteLength}`);
    return address;
  }
}

const elementBytes = { i32: 4, u16: 2, u8: 1, i8: 1 } as const;

type LaneField = "a" | "b" | "c" | "mask";

/** The fields of all ops, in one object that is used again for every op: an engine of JavaScript reads few shapes of objects quickly. */
type Seen = Record<"a" | "b" | "c" | "mask" | "value" | "most" | "span" | "type" | "offsets" | "from", unknown> & { readonly m: MemoryAt };
const nothingSeen = { a: 0, b: 0, c: 0, mask: false, value: 0, most: 0, span: 0, type: "", offsets: [], from: [] };

/** What the interpreter goes by, read off an op's row. */
interface Rule {
  /** The fields but the result and those that the formula sees one lane at a time. */
  readonly whole: readonly { readonly name: string; readonly type: FieldType }[];
  readonly result: FieldType | undefined;
  /** Whether the formula holds for every lane. */
  readonly isVector: boolean;
  /** The types of the fields that it sees one lane at a time. */
  readonly lanewise: Readonly<Record<LaneField, FieldType | undefined>>;
  readonly formula: (fields: object, i: number, here: { readonly target: Target; readonly column: number }) => unknown;
}

const rules = Object.fromEntries(Object.entries(ops).map(([name, row]) => [name, ruleOf(row)])) as Readonly<Record<OpName, Rule>>;

function ruleOf({ fields, formula = () => undefined }: { readonly fields: Fields; readonly formula?: unknown }): Rule {
  const { d: result, ...others } = fields;
  const types = Object.entries(others).map(([name, type]) => ({ name, type }));
  const isLanewise = (type: FieldType | undefined) => type === "f32" || type === "i32" || type === "mask";
  const lanewise = (name: LaneField) => (isLanewise(fields[name]) ? fields[name] : undefined);
  return {
    whole: types.filter(({ type }) => !isLanewise(type)),
    result,
    isVector: Object.values(fields).some((type) => kindOf(type) === "vec" || kindOf(type) === "mask"),
    lanewise: { a: lanewise("a"), b: lanewise("b"), c: lanewise("c"), mask: lanewise("mask") },
    formula: formula as Rule["formula"], // typed by its row, whose fields are these
  };
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

const relations: Record<Relation, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};
