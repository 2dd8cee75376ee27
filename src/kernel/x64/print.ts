// Machine code as text, for people and for the assembler that judges it: Intel's syntax, and what TRACE=x64 shows.
import type { Kernel } from "../ir.ts";
import { printOp } from "../print.ts";
import { assembleX64 } from "./assemble.ts";
import type { Actual, Assembled, Literal, Place, VectorLength } from "./assembler.ts";
import { type OperandForm, type RegisterForm, rows } from "./encoding.ts";
import type { Convention } from "./target.ts";

/** Source ops, each with its instructions: where they lie, their bytes, their registers. */
export function printMachineCode(kernel: Kernel, convention?: Convention): string {
  const { code, instructions } = assembleX64(kernel, convention);
  const end = instructions.at(-1)!.end;
  const lines = [`${kernel.name} for ${kernel.target.name}: ${end} bytes of instructions, ${code.length - end} after them for constants`];
  let last: Assembled["source"];
  for (const instruction of instructions) {
    const { start, source } = instruction;
    if (source && source !== last) lines.push(`  ${printOp(source)}`);
    last = source;
    const bytes = Array.from(code.subarray(start, instruction.end), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const at = start.toString(16).padStart(6);
    lines.push(`${at}  ${bytes.padEnd(24)} ${printInstruction(instruction, (literal) => literal.words.map(hex).join(" "))}`);
  }
  return lines.join("\n");
}

/** `vaddps zmm1{k2}{z}, zmm3, [rax+rcx*1+64]`. @param literal what stands for a constant's address. */
export function printInstruction({ name, operands, modifiers }: Assembled, literal: (literal: Literal) => string): string {
  const { mnemonic, operands: forms } = rows[name];
  const texts = operands.map((operand, i) => printOperand(operand, forms[i]!, modifiers.length, literal));
  if (modifiers.mask) texts[0] += `{k${modifiers.mask}}${modifiers.zeroing ? "{z}" : ""}`;
  return `${mnemonic} ${texts.join(", ")}`.trimEnd();
}

function printOperand(operand: Actual, form: OperandForm, length: VectorLength, literal: (literal: Literal) => string): string {
  if (typeof operand === "number") return form.register ? registerName(form.register, operand, length) : String(operand);
  if ("label" in operand) return `L${operand.label}`;
  const size = operand.broadcast ? "" : (sizes[form.memory ?? 0] ?? "");
  const repeated = operand.broadcast ? `{1to${length / 32}}` : "";
  return `${size}[${"words" in operand ? literal(operand) : printPlace(operand)}]${repeated}`;
}

const sizes: Readonly<Record<number, string>> = { 8: "byte ptr ", 16: "word ptr ", 32: "dword ptr ", 64: "qword ptr " };

function printPlace({ base, index, disp }: Place): string {
  const name = (register: number) => registerName("r64", register, 128);
  return `${name(base)}${index === undefined ? "" : `+${name(index)}*1`}${disp === 0 ? "" : disp > 0 ? `+${disp}` : disp}`;
}

const low64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];

function registerName(form: RegisterForm, register: number, length: VectorLength): string {
  switch (form) {
    case "r64":
      return low64[register] ?? `r${register}`;
    case "r32":
      return low64[register]?.replace("r", "e") ?? `r${register}d`;
    case "k":
      return `k${register}`;
    case "x":
      return `xmm${register}`;
    case "h":
      return registerName("v", register, length === 512 ? 256 : 128);
    case "q":
      return registerName("x", register, length);
    case "v":
      return `${{ 128: "x", 256: "y", 512: "z" }[length]}mm${register}`;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
