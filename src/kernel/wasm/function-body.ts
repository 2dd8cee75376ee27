// A kernel as the body of a WebAssembly function: a virtual register is a local, a loop is a loop. V8 schedules and allocates registers.
import type { Kernel, Mem, Op, Reg } from "../ir.ts";
import { legalise } from "../legalise.ts";
import { eachOp, fieldsOf, operandsOf } from "../operands.ts";
import { control, integer, type SimdName, signed, simd, unsigned, valueType } from "./encoding.ts";
import { type Code, patterns } from "./patterns.ts";

/** A code entry of the module's code section: locals, then instructions. The same kernel gives the same bytes. */
export function compileWasm(given: Kernel): Uint8Array {
  const kernel = legalise(given, { f16: false, bf16: false });
  const locals = assignLocals(kernel);
  const code = new FunctionBody(locals.index, kernel.target.fusedMultiplyAdd);
  code.block(kernel.body);
  const header = [unsigned(locals.groups.length), ...locals.groups.map(([count, type]) => [...unsigned(count), type])].flat();
  return Uint8Array.from([...header, ...code.bytes, control.end]);
}

/** Parameters come first, then all int locals, then all vectors. */
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

class FunctionBody implements Code {
  readonly bytes: number[] = [];
  readonly isRelaxed: boolean;
  readonly #locals: ReadonlyMap<number, number>;

  constructor(locals: ReadonlyMap<number, number>, isRelaxed: boolean) {
    this.#locals = locals;
    this.isRelaxed = isRelaxed;
  }

  block(ops: readonly Op[]): void {
    for (const op of ops) this.#op(op);
  }

  /** Operands in the row's order, the instructions, the result; or what the op has of its own. */
  #op(op: Op): void {
    const row = patterns[op.op];
    if (row.write) return row.write(this, op);
    const fields = fieldsOf(op);
    for (let i = 0; i < row.operands.length; i++) this.int(fields[row.operands[i]!] as Reg | number);
    this.#append(row.instructions);
    this.set(fields.d as Reg);
  }

  emit(...bytes: readonly number[]): void {
    this.#append(bytes);
  }

  simd(name: SimdName): void {
    this.bytes.push(0xfd);
    this.#unsigned(simd[name]);
  }

  memory(name: SimdName, alignment: number, offset: number): void {
    this.simd(name);
    this.bytes.push(alignment);
    this.#unsigned(offset);
  }

  address(m: Mem): void {
    this.get(m.base);
    if (!m.index) return;
    this.get(m.index);
    this.emit(integer["i32.add"]);
  }

  int(value: Reg | number): void {
    if (typeof value === "number") this.const(value);
    else this.get(value);
  }

  const(value: number): void {
    this.emit(integer["i32.const"], ...signed(value));
  }

  vectorConst(values: readonly number[], type: "f32" | "i32"): void {
    const lanes = type === "f32" ? new Float32Array(values) : new Int32Array(values);
    this.simd("v128.const");
    this.emit(...new Uint8Array(lanes.buffer));
  }

  shuffle(a: Reg, b: Reg, lanes: readonly number[]): void {
    this.get(a);
    this.get(b);
    this.simd("i8x16.shuffle");
    this.emit(...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)));
  }

  get(reg: Reg): void {
    this.#local(control["local.get"], reg);
  }

  set(reg: Reg): void {
    this.#local(control["local.set"], reg);
  }

  tee(reg: Reg): void {
    this.#local(control["local.tee"], reg);
  }

  #local(instruction: number, reg: Reg): void {
    this.bytes.push(instruction);
    this.#unsigned(this.#locals.get(reg.id)!);
  }

  #append(bytes: readonly number[]): void {
    for (let i = 0; i < bytes.length; i++) this.bytes.push(bytes[i]!);
  }

  /** What {@link unsigned} gives, without a list of its own: most of a function are numbers of locals. */
  #unsigned(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.bytes.push((rest & 0x7f) | 0x80);
    this.bytes.push(rest);
  }
}
