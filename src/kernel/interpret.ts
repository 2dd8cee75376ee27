// The slow meaning of a kernel, and the judge of every compiler: runs IR over plain memory by the formulas of the ops, one lane at a time.
import { check, fail } from "../base/index.ts";
import type { Kernel, Mem, Op, Reg, Relation, Target } from "./ir.ts";
import { fieldsOf, isReg, kindOf } from "./operands.ts";
import { type Fields, type FieldType, type Memory, type OpName, operandsByPlace, ops } from "./ops.ts";

/** Runs a kernel over `memory`. @param args byte addresses and numbers, the last three are scratch, begin, end. @throws CriaError on an access outside. */
export function interpret(kernel: Kernel, memory: ArrayBufferLike, args: readonly number[]): void {
  check(
    args.length === kernel.params.length,
    "interpreter",
    () => `${kernel.name}: takes ${kernel.params.length} arguments, got ${args.length}`,
  );
  const interpreter = new Interpreter(kernel, memory);
  kernel.params.forEach((param, i) => interpreter.setInt(param.reg, args[i]!));
  run(interpreter.prepare(kernel.body));
}

/** What an op does, with its registers and constants at hand: it runs as often as the op does, and looks nothing up. */
type Step = () => void;

function run(steps: readonly Step[]): void {
  for (let i = 0; i < steps.length; i++) steps[i]!();
}

class Interpreter {
  readonly #target: Target;
  readonly #memory: MemoryAt;
  /** Values of int registers, and of constants beside them. */
  readonly #ints: number[] = [];
  /** Where in `#ints` a register is, by its id. */
  readonly #places: number[] = [];
  readonly #vectors: Lanes[] = [];

  constructor({ name, target }: Kernel, memory: ArrayBufferLike) {
    this.#target = target;
    this.#memory = new MemoryAt(name, memory);
  }

  setInt(reg: Reg, value: number): void {
    this.#ints[this.#place(reg)] = value;
  }

  prepare(ops: readonly Op[]): Step[] {
    return ops.map((op) => {
      if (op.op === "loop") return this.#loop(op);
      return op.op === "if" ? this.#if(op) : this.#op(op);
    });
  }

  #loop({ i, from, to, step, body }: Extract<Op, { op: "loop" }>): Step {
    const [ints, counter, first, last] = [this.#ints, this.#place(i), this.#place(from), this.#place(to)];
    const steps = this.prepare(body);
    return () => {
      const end = ints[last]!;
      for (let at = ints[first]!; at < end; at += step) {
        ints[counter] = at;
        run(steps);
      }
    };
  }

  #if({ a, b, relation, whenTrue, otherwise }: Extract<Op, { op: "if" }>): Step {
    const [ints, left, right, holds] = [this.#ints, this.#place(a), this.#place(b), relations[relation]];
    const [then, not] = [this.prepare(whenTrue), this.prepare(otherwise)];
    return () => run(holds(ints[left]!, ints[right]!) ? then : not);
  }

  #op(op: Op): Step {
    const rule = rules[op.op];
    const fields = fieldsOf(op);
    const here = this.#hereOf(fields);
    const step = rule.isVector ? this.#vector(rule, fields, here) : this.#scalar(rule, fields, here);
    return rule.hasMemory ? this.#addressing(fields.m as Mem, step) : step;
  }

  /** What the formula sees beside the operands that it takes by place, in objects of one shape: an engine of JavaScript reads few shapes quickly. */
  #hereOf({ value, most, span, type, offsets, table }: FieldsByName): Here {
    const [target, m] = [this.#target, this.#memory];
    return { target, m, column: 0, value, most, span: span === "full" ? target.lanes : span, type, offsets, table };
  }

  #addressing({ base, index, offset }: Mem, step: Step): Step {
    const [ints, memory, from, by] = [this.#ints, this.#memory, this.#place(base), this.#place(index ?? 0)];
    return () => {
      memory.start = ints[from]! + ints[by]! + offset;
      step();
    };
  }

  #scalar({ operands, formula }: Rule, fields: FieldsByName, here: Here): Step {
    const ints = this.#ints;
    const [a = 0, b = 0] = operands.map(({ name }) => this.#place(fields[name] as Reg | number));
    const count = operands.length;
    if (fields.d === undefined) return count === 0 ? () => formula(here) : () => formula(ints[a], here);
    const d = this.#place(fields.d as Reg);
    if (count === 0)
      return () => {
        ints[d] = formula(here) as number;
      };
    if (count === 1)
      return () => {
        ints[d] = formula(ints[a], here) as number;
      };
    return () => {
      ints[d] = formula(ints[a], ints[b], here) as number;
    };
  }

  #vector(rule: Rule, fields: FieldsByName, here: Here): Step {
    const d = fields.d as Reg | readonly Reg[] | undefined;
    const given = rule.operands.map(({ name, type }) => this.#lanesOf(type, fields[name]));
    if (d === undefined) return this.#eachLane(rule, given, here, this.#makeLanes().i);
    if (isReg(d)) return rule.isSplat ? this.#splat(rule, fields, here, d) : this.#result(rule, given, here, d);
    const steps = d.map((reg, column) => this.#result(rule, given, { ...here, column }, reg));
    return () => run(steps);
  }

  /** The formula is computed once for all lanes. */
  #splat({ operands: [operand], result, formula }: Rule, fields: FieldsByName, here: Here, d: Reg): Step {
    const written = result === "f32" ? this.#vec(d).f : this.#vec(d).i;
    if (operand === undefined) return () => void written.fill(formula(here) as number);
    const a = fields[operand.name] as Reg;
    const [values, at] = operand.type === "int" ? [this.#ints, this.#place(a)] : [[this.#vec(a).f], 0];
    return () => void written.fill(formula(values[at], here) as number);
  }

  /** Lanes are written one by one as they are computed, but where the formula sees all lanes at once, of which `d` may be an operand. */
  #result(rule: Rule, given: readonly ArrayLike<unknown>[], here: Here, d: Reg): Step {
    const written = rule.result === "f32" ? this.#vec(d).f : this.#vec(d).i;
    if (!rule.seesAllLanes) return this.#eachLane(rule, given, here, written);
    const spare = written.slice();
    const step = this.#eachLane(rule, given, here, spare);
    return () => {
      step();
      written.set(spare);
    };
  }

  /** A loop per number of operands: with a spread, a lane takes several times as long. */
  #eachLane({ formula }: Rule, given: readonly ArrayLike<unknown>[], here: Here, d: Float32Array | Int32Array): Step {
    const [a = [], b = [], c = []] = given;
    const { lanes } = this.#target;
    switch (given.length) {
      case 0:
        return () => {
          for (let i = 0; i < lanes; i++) d[i] = formula(here, i) as number;
        };
      case 1:
        return () => {
          for (let i = 0; i < lanes; i++) d[i] = formula(a[i], here, i) as number;
        };
      case 2:
        return () => {
          for (let i = 0; i < lanes; i++) d[i] = formula(a[i], b[i], here, i) as number;
        };
      default:
        return () => {
          for (let i = 0; i < lanes; i++) d[i] = formula(a[i], b[i], c[i], here, i) as number;
        };
    }
  }

  /** What an operand by place is in each lane. */
  #lanesOf(type: FieldType, value: unknown): ArrayLike<unknown> {
    const { lanes } = this.#target;
    switch (type) {
      case "f32":
        return this.#vec(value as Reg).f;
      case "i32":
      case "mask":
        return this.#vec(value as Reg).i;
      case "f32 lanes":
        return Array(lanes).fill(this.#vec(value as Reg).f);
      case "i32 lanes":
        return Array(lanes).fill(this.#vec(value as Reg).i);
      case "square":
        return Array(lanes).fill((value as readonly Reg[]).map((reg) => this.#vec(reg).i));
      default:
        return new Int32Array(lanes).fill(value as number);
    }
  }

  #place(value: Reg | number): number {
    if (typeof value === "number") return this.#ints.push(value) - 1;
    const place = this.#places[value.id] ?? this.#ints.push(0) - 1;
    this.#places[value.id] = place;
    return place;
  }

  #vec(reg: Reg): Lanes {
    const lanes = this.#vectors[reg.id] ?? this.#makeLanes();
    this.#vectors[reg.id] = lanes;
    return lanes;
  }

  #makeLanes(): Lanes {
    const f = new Float32Array(this.#target.lanes);
    return { f, i: new Int32Array(f.buffer) };
  }
}

type FieldsByName = Readonly<Record<string, unknown>>;

/** The same bits as floats and as integers. */
interface Lanes {
  readonly f: Float32Array;
  readonly i: Int32Array;
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

interface Here extends Record<"value" | "most" | "span" | "type" | "offsets" | "table", unknown> {
  readonly target: Target;
  readonly m: MemoryAt;
  readonly column: number;
}

/** What the interpreter goes by, read off an op's row. */
interface Rule {
  readonly operands: readonly { readonly name: string; readonly type: FieldType }[];
  readonly hasMemory: boolean;
  readonly result: FieldType | undefined;
  /** Whether the formula holds for every lane. */
  readonly isVector: boolean;
  readonly seesAllLanes: boolean;
  /** Whether all lanes are the same: the formula sees neither a lane nor which one it makes. */
  readonly isSplat: boolean;
  readonly formula: (...given: unknown[]) => unknown;
}

const rules = Object.fromEntries(Object.entries(ops).map(([name, row]) => [name, ruleOf(row)])) as Readonly<Record<OpName, Rule>>;

function ruleOf({ fields, formula = () => undefined }: { readonly fields: Fields; readonly formula?: unknown }): Rule {
  const operands = operandsByPlace.flatMap((name) => (fields[name] ? { name, type: fields[name] } : []));
  const types = Object.values(fields);
  const isLanewise = operands.some(({ type }) => type === "f32" || type === "i32" || type === "mask");
  const meaning = formula as Rule["formula"]; // typed by its row, whose fields are these
  return {
    operands,
    hasMemory: types.includes("memory"),
    result: fields.d,
    isVector: types.some((type) => kindOf(type) === "vec" || kindOf(type) === "mask"),
    seesAllLanes: types.includes("f32 lanes") || types.includes("i32 lanes"),
    isSplat: !isLanewise && meaning.length <= operands.length + 1,
    formula: meaning,
  };
}

const relations: Record<Relation, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};
