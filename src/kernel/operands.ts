// Which registers an op reads and writes, and which blocks it has: read off its row, once for all who walk over a kernel.
import type { Mem, Op, Reg, RegKind } from "./ir.ts";
import { type Fields, type FieldType, type OpName, ops } from "./ops.ts";

/** The registers of an op, those that it reads and those that it writes. */
export interface Operands {
  readonly reads: readonly Reg[];
  readonly writes: readonly Reg[];
}

/** The registers that an op itself reads and writes, without those of its blocks. */
export function operandsOf(op: Op): Operands {
  if (op.op === "transpose") return { reads: op.a, writes: op.d };
  const { read, mayBeRead, hasMemory, written } = roles[op.op];
  const fields = fieldsOf(op);
  const reads: Reg[] = [];
  for (let i = 0; i < read.length; i++) reads.push(fields[read[i]!] as Reg);
  for (let i = 0; i < mayBeRead.length; i++) {
    const value = fields[mayBeRead[i]!];
    if (isReg(value)) reads.push(value);
  }
  if (hasMemory) {
    const { base, index } = fields.m as Mem;
    reads.push(base);
    if (index) reads.push(index);
  }
  return { reads, writes: written === undefined ? nothing : [fields[written] as Reg] };
}

const nothing: readonly Reg[] = [];

/** The blocks of an op, in the order in which they may run. */
export function blocksOf(op: Op): readonly (readonly Op[])[] {
  const { blocks } = roles[op.op];
  return blocks.length === 0 ? noBlocks : blocks.map((name) => fieldsOf(op)[name] as readonly Op[]);
}

const noBlocks: readonly (readonly Op[])[] = [];

/** Whether memory may hold something else behind the op than before it: stores, and what has blocks. */
export function isBarrier(op: Op): boolean {
  return roles[op.op].isBarrier;
}

/** Calls `visit` with every op of a block, also of the blocks in it, in the order in which they stand. */
export function eachOp(ops: readonly Op[], visit: (op: Op) => void): void {
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    visit(op);
    const blocks = blocksOf(op);
    for (let j = 0; j < blocks.length; j++) eachOp(blocks[j]!, visit);
  }
}

/** An op's fields by name, for those who go by its row. */
export function fieldsOf(op: Op): Readonly<Record<string, unknown>> {
  return op as unknown as Readonly<Record<string, unknown>>;
}

/** The kind of register that a field of this type holds; undefined for those that hold none, or several. */
export function kindOf(type: FieldType): RegKind | undefined {
  return kinds[type];
}

const kinds: Partial<Record<FieldType, RegKind>> = {
  ...{ int: "int", "int or number": "int", bound: "int", mask: "mask" },
  ...{ f32: "vec", i32: "vec", "f32 lanes": "vec", "i32 lanes": "vec", square: "vec" },
};

/** Whether an operand is a register and not a constant. */
export function isReg(value: unknown): value is Reg {
  return typeof value === "object" && value !== null && (value as Partial<Reg>).kind !== undefined;
}

/** What the fields of an op are to who walks over operands. */
interface Roles {
  readonly read: readonly string[];
  /** The fields that hold a register or a constant. */
  readonly mayBeRead: readonly string[];
  readonly written: string | undefined;
  readonly hasMemory: boolean;
  readonly blocks: readonly string[];
  readonly isBarrier: boolean;
}

const roles = Object.fromEntries(Object.entries(ops).map(([name, { fields }]) => [name, rolesOf(fields)])) as Record<OpName, Roles>;

function rolesOf(fields: Fields): Roles {
  const registers = Object.keys(fields).filter((name) => kinds[fields[name]!] !== undefined);
  const isWritten = (name: string) => name === "d" || name === "i";
  const mayBeRead = registers.filter((name) => fields[name] === "int or number" || fields[name] === "bound");
  const read = registers.filter((name) => !isWritten(name) && !mayBeRead.includes(name));
  const written = registers.find(isWritten);
  const hasMemory = Object.values(fields).includes("memory");
  const blocks = Object.keys(fields).filter((name) => fields[name] === "block");
  const stores = hasMemory && written === undefined && read.length > 0;
  return { read, mayBeRead, written, hasMemory, blocks, isBarrier: stores || blocks.length > 0 };
}
