// Ints on x86-64: constants, arithmetic whose result replaces an operand, and division by constants.
import type { Reg } from "../ir.ts";
import { isReg } from "../operands.ts";
import type { IntBinary, IntConstant, OpOf } from "../ops.ts";
import type { Emit } from "./dialect.ts";
import { addressOf } from "./instruction.ts";

const isInt32 = (value: number) => value >= -(2 ** 31) && value < 2 ** 31;
const isInt8 = (value: number) => value >= -128 && value < 128;

/** Puts an integer below 2⁵³ into a register. */
export function loadConstant(e: Emit, d: Reg, value: number): void {
  if (value >= 0 && value < 2 ** 32) e.emit("mov.zero32", [d, value]);
  else e.emit(isInt32(value) ? "mov.imm32" : "movabs", [d, value]);
}

/** An operand that instructions can hold, or a register with it. */
export function int32Operand(e: Emit, value: Reg | number): Reg | number {
  return isReg(value) || isInt32(value) ? value : inRegister(e, value);
}

function inRegister(e: Emit, value: number): Reg {
  const d = e.register("int");
  loadConstant(e, d, value);
  return d;
}

/** Sum, difference, product, the smaller or the larger one. */
export function integer(e: Emit, { op, d, a, b: given }: OpOf<IntBinary>): void {
  const b = int32Operand(e, given);
  if (op === "iadd") add(e, d, a, b);
  else if (op === "imul" && !isReg(b)) e.emit("imul.imm32", [d, a, b]);
  else if (op === "isub" && !isReg(b) && b > -(2 ** 31)) add(e, d, a, -b);
  else twoAddress(e, op, d, a, isReg(b) ? b : inRegister(e, b));
}

/** d = a + b; a constant has 32 bits. */
export function add(e: Emit, d: Reg, a: Reg, b: Reg | number): void {
  if (isReg(b)) {
    if (d.id === a.id) e.emit("add", [d, b]);
    else if (d.id === b.id) e.emit("add", [d, a]);
    else e.emit("lea", [d, addressOf(a, b, 0)]);
  } else if (d.id === a.id) e.emit(isInt8(b) ? "add.imm8" : "add.imm32", [d, b]);
  else e.emit("lea", [d, addressOf(a, undefined, b)]);
}

/** Instructions whose result replaces their first operand: through a register of its own where d is also the second. */
function twoAddress(e: Emit, op: Exclude<IntBinary, "iadd">, d: Reg, a: Reg, b: Reg): void {
  const result = d.id === b.id && d.id !== a.id ? e.register("int") : d;
  if (result.id !== a.id) e.emit("mov", [result, a]);
  if (op === "isub") e.emit("sub", [result, b]);
  else if (op === "imul") e.emit("imul", [result, b]);
  else {
    e.emit("cmp", [result, b]);
    e.emit(op === "imin" ? "cmovg" : "cmovl", [result, b]);
  }
  if (result.id !== d.id) e.emit("mov", [d, result]);
}

/** Shifts, masks, quotients and remainders by constants. */
export function integerConstant(e: Emit, { op, d, a, b }: OpOf<IntConstant>): void {
  const power = Number.isInteger(Math.log2(b));
  if (op === "idiv") return power ? shift(e, "shr.imm", d, a, Math.log2(b)) : divide(e, d, a, b);
  if (op === "irem" && !power) return remainder(e, d, a, b);
  if (op === "ishl" || op === "ishr") return shift(e, op === "ishl" ? "shl.imm" : "shr.imm", d, a, b);
  const mask = op === "irem" ? b - 1 : b;
  if (d.id !== a.id) e.emit("mov", [d, a]);
  e.emit(isInt8(mask) ? "and.imm8" : "and.imm32", [d, mask]);
}

function shift(e: Emit, name: "shl.imm" | "shr.imm", d: Reg, a: Reg, bits: number): void {
  if (d.id !== a.id) e.emit("mov", [d, a]);
  if (bits > 0) e.emit(name, [d, bits]);
}

/** ⌊a / b⌋ = ⌊a · m / 2ˢ⌋ with m = ⌈2ˢ / b⌉, exact for 0 ≤ a < 2³¹ when 2ˢ ≥ 2³¹ · b (Granlund & Montgomery 1994). */
function divide(e: Emit, d: Reg, a: Reg, b: number): void {
  const bits = 31 + Math.ceil(Math.log2(b));
  const quotient = inRegister(e, Math.ceil(2 ** bits / b));
  e.emit("imul", [quotient, a]);
  e.emit("shr.imm", [quotient, bits]);
  e.emit("mov", [d, quotient]);
}

function remainder(e: Emit, d: Reg, a: Reg, b: number): void {
  const product = e.register("int");
  const rest = e.register("int");
  divide(e, product, a, b);
  e.emit("imul.imm32", [product, product, b]);
  e.emit("mov", [rest, a]);
  e.emit("sub", [rest, product]);
  e.emit("mov", [d, rest]);
}

/** Sets the flags for a jump that follows. */
export function compareInts(e: Emit, a: Reg, b: Reg | number): void {
  e.emit(isReg(b) ? "cmp" : isInt8(b) ? "cmp.imm8" : "cmp.imm32", [a, b]);
}
