// Register allocation by linear scan over live intervals (Poletto & Sarkar 1999). Where registers run out, the cheapest interval goes to
// the stack, or is computed again where it is a constant, and the scan starts over: what a spill needs are registers like any others.
import { check } from "../../base/index.ts";
import type { Reg, RegKind } from "../ir.ts";
import type { Label } from "./assembler.ts";
import { rows } from "./encoding.ts";
import {
  type Instruction,
  type Item,
  instruction,
  isAddress,
  isCopy,
  isLabel,
  isRegister,
  type Names,
  type Operand,
  readsOf,
  type Slot,
  writtenBy,
} from "./machine.ts";

/** Registers of each kind, in the order in which to take them. */
export type RegisterFiles = Readonly<Record<RegKind, readonly number[]>>;

export interface Allocation {
  readonly items: readonly Item[];
  /** Physical registers by number of the virtual one. */
  readonly registers: ReadonlyMap<number, number>;
}

/** @throws CriaError when one instruction needs more registers than there are. */
export function allocate(items: readonly Item[], files: RegisterFiles, names: Names): Allocation {
  /** Made by spills: they live for one instruction, so spilling them again would gain nothing. */
  const fixed = new Set<number>();
  for (let code = items; ; ) {
    const constants = findConstants(code);
    const { registers, spilled } = scan(liveIntervals(code, fixed, constants), files);
    if (spilled.size === 0) return { items: code, registers };
    code = new Spiller(code, spilled, names, fixed, constants).run();
  }
}

interface Interval {
  readonly reg: Reg;
  /** Positions: 2 i reads of instruction i, 2 i + 1 its write. */
  start: number;
  end: number;
  /** Uses, those in loops counted more; infinite where a spill is of no use. */
  weight: number;
  /** Copied from this register where it starts: sharing makes the copy nothing. */
  readonly hint: Reg | undefined;
}

/** How much more an instruction counts in a loop than around it. */
const loopWeight = 8;
/** A constant is never stored, and mostly read as an operand in memory. */
const constantWeight = 0.25;

function liveIntervals(items: readonly Item[], fixed: ReadonlySet<number>, constants: ReadonlyMap<number, Instruction>): Interval[] {
  /** By number of the register; registers that only other kernels have leave gaps. */
  const intervals: (Interval | undefined)[] = [];
  const loops = findLoops(items);
  const ends = new Set(loops.values());
  let weight = 1;
  const touch = (reg: Reg, position: number, hint?: Reg) => {
    const known = intervals[reg.id];
    if (known) {
      known.end = position;
      known.weight += weight;
    } else {
      const isFixed = fixed.has(reg.id);
      intervals[reg.id] = { reg, start: position, end: position, weight: isFixed ? Number.POSITIVE_INFINITY : weight, hint };
    }
  };
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (isLabel(item)) {
      if (loops.has(2 * i)) weight *= loopWeight;
      continue;
    }
    for (const reg of readsOf(item)) touch(reg, 2 * i);
    const written = writtenBy(item);
    if (written) touch(written, 2 * i + 1, isCopy(item) ? (item.operands[1] as Reg) : undefined);
    else if (ends.has(2 * i + 1)) weight /= loopWeight;
  }
  const all = intervals.filter((interval) => interval !== undefined);
  for (const interval of all) if (constants.has(interval.reg.id)) interval.weight *= constantWeight;
  all.sort((a, b) => a.start - b.start || a.reg.id - b.reg.id);
  extendOverLoops(all, loops);
  return all;
}

/** First position → last position of what a backward jump repeats. */
function findLoops(items: readonly Item[]): Map<number, number> {
  const marks = new Map<number, number>();
  const loops = new Map<number, number>();
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (isLabel(item)) marks.set(item.label, 2 * i);
    else {
      const target = item.operands[0];
      if (typeof target !== "object" || !isTarget(target)) continue;
      const start = marks.get(target.label);
      if (start !== undefined) loops.set(start, 2 * i + 1);
    }
  }
  return loops;
}

function isTarget(operand: Exclude<Operand, number>): operand is Label {
  return (operand as Partial<Label>).label !== undefined;
}

/** What has a value before a loop and is used in it must keep it until the loop's last round has ended; inner loops first. */
function extendOverLoops(intervals: readonly Interval[], loops: ReadonlyMap<number, number>): void {
  for (const [start, end] of [...loops].sort((a, b) => a[1] - b[1]))
    for (const interval of intervals) {
      if (interval.start >= start) break; // they are sorted
      if (interval.end > start && interval.end < end) interval.end = end;
    }
}

function scan(intervals: readonly Interval[], files: RegisterFiles): { registers: Map<number, number>; spilled: Map<number, Reg> } {
  const registers = new Map<number, number>();
  const spilled = new Map<number, Reg>();
  /** Who has each physical register now, or had it last. */
  const holders: Record<RegKind, (Interval | undefined)[]> = { int: [], vec: [], mask: [] };
  for (const interval of intervals) {
    const { kind, id } = interval.reg;
    const held = holders[kind];
    let register = freeRegister(interval, files[kind], held, interval.hint && registers.get(interval.hint.id));
    if (register === undefined) {
      register = files[kind].reduce((a, b) => (cost(held[b]!) < cost(held[a]!) ? b : a));
      const victim = cost(interval) < cost(held[register]!) ? interval : held[register]!;
      check(Number.isFinite(victim.weight), "x64", () => `one instruction needs more than ${files[kind].length} ${kind} registers`);
      spilled.set(victim.reg.id, victim.reg);
      if (victim === interval) continue;
    }
    registers.set(id, register);
    held[register] = interval;
  }
  return { registers, spilled };
}

function freeRegister(
  { start }: Interval,
  file: readonly number[],
  held: readonly (Interval | undefined)[],
  hinted: number | undefined,
): number | undefined {
  const isFree = (register: number) => (held[register]?.end ?? -1) < start;
  return hinted !== undefined && isFree(hinted) ? hinted : file.find(isFree);
}

/** Long intervals with few uses are the cheapest to spill. */
function cost({ weight, start, end }: Interval): number {
  return weight / (end - start + 1);
}

/** Puts the values of some registers into memory: loads before what reads them, stores after what writes them. */
class Spiller {
  readonly #code: readonly Item[];
  readonly #spilled: ReadonlyMap<number, Reg>;
  readonly #names: Names;
  readonly #fixed: Set<number>;
  readonly #constants: ReadonlyMap<number, Instruction>;
  readonly #slots = new Map<number, Slot>();
  readonly #out: Item[] = [];

  constructor(
    code: readonly Item[],
    spilled: ReadonlyMap<number, Reg>,
    names: Names,
    fixed: Set<number>,
    constants: ReadonlyMap<number, Instruction>,
  ) {
    this.#code = code;
    this.#spilled = spilled;
    this.#names = names;
    this.#fixed = fixed;
    this.#constants = constants;
  }

  run(): readonly Item[] {
    for (const item of this.#code) {
      if (isLabel(item)) this.#out.push(item);
      else this.#rewrite(item);
    }
    return this.#out;
  }

  #rewrite(instruction: Instruction): void {
    const written = writtenBy(instruction);
    const isWritten = written !== undefined && this.#spilled.has(written.id);
    if (!isWritten && !readsOf(instruction).some(({ id }) => this.#spilled.has(id))) return void this.#out.push(instruction);
    if (isWritten && this.#constants.has(written.id)) return; // read where it is used
    let result = this.#fold(instruction);
    const reads = new Set(readsOf(result).map(({ id }) => id));
    for (const id of new Set([...reads, ...(isWritten ? [written.id] : [])])) {
      const reg = this.#spilled.get(id);
      if (!reg) continue;
      const short = this.#names.register(reg.kind);
      this.#fixed.add(short.id);
      if (reads.has(reg.id)) this.#out.push(this.#load(short, reg));
      result = replaceRegister(result, reg, short);
    }
    this.#out.push(result);
    if (isWritten) this.#out.push(this.#store(written, result.operands[0] as Reg));
  }

  /** Reads a spilled register right from memory, where the row allows that and nothing else of the instruction lies there. */
  #fold(instruction: Instruction): Instruction {
    const forms = rows[instruction.name].operands;
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
    if (constant.name === "vbroadcastss") return broadcast ? { ...(source as { words: number[] }), broadcast } : undefined;
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

/** Registers that are written once, from a constant or an argument: cheaper to read again than to keep. */
function findConstants(code: readonly Item[]): Map<number, Instruction> {
  const constants = new Map<number, Instruction>();
  const written = new Set<number>();
  for (const item of code) {
    const reg = isLabel(item) ? undefined : writtenBy(item);
    if (!reg) continue;
    if (written.has(reg.id)) constants.delete(reg.id);
    else if (isConstant(item as Instruction)) constants.set(reg.id, item as Instruction);
    written.add(reg.id);
  }
  return constants;
}

function isConstant({ name, operands, mask }: Instruction): boolean {
  return !mask && rows[name].operands[0]!.access === "write" && operands.slice(1).every(isFixed);
}

/** What reads the same wherever in the kernel it is read; a spilled register's slot does not. */
function isFixed(operand: Operand): boolean {
  return typeof operand === "number" || "words" in operand || ("slot" in operand && operand.argument === true);
}

function replaceRegister(instruction: Instruction, old: Reg, by: Reg): Instruction {
  const swap = <R extends Reg | undefined>(reg: R) => (reg?.id === old.id ? by : reg);
  const operands = instruction.operands.map((operand) => {
    if (isRegister(operand)) return swap(operand);
    return isAddress(operand) ? { ...operand, base: swap(operand.base), index: swap(operand.index) } : operand;
  });
  return { ...instruction, operands, mask: swap(instruction.mask) };
}
