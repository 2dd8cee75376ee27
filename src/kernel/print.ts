// A kernel's IR as text, for people: what TRACE=ir shows. Registers by kind and number: i3 an int, v4 a vector, m5 a mask.
import type { Kernel, Mem, Op, Reg } from "./ir.ts";
import { isReg, operandsOf } from "./operands.ts";

/** A line an op, blocks indented: `v9 = vload [i0 + i8 + 16] first 3`. */
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
  return `${made}${made && " = "}${op.op}${operands(op)}`;
}

function printBlock(ops: readonly Op[], indent: string): string[] {
  return ops.flatMap((op) => [`${indent}${printOp(op)}`, ...printInside(op, indent)]);
}

function printInside(op: Op, indent: string): string[] {
  const inside = `${indent}  `;
  if (op.op === "loop") return printBlock(op.body, inside);
  if (op.op !== "if") return [];
  const otherwise = op.otherwise.length > 0 ? [`${indent}else`, ...printBlock(op.otherwise, inside)] : [];
  return [...printBlock(op.whenTrue, inside), ...otherwise];
}

/** Every field but the destination, in one order for all ops. */
function operands(op: Op): string {
  const fields = op as unknown as Record<string, Reg | readonly Reg[] | number | undefined>;
  const values = [fields.mask, fields.a, fields.b, fields.c, fields.value].flat().filter((value) => value !== undefined);
  const memory = "m" in op ? [showMemory(op.m)] : [];
  const lists = ["offsets" in op ? op.offsets : [], op.op === "vspread" ? op.from : []].flat();
  const span = "span" in op && op.span !== "full" ? [`first ${op.span}`] : [];
  const type = "type" in op ? [op.type] : [];
  return [...values.map(show), ...memory, ...lists.map(String), ...span, ...type].map((text) => ` ${text}`).join("");
}

function showMemory({ base, index, offset }: Mem): string {
  return `[${[show(base), ...(index ? [show(index)] : []), ...(offset > 0 ? [offset] : [])].join(" + ")}]`;
}

function show(value: Reg | number): string {
  return isReg(value) ? `${value.kind[0]}${value.id}` : Object.is(value, -0) ? "-0" : String(value);
}
