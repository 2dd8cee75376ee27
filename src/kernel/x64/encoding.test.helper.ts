// Instructions for the judges of the encoder: every row, in every scheme that it has, with registers, addresses and constants of every kind.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../../base/index.ts";
import { type Actual, type Assembled, Assembler, type Literal, type Modifiers, type VectorLength } from "./assembler.ts";
import { type Encoding, type InstructionName, type OperandForm, type RegisterForm, type Row, rows } from "./encoding.ts";
import { printInstruction } from "./print.ts";

export interface Sample {
  /** What GNU's assembler reads, without a choice of encoding. */
  readonly text: string;
  /** What makes it take the encoding that is meant. */
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** `count` samples of every encoding of every row; the same seed gives the same. */
export function samples(count: number, seed: number): Sample[] {
  const rng = new Rng(seed);
  return Object.values(rows).flatMap((row) =>
    row.encodings.flatMap((encoding) => Array.from({ length: count }, () => makeSample(row, encoding, rng))),
  );
}

function makeSample(row: Row, encoding: Encoding, rng: Rng): Sample {
  const modifiers = pickModifiers(row, encoding, rng);
  const inMemory = rng.below(3) > 0;
  const operands = row.operands.map((form) => pickOperand(row.name, form, { ...encoding, vectorLength: modifiers.length, inMemory }, rng));
  const listing: Assembled[] = [];
  const assembler = new Assembler(encoding.scheme === "EVEX" ? "EVEX" : "VEX", listing);
  assembler.mark({ label: 0 });
  assembler.emit(row.name, operands, modifiers);
  const code = assembler.finish();
  const [made] = listing;
  const bytes = code.subarray(0, made!.end);
  const displacement = ({ words }: Literal) => {
    const unit = words.length * 4;
    return `rip+${Math.ceil(bytes.length / unit) * unit - bytes.length}`;
  };
  return { text: printInstruction(made!, displacement), prefix: prefixFor(row, encoding), bytes };
}

function pickModifiers({ name, operands }: Row, encoding: Encoding, rng: Rng): Modifiers {
  const lengths: VectorLength[] = encoding.scheme === "EVEX" ? [128, 256, 512] : [128, 256];
  if (["vshuff32x4", "vinserti32x4"].includes(name)) lengths.shift();
  const length = operands.some(({ register }) => register === "x") && encoding.lengthIgnored ? 128 : pick(rng, lengths);
  if (encoding.scheme !== "EVEX") return { length };
  // A blend without a mask is no blend, but it is an instruction.
  const mask = rng.below(8);
  const toVector = isVector(operands[0]!.register);
  return mask === 0 ? { length } : { length, mask, zeroing: toVector && operands[0]!.memory === undefined && rng.below(2) === 0 };
}

interface Choice {
  readonly scheme: Encoding["scheme"];
  readonly vectorLength: VectorLength;
  /** Whether what may lie in memory does. */
  readonly inMemory: boolean;
}

function pickOperand(name: InstructionName, form: OperandForm, { scheme, vectorLength: length, inMemory }: Choice, rng: Rng): Actual {
  if (form.label) return { label: 0 };
  if (form.immediate) return pickConstant(name, form.immediate, rng);
  if (form.memory !== undefined && (inMemory || !form.register)) return pickPlace(form, scheme, length, name, rng);
  // The accumulator has opcodes of its own for 32-bit constants, which we do without.
  if (form.register === "r64" && name.endsWith(".imm32")) return 1 + rng.below(15);
  const most = form.register === "k" ? 8 : scheme === "EVEX" && isVector(form.register) ? 32 : 16;
  return rng.below(most);
}

function isVector(register: RegisterForm | undefined): boolean {
  return register !== undefined && "vhqx".includes(register);
}

function pickConstant(name: InstructionName, bits: 8 | 32 | 64, rng: Rng): number {
  if (bits === 64) return pick(rng, [2 ** 40 + rng.below(1000), -(2 ** 45), Number.MAX_SAFE_INTEGER]);
  if (name === "mov.zero32") return rng.below(2 ** 31);
  // What fits a byte would be one.
  if (bits === 32) return pick(rng, [128, -129, 2 ** 31 - 1, -(2 ** 31), 1000 + rng.below(1e6)]);
  if (/^(add|and|cmp)\./.test(name)) return rng.below(256) - 128;
  // Shifts by one have an opcode of their own, which we do without.
  return /^sh[lr]\./.test(name) ? 2 + rng.below(62) : rng.below(256);
}

/** Bases with and without encodings of their own (rsp, rbp, r12, r13), indices, displacements around the bounds of a byte, in units or not. */
function pickPlace(form: OperandForm, scheme: Encoding["scheme"], length: VectorLength, name: InstructionName, rng: Rng): Actual {
  const broadcast = form.broadcast && scheme === "EVEX" && rng.below(2) === 0 ? { broadcast: true } : {};
  if (rng.below(6) === 0 && form.access === "read" && name !== "lea")
    return { words: Array.from({ length: pick(rng, [1, 8, 16]) }, (_, i) => i), ...broadcast };
  const unit = broadcast.broadcast || form.memory === 32 ? 4 : length / pick(rng, [8, 16, 32]);
  const disp = pick(rng, [0, 1, unit, -unit, 127 * unit, 128 * unit, -128 * unit, -129 * unit, 127, 128, -128, -129, 0x12345, 2 ** 31 - 1]);
  const index = pick(rng, [undefined, undefined, 0, 1, 5, 8, 12, 13, 15]);
  return { base: pick(rng, [0, 3, 4, 5, 8, 12, 13, 15]), ...(index === undefined ? {} : { index }), disp, ...broadcast };
}

function prefixFor({ operands }: Row, { scheme }: Encoding): string {
  if (scheme === "EVEX") return "{evex} ";
  if (operands.some(({ label }) => label)) return "{disp32} ";
  // Either of two registers may be the one that could be memory.
  const store = operands[0]?.memory !== undefined;
  return scheme === "VEX" ? `{vex} ${store ? "{store} " : "{load} "}` : operands.length > 0 && !store ? "{load} " : "";
}

function pick<T>(rng: Rng, values: readonly T[]): T {
  return values[rng.below(values.length)]!;
}

/** Bytes of a cell that holds one instruction: none has more than 15. */
const cell = 16;

/** What GNU's assembler makes of each line; undefined where binutils is absent. @throws with its messages. */
export function gnuAssemble(lines: readonly string[]): Uint8Array[] | undefined {
  if (spawnSync("as", ["--version"]).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "cria-as-"));
  try {
    const file = (name: string) => join(folder, name);
    const source = lines.map((line) => `.p2align 4, 0xcc\n${line.replace("L0", ".")}\n`).join("");
    writeFileSync(file("a.s"), `.intel_syntax noprefix\n.text\n${source}.p2align 4, 0xcc\n`);
    run("as", ["-o", file("a.o"), file("a.s")]);
    run("objcopy", ["-O", "binary", "-j", ".text", file("a.o"), file("a.bin")]);
    const all = readFileSync(file("a.bin"));
    return lines.map((_, i) => all.subarray(i * cell, (i + 1) * cell));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr.slice(0, 2000)}`);
}
