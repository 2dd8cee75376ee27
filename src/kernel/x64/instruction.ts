// Machine instructions over virtual registers: what selection makes and allocation rewrites. Reads and writes follow from the rows.
import type { Op, Reg, RegKind } from "../ir.ts";
import type { Label, Literal, VectorLength } from "./assembler.ts";
import { type InstructionName, type Row, rows } from "./encoding.ts";

/** Memory at base + index + disp bytes; with `broadcast` one 32-bit element of it, repeated over the lanes. */
export interface Address {
  readonly base: Reg;
  readonly index?: Reg | undefined;
  readonly disp: number;
  readonly broadcast?: boolean;
}

/** All addresses have one shape of object, so have all slots and all literals: the engine of JavaScript is quick with what has few. */
export function addressOf(base: Reg, index: Reg | undefined, disp: number, broadcast = false): Address {
  return { base, index, disp, broadcast };
}

/** A constant in memory, of 32-bit words; with `broadcast` one word for all lanes. */
export function literalOf(words: readonly number[], broadcast = false): Literal {
  return { words, broadcast };
}

/** A place in the frame, by number: the arguments come first, then what was spilled. */
export interface Slot {
  readonly slot: number;
  /** Holds what the kernel was called with, to its end. */
  readonly argument: boolean;
}

/** What may stand in an instruction before registers are allocated; a number is a constant. */
export type Operand = Reg | Address | Slot | Literal | Label | number;

/** A row with its operands. */
export interface Instruction {
  readonly row: Row;
  readonly operands: readonly Operand[];
  readonly length: VectorLength;
  readonly mask?: Reg | undefined;
  readonly zeroing?: boolean | undefined;
  /** The op that it came from, for listings. */
  readonly source?: Op | undefined;
}

/** Instructions and the places that jumps go to. */
export type Item = Instruction | Label;

// Kinds of objects are told apart by reading a field: `in` asks the engine's runtime, which costs a multiple where there are several shapes.
/** Whether an item is a place that jumps go to. */
export function isLabel(item: Item): item is Label {
  return (item as Partial<Label>).label !== undefined;
}

/** Whether an operand is a register. */
export function isRegister(operand: Operand): operand is Reg {
  return typeof operand === "object" && (operand as Partial<Reg>).kind !== undefined;
}

/** Whether an operand is memory behind registers; slots and literals are not. */
export function isAddress(operand: Operand): operand is Address {
  return typeof operand === "object" && (operand as Partial<Address>).base !== undefined;
}

/** An instruction without mask and source. All instructions have the same fields, so that the engine of JavaScript sees one shape of object. */
export function instruction(name: InstructionName, operands: readonly Operand[], length: VectorLength): Instruction {
  return { row: rows[name], operands, length, mask: undefined, zeroing: undefined, source: undefined };
}

/** The registers that an instruction reads, also in addresses and as its mask. */
export function readsOf({ row, operands, mask }: Instruction): Reg[] {
  const forms = row.operands;
  const reads: Reg[] = mask ? [mask] : [];
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i]!;
    if (isRegister(operand)) {
      if (forms[i]!.access !== "write") reads.push(operand);
    } else if (isAddress(operand)) {
      reads.push(operand.base);
      if (operand.index) reads.push(operand.index);
    }
  }
  return reads;
}

/** No row writes more than its first operand. */
export function writtenBy({ row, operands }: Instruction): Reg | undefined {
  const first = operands[0];
  return first !== undefined && isRegister(first) && row.operands[0]!.access !== "read" ? first : undefined;
}

/** Copies one register to another of its kind. */
export function isCopy({ row, operands }: Instruction): boolean {
  return (row.name === "mov" || row.name === "vmovups") && isRegister(operands[0]!) && isRegister(operands[1]!);
}

/** Numbers virtual registers, labels and slots, so that passes do not meet. */
export class Names {
  /** Bits of a whole vector. */
  readonly vectorLength: VectorLength;
  #register: number;
  #label = 0;
  readonly #slots: RegKind[] = [];

  /** @param first a number that no register of the kernel has, nor any above it. */
  constructor(first: number, vectorLength: VectorLength) {
    this.#register = first;
    this.vectorLength = vectorLength;
  }

  /** One more than the highest number of a register. */
  get registers(): number {
    return this.#register;
  }

  register(kind: RegKind): Reg {
    return { kind, id: this.#register++ };
  }

  label(): Label {
    return { label: this.#label++ };
  }

  slot(kind: RegKind, argument = false): Slot {
    return { slot: this.#slots.push(kind) - 1, argument };
  }

  /** What each slot holds. */
  get slots(): readonly RegKind[] {
    return this.#slots;
  }
}
