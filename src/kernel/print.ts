// A kernel's IR as text, for people: what TRACE=ir shows. Registers by kind and number: i3 an int, v4 a vector, m5 a mask.
import type { Kernel, Mem, Op, Reg, Span } from "./ir.ts";
import { blocksOf, fieldsOf, isReg, operandsOf } from "./operands.ts";
import { type FieldType, ops } from "./ops.ts";

/** One line per op, blocks indented: `v9 = vload [i0 + i8 + 16] first 3`. */
export function printKernel({ name, target, params, body, units, scratchBytes }: Kernel): string {
  return [
    `${name} for ${target.name}: ${units} units, ${scratchBytes} bytes of scratch`,
    `  (${params.map((param) => `${param.name}: ${show(param.reg)}`).join(", ")})`,
    ...printBlock(body, "  "),
  ].join("\n");
}

/** One op, of a loop or a branch its first line. */
export function printOp(op: Op): string {
  if (op.op === "loop") return `loop ${show(op.i)} from ${show(op.from)} to ${show(op.to)} step ${op.step}`;
  if (op.op === "if") return `if ${show(op.a)} ${op.relation} ${show(op.b)}`;
  const made = operandsOf(op).writes.map(show).join(" ");
  return `${made}${made && " = "}${[op.op, ...operands(op)].join(" ")}`;
}

function printBlock(ops: readonly Op[], indent: string): string[] {
  return ops.flatMap((op) => [`${indent}${printOp(op)}`, ...printInside(op, indent)]);
}

function printInside(op: Op, indent: string): string[] {
  const [first = [], second = []] = blocksOf(op).map((block) => printBlock(block, `${indent}  `));
  return [...first, ...(second.length > 0 ? [`${indent}else`, ...second] : [])];
}

/** Every field but the destination, in the row's order. */
function operands(op: Op): string[] {
  const { d, ...types }: Readonly<Record<string, FieldType>> = ops[op.op].fields;
  return Object.entries(types).flatMap(([name, type]) => showField(type, fieldsOf(op)[name]));
}

function showField(type: FieldType, value: unknown): readonly string[] {
  if (type === "memory") return [showMemory(value as Mem)];
  if (type === "span") return (value as Span) === "full" ? [] : [`first ${value}`];
  return Array.isArray(value) ? value.map(show) : [show(value as Reg | number | string)];
}

function showMemory({ base, index, offset }: Mem): string {
  return `[${[show(base), ...(index ? [show(index)] : []), ...(offset > 0 ? [offset] : [])].join(" + ")}]`;
}

function show(value: Reg | number | string): string {
  return isReg(value) ? `${value.kind[0]}${value.id}` : Object.is(value, -0) ? "-0" : String(value);
}
