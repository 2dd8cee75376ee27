// Register allocation by linear scan over live intervals (Poletto & Sarkar 1999). Where registers run out, the cheapest interval goes to
// the stack, or is computed again where it is a constant, and the scan starts over: what a spill needs are registers like any others.
import { check } from "../../base/index.ts";
import type { Reg, RegKind } from "../ir.ts";
import type { Label, Literal } from "./assembler.ts";
import {
  addressOf,
  type Instruction,
  type Item,
  instruction,
  isAddress,
  isCopy,
  isLabel,
  isRegister,
  literalOf,
  type Names,
  type Operand,
  readsOf,
  type Slot,
  writtenBy,
} from "./instruction.ts";

/** Registers of each kind, in the order in which to take them. */
export type RegisterFiles = Readonly<Record<RegKind, readonly number[]>>;

/** Instructions, with spills among them, and the places of their registers. */
export interface Allocation {
  readonly items: readonly Item[];
  /** Physical registers by number of the virtual one; -1 for those that no item has. */
  readonly registers: Int16Array;
}

/** @throws CriaError when one instruction needs more registers than there are. */
export function allocate(items: readonly Item[], files: RegisterFiles, names: Names): Allocation {
  /** Registers from here on are made by spills: they live for one instruction, so spilling them again would gain nothing. */
  const firstShort = names.registers;
  const constants = new Constants(items, firstShort);
  for (let code = items; ; ) {
    const intervals = liveIntervals(code, names.registers, firstShort, constants);
    const { registers, spilled } = scan(intervals, files);
    if (spilled.size === 0) return { items: code, registers };
    code = new Spiller(code, spilled, names, constants).run();
  }
}

const none = -1;

/**
 * Where registers are live, by their numbers: positions, of which 2 i reads of instruction i and 2 i + 1 its write. In flat arrays, because most
 * processes compile before the engine of JavaScript has optimised any of this.
 */
class Intervals {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Uses, those in loops counted more; infinite where a spill is of no use. */
  readonly weights: Float64Array;
  /** The register that it is copied from where it starts: sharing makes the copy nothing. */
  readonly hints: Int32Array;
  /** The registers by their starts, then their numbers. */
  readonly order: Reg[] = [];
  readonly #firstShort: number;

  constructor(registers: number, firstShort: number) {
    this.starts = new Int32Array(registers).fill(none);
    this.ends = new Int32Array(registers);
    this.weights = new Float64Array(registers);
    this.hints = new Int32Array(registers).fill(none);
    this.#firstShort = firstShort;
  }

  touch(reg: Reg, position: number, weight: number): void {
    const { id } = reg;
    if (this.starts[id]! !== none) {
      this.ends[id] = position;
      this.weights[id]! += weight;
    } else this.#begin(reg, position, id < this.#firstShort ? weight : Number.POSITIVE_INFINITY);
  }

  /** @param hint the register that is copied. */
  write(reg: Reg, position: number, weight: number, hint: Operand | undefined): void {
    if (hint !== undefined && this.starts[reg.id]! === none) this.hints[reg.id] = (hint as Reg).id;
    this.touch(reg, position, weight);
  }

  #begin(reg: Reg, position: number, weight: number): void {
    this.starts[reg.id] = position;
    this.ends[reg.id] = position;
    this.weights[reg.id] = weight;
    let at = this.order.push(reg) - 1;
    for (; at > 0 && this.#isBehind(this.order[at - 1]!, reg, position); at--) this.order[at] = this.order[at - 1]!;
    this.order[at] = reg;
  }

  /** Registers that one instruction is the first to read. */
  #isBehind({ id }: Reg, reg: Reg, position: number): boolean {
    return this.starts[id]! === position && id > reg.id;
  }

  /** Long intervals with few uses are the cheapest to spill. */
  cost({ id }: Reg): number {
    return this.weights[id]! / (this.ends[id]! - this.starts[id]! + 1);
  }
}

/** How much more an instruction counts in a loop than around it. */
const loopWeight = 8;
/** A constant is never stored, and mostly read as an operand in memory. */
const constantWeight = 0.25;

function liveIntervals(items: readonly Item[], registers: number, firstShort: number, constants: Constants): Intervals {
  const intervals = new Intervals(registers, firstShort);
  const loops = findLoops(items);
  const ends = new Set(loops.values());
  let weight = 1;
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (isLabel(item)) {
      if (loops.has(2 * i)) weight *= loopWeight;
      continue;
    }
    touchReads(intervals, item, 2 * i, weight);
    const written = writtenBy(item);
    if (written) intervals.write(written, 2 * i + 1, weight, isCopy(item) ? item.operands[1] : undefined);
    else if (ends.has(2 * i + 1)) weight /= loopWeight;
  }
  for (const { id } of intervals.order) if (constants.get(id)) intervals.weights[id]! *= constantWeight;
  extendOverLoops(intervals, loops);
  return intervals;
}

function touchReads(intervals: Intervals, { row, operands, mask }: Instruction, position: number, weight: number): void {
  const forms = row.operands;
  if (mask) intervals.touch(mask, position, weight);
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i]!;
    if (isRegister(operand)) {
      if (forms[i]!.access !== "write") intervals.touch(operand, position, weight);
    } else if (isAddress(operand)) {
      intervals.touch(operand.base, position, weight);
      if (operand.index) intervals.touch(operand.index, position, weight);
    }
  }
}

/** First position → last position of what a backward jump repeats. */
function findLoops(items: readonly Item[]): Map<number, number> {
  const marks = new Map<number, number>();
  const loops = new Map<number, number>();
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (isLabel(item)) marks.set(item.label, 2 * i);
    else {
      if (!item.row.isJump) continue;
      const start = marks.get((item.operands[0] as Label).label);
      if (start !== undefined) loops.set(start, 2 * i + 1);
    }
  }
  return loops;
}

/** What has a value before a loop and is used in it must keep it until the loop's last round has ended; inner loops first. */
function extendOverLoops({ starts, ends, order }: Intervals, loops: ReadonlyMap<number, number>): void {
  for (const [start, end] of [...loops].sort((a, b) => a[1] - b[1]))
    for (let i = 0; i < order.length; i++) {
      const { id } = order[i]!;
      if (starts[id]! >= start) break; // they are sorted
      if (ends[id]! > start && ends[id]! < end) ends[id] = end;
    }
}

interface Scanned {
  readonly registers: Int16Array;
  readonly spilled: ReadonlyMap<number, Reg>;
}

function scan(intervals: Intervals, files: RegisterFiles): Scanned {
  const registers = new Int16Array(intervals.starts.length).fill(none);
  const spilled = new Map<number, Reg>();
  /** Who has each physical register now, or had it last. */
  const holders: Record<RegKind, (Reg | undefined)[]> = { int: [], vec: [], mask: [] };
  for (const reg of intervals.order) {
    const [file, held] = [files[reg.kind], holders[reg.kind]];
    const hint = intervals.hints[reg.id]!;
    let register = freeRegister(intervals, reg, file, held, hint === none ? none : registers[hint]!);
    if (register === none) {
      register = cheapest(intervals, file, held);
      const holder = held[register]!;
      const victim = intervals.cost(reg) < intervals.cost(holder) ? reg : holder;
      check(
        Number.isFinite(intervals.weights[victim.id]!),
        "x64",
        () => `one instruction needs more than ${file.length} ${reg.kind} registers`,
      );
      spilled.set(victim.id, victim);
      if (victim === reg) continue;
    }
    registers[reg.id] = register;
    held[register] = reg;
  }
  return { registers, spilled };
}

type Holders = readonly (Reg | undefined)[];

function freeRegister({ starts, ends }: Intervals, { id }: Reg, file: readonly number[], held: Holders, hinted: number): number {
  const start = starts[id]!;
  if (hinted !== none) {
    const holder = held[hinted];
    if (holder === undefined || ends[holder.id]! < start) return hinted;
  }
  for (let i = 0; i < file.length; i++) {
    const holder = held[file[i]!];
    if (holder === undefined || ends[holder.id]! < start) return file[i]!;
  }
  return none;
}

/** The register whose holder is the cheapest to spill, the first of equals; all are held. */
function cheapest(intervals: Intervals, file: readonly number[], held: Holders): number {
  let best = file[0]!;
  for (const register of file) if (intervals.cost(held[register]!) < intervals.cost(held[best]!)) best = register;
  return best;
}

/** Registers that are written once, from a constant or an argument: cheaper to read again than to keep. */
class Constants {
  readonly #writes: Uint8Array;
  readonly #instructions: (Instruction | undefined)[];

  constructor(items: readonly Item[], registers: number) {
    this.#writes = new Uint8Array(registers);
    this.#instructions = new Array<Instruction | undefined>(registers).fill(undefined);
    for (const item of items) {
      const written = isLabel(item) ? undefined : writtenBy(item);
      if (written === undefined) continue;
      const isFirst = this.#writes[written.id] === 0;
      this.#writes[written.id] = isFirst ? 1 : 2;
      this.#instructions[written.id] = isFirst && isConstant(item as Instruction) ? (item as Instruction) : undefined;
    }
  }

  /** What writes the register, where that is its only write. */
  get(id: number): Instruction | undefined {
    return id < this.#instructions.length ? this.#instructions[id] : undefined;
  }

  /** Looks at an instruction, also one that a spill has changed. */
  note(instruction: Instruction): void {
    const written = writtenBy(instruction);
    if (written === undefined || written.id >= this.#writes.length || this.#writes[written.id] !== 1) return;
    this.#instructions[written.id] = isConstant(instruction) ? instruction : undefined;
  }
}

function isConstant({ row, operands, mask }: Instruction): boolean {
  if (mask || row.operands[0]!.access !== "write") return false;
  for (let i = 1; i < operands.length; i++) if (!isFixed(operands[i]!)) return false;
  return true;
}

/** What reads the same wherever in the kernel it is read; a spilled register's slot does not. */
function isFixed(operand: Operand): boolean {
  return typeof operand === "number" || (operand as Partial<Literal>).words !== undefined || (operand as Partial<Slot>).argument === true;
}

/** Puts the values of some registers into memory: loads before what reads them, stores after what writes them. */
class Spiller {
  readonly #code: readonly Item[];
  readonly #spilled: ReadonlyMap<number, Reg>;
  readonly #names: Names;
  readonly #constants: Constants;
  readonly #slots = new Map<number, Slot>();
  readonly #out: Item[] = [];

  constructor(code: readonly Item[], spilled: ReadonlyMap<number, Reg>, names: Names, constants: Constants) {
    this.#code = code;
    this.#spilled = spilled;
    this.#names = names;
    this.#constants = constants;
  }

  run(): readonly Item[] {
    for (const item of this.#code) {
      if (isLabel(item)) this.#out.push(item);
      else if (this.#concerns(item)) this.#rewrite(item);
      else this.#out.push(item);
    }
    return this.#out;
  }

  #concerns({ operands, mask }: Instruction): boolean {
    if (mask && this.#spilled.has(mask.id)) return true;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i]!;
      if (isRegister(operand)) {
        if (this.#spilled.has(operand.id)) return true;
      } else if (isAddress(operand)) {
        if (this.#spilled.has(operand.base.id) || (operand.index && this.#spilled.has(operand.index.id))) return true;
      }
    }
    return false;
  }

  #rewrite(instruction: Instruction): void {
    const written = writtenBy(instruction);
    const isWritten = written !== undefined && this.#spilled.has(written.id);
    if (isWritten && this.#constants.get(written.id)) return; // read where it is used
    let result = this.#fold(instruction);
    const reads = new Set(readsOf(result).map(({ id }) => id));
    for (const id of new Set([...reads, ...(isWritten ? [written.id] : [])])) {
      const reg = this.#spilled.get(id);
      if (!reg) continue;
      const short = this.#names.register(reg.kind);
      if (reads.has(reg.id)) this.#out.push(this.#load(short, reg));
      result = replaceRegister(result, reg, short);
    }
    this.#out.push(result);
    this.#constants.note(result);
    if (isWritten) this.#out.push(this.#store(written, result.operands[0] as Reg));
  }

  /** Reads a spilled register right from memory, where the row allows that and nothing else of the instruction lies there. */
  #fold(instruction: Instruction): Instruction {
    const forms = instruction.row.operands;
    if (instruction.operands.some((operand) => typeof operand === "object" && !isRegister(operand))) return instruction;
    const i = instruction.operands.findIndex(
      (operand, at) =>
        isRegister(operand) && this.#spilled.has(operand.id) && forms[at]!.memory !== undefined && forms[at]!.access === "read",
    );
    if (i < 0) return instruction;
    const place = this.#memoryOf(instruction.operands[i] as Reg, forms[i]!.broadcast);
    return place ? { ...instruction, operands: instruction.operands.with(i, place) } : instruction;
  }

  /** Where the value of a spilled register lies, for an operand that may be memory. */
  #memoryOf(reg: Reg, broadcast: boolean): Operand | undefined {
    const constant = this.#constants.get(reg.id);
    if (!constant) return this.#slot(reg);
    const source = constant.operands[1]!;
    if (constant.row.name === "vbroadcastss") return broadcast ? literalOf((source as Literal).words, broadcast) : undefined;
    return typeof source === "object" ? source : undefined;
  }

  #load(short: Reg, reg: Reg): Instruction {
    const constant = this.#constants.get(reg.id);
    if (constant) return { ...constant, operands: [short, ...constant.operands.slice(1)] };
    return instruction(loads[reg.kind], [short, this.#slot(reg)], this.#length);
  }

  #store(reg: Reg, short: Reg): Instruction {
    return instruction(stores[reg.kind], [this.#slot(reg), short], this.#length);
  }

  #slot(reg: Reg): Slot {
    const known = this.#slots.get(reg.id) ?? this.#names.slot(reg.kind);
    this.#slots.set(reg.id, known);
    return known;
  }

  /** A spilled vector is stored whole, whichever part of it the instructions around use. */
  get #length() {
    return this.#names.vectorLength;
  }
}

const loads = { int: "mov", vec: "vmovups", mask: "kmovw" } as const;
const stores = { int: "mov.store", vec: "vmovups.store", mask: "kmovw.store" } as const;

function replaceRegister(instruction: Instruction, old: Reg, by: Reg): Instruction {
  const swap = <R extends Reg | undefined>(reg: R) => (reg?.id === old.id ? by : reg);
  const operands = instruction.operands.map((operand) => {
    if (isRegister(operand)) return swap(operand);
    return isAddress(operand) ? addressOf(swap(operand.base), swap(operand.index), operand.disp, operand.broadcast) : operand;
  });
  return { ...instruction, operands, mask: swap(instruction.mask) };
}
