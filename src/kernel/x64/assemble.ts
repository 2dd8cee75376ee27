// A kernel's machine code: selected, allocated, framed by the calling convention, encoded.
import { fail } from "../../base/index.ts";
import type { Kernel, RegKind } from "../ir.ts";
import { legalise } from "../legalise.ts";
import { allocate, type RegisterFiles } from "./allocate.ts";
import { type Actual, type Assembled, Assembler, type Label, type Literal, type Place, type VectorLength } from "./assembler.ts";
import { avx2Dialect, avx512Dialect, type Dialect } from "./dialect.ts";
import type { InstructionName } from "./encoding.ts";

import {
  type Address,
  type Instruction,
  type Item,
  isAddress,
  isCopy,
  isLabel,
  isRegister,
  type Operand,
  type Slot,
} from "./instruction.ts";
import { selectInstructions } from "./select-instructions.ts";
import { avx2, avx512, type Convention, general, systemV } from "./target.ts";

/** A kernel's machine code, and what it was assembled from. */
export interface MachineCode {
  /** Must be loaded at a multiple of 64; it is called with the kernel's parameters as 64-bit integers. Constants lie behind the instructions. */
  readonly code: Uint8Array;
  readonly instructions: readonly Assembled[];
}

const dialects: Readonly<Record<string, Dialect>> = { [avx2.name]: avx2Dialect, [avx512.name]: avx512Dialect };

/**
 * The same kernel and convention give the same bytes.
 * @param files the registers to use, where that is not all: tests force spills by it.
 * @throws CriaError when the kernel is not for avx2 or avx512.
 */
export function assembleX64(kernel: Kernel, convention: Convention = systemV, files?: RegisterFiles): MachineCode {
  const instructions: Assembled[] = [];
  return { code: assemble(kernel, convention, files, instructions), instructions };
}

/** The code of {@link assembleX64} alone. */
export function compileX64(kernel: Kernel, convention: Convention): Uint8Array {
  return assemble(kernel, convention);
}

function assemble(kernel: Kernel, convention: Convention, files?: RegisterFiles, listing?: Assembled[]): Uint8Array {
  const { name, target } = kernel;
  const dialect =
    dialects[target.name] ?? fail("x64", `${name}: specialised for ${target.name}, must be for ${Object.keys(dialects).join(" or ")}`);
  const selected = selectInstructions(legalise(kernel, { f16: true, bf16: target.bf16Dot }), dialect);
  const { items, registers } = allocate(selected.items, files ?? filesOf(dialect, convention), selected.names);
  const assembler = new Assembler(dialect.scheme, listing);
  const encoder = new Encoder(assembler, dialect, convention, registers, layOutFrame(selected.names.slots, dialect, convention));
  encoder.enter(selected.arguments);
  for (const item of items) encoder.item(item);
  encoder.leave();
  return assembler.finish();
}

function filesOf(dialect: Dialect, convention: Convention): RegisterFiles {
  const vectors = Array.from({ length: dialect.vectors }, (_, i) => i);
  const saved = new Set(convention.savedVectors);
  return {
    int: [...convention.scratch, ...convention.saved],
    vec: [...vectors.filter((i) => !saved.has(i)), ...vectors.filter((i) => saved.has(i))],
    mask: [1, 2, 3, 4, 5, 6, 7],
  };
}

interface Frame {
  /** Bytes from the stack pointer to each slot. */
  readonly offsets: readonly number[];
  /** Where the caller's stack pointer is kept. */
  readonly stackPointer: number;
  readonly savedVectors: number;
  readonly bytes: number;
}

/** Vectors first, so that each lies in one cache line, then everything else in words of 8 bytes. */
function layOutFrame(slots: readonly RegKind[], dialect: Dialect, convention: Convention): Frame {
  let end = 0;
  const place = (bytes: number) => {
    end += bytes;
    return end - bytes;
  };
  const vectors = slots.map((kind) => (kind === "vec" ? place(dialect.length / 8) : 0));
  const savedVectors = place(convention.savedVectors.length * 16);
  const offsets = slots.map((kind, i) => (kind === "vec" ? vectors[i]! : place(8)));
  const stackPointer = place(8);
  return { offsets, stackPointer, savedVectors, bytes: Math.ceil(end / 64) * 64 };
}

const { rax, rsp } = general;
/** Free at entry in both conventions, as rax is. */
const r11 = 11;
const wordBytes = 8;
const pageBytes = 4096;

/** Makes a place in memory; all places have one shape of object, so that the engine compiles one path for them. */
function at(base: number, disp: number): Place {
  return { base, index: undefined, disp, broadcast: false };
}

class Encoder {
  readonly #assembler: Assembler;
  readonly #length: VectorLength;
  readonly #convention: Convention;
  readonly #registers: Int16Array;
  readonly #frame: Frame;
  readonly #pushed: readonly number[];
  readonly #keptVectors: readonly number[];

  constructor(assembler: Assembler, dialect: Dialect, convention: Convention, registers: Int16Array, frame: Frame) {
    this.#assembler = assembler;
    this.#length = dialect.length;
    this.#convention = convention;
    this.#registers = registers;
    this.#frame = frame;
    this.#pushed = convention.saved;
    this.#keptVectors = convention.savedVectors;
  }

  /** Pushes what must be kept, makes an aligned frame, and moves the arguments into it. */
  enter(slots: readonly Slot[]): void {
    for (const register of this.#pushed) this.#emit("push", [register]);
    this.#emit("lea", [rax, at(rsp, 0)]);
    // Some systems grow the stack one page at a time, when the next one is touched.
    for (let below = pageBytes; below <= this.#frame.bytes; below += pageBytes) this.#emit("mov.store", [at(rsp, -below), rax]);
    this.#emit("sub.imm32", [rsp, this.#frame.bytes]);
    this.#emit("and.imm8", [rsp, -64]);
    this.#emit("mov.store", [at(rsp, this.#frame.stackPointer), rax]);
    this.#eachKeptVector((register, at) => this.#emit("vmovups.store", [at, register], 128));
    slots.forEach((slot, i) => {
      const register = this.#convention.args[i] ?? r11;
      if (i >= this.#convention.args.length) this.#emit("mov", [r11, at(rax, this.#stackArgument(i))]);
      this.#emit("mov.store", [this.#slot(slot), register]);
    });
  }

  leave(): void {
    this.#eachKeptVector((register, at) => this.#emit("vmovups", [register, at], 128));
    this.#emit("vzeroupper", []);
    this.#emit("mov", [rsp, at(rsp, this.#frame.stackPointer)]);
    for (const register of [...this.#pushed].reverse()) this.#emit("pop", [register]);
    this.#emit("ret", []);
  }

  item(item: Item): void {
    if (isLabel(item)) return this.#assembler.mark(item);
    if (isCopy(item) && this.#place(item.operands[0]!) === this.#place(item.operands[1]!)) return;
    this.#instruction(item);
  }

  #instruction({ row, operands, length, mask, zeroing, source }: Instruction): void {
    this.#assembler.emitRow(row, operands.map(this.#place), { length, mask: mask && this.#register(mask.id), zeroing }, source);
  }

  #emit(name: InstructionName, operands: readonly Actual[], length = this.#length): void {
    this.#assembler.emit(name, operands, { length });
  }

  /** Where an argument lies: behind the registers pushed and the return address. */
  #stackArgument(i: number): number {
    const { args, shadow } = this.#convention;
    return (this.#pushed.length + 1 + i - args.length) * wordBytes + shadow;
  }

  #eachKeptVector(visit: (register: number, at: Actual) => void): void {
    this.#keptVectors.forEach((register, i) => visit(register, at(rsp, this.#frame.savedVectors + i * 16)));
  }

  readonly #place = (operand: Operand): Actual => {
    if (typeof operand === "number") return operand;
    if (isRegister(operand)) return this.#register(operand.id);
    if (isAddress(operand)) return this.#address(operand);
    return (operand as Partial<Slot>).slot === undefined ? (operand as Literal | Label) : this.#slot(operand as Slot);
  };

  #register(id: number): number {
    const register = this.#registers[id] ?? -1;
    return register >= 0 ? register : fail("x64", `register ${id} has no place`);
  }

  #address({ base, index, disp, broadcast }: Address): Place {
    return { base: this.#register(base.id), index: index && this.#register(index.id), disp, broadcast };
  }

  #slot({ slot }: Slot): Actual {
    return at(rsp, this.#frame.offsets[slot]!);
  }
}
