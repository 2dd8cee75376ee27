// IR → machine instructions over virtual registers, by the rows of patterns.ts. A vector read from memory waits until something wants it, so that it
// becomes that instruction's operand or at least holds a register no longer than it must.
import type { Kernel, Mem, Op, Reg, RegKind, Target } from "../ir.ts";
import { eachOp, isBarrier, operandsOf } from "../operands.ts";
import type { OpOf } from "../ops.ts";
import type { Label } from "./assembler.ts";
import type { Dialect } from "./dialect.ts";
import { type InstructionName, rows } from "./encoding.ts";
import {
  type Address,
  addressOf,
  type Instruction,
  type Item,
  instruction,
  isRegister,
  literalOf,
  Names,
  type Operand,
  type Slot,
} from "./instruction.ts";
import { loadConstant } from "./integers.ts";
import { type Operands, type Pattern, type Patterns, patternsOf, type Selection } from "./patterns.ts";

/** A kernel's instructions, before registers are allocated. */
export interface Selected {
  readonly items: readonly Item[];
  readonly names: Names;
  /** Where the caller's arguments are expected, in order. */
  readonly arguments: readonly Slot[];
}

/** Selects instructions for a kernel that was legalised for the dialect's machine. The same kernel gives the same instructions. */
export function selectInstructions(kernel: Kernel, dialect: Dialect): Selected {
  const uses = countUses(kernel);
  const names = new Names(uses.registers, dialect.length);
  const slots = kernel.params.map(() => names.slot("int", true));
  const selector = new Selector(kernel.target, dialect, names, uses);
  kernel.params.forEach(({ reg }, i) => {
    if (uses.reads(reg) > 0) selector.emit("mov", [reg, slots[i]!]);
  });
  selector.select(kernel.body);
  return { items: selector.items(), names, arguments: slots };
}

interface Uses {
  reads(reg: Reg): number;
  writes(reg: Reg): number;
  /** One more than the highest number of a register. */
  readonly registers: number;
}

function countUses({ params, body }: Kernel): Uses {
  const reads: number[] = [];
  const writes: number[] = [];
  for (const { reg } of params) writes[reg.id] = 1;
  eachOp(body, (op) => {
    const operands = operandsOf(op);
    for (const { id } of operands.reads) reads[id] = (reads[id] ?? 0) + 1;
    for (const { id } of operands.writes) writes[id] = (writes[id] ?? 0) + 1;
  });
  return {
    reads: ({ id }) => reads[id] ?? 0,
    writes: ({ id }) => writes[id] ?? 0,
    registers: Math.max(reads.length, writes.length),
  };
}

type Load = OpOf<"vload" | "vsplat">;
type OtherOp = Exclude<Op, Load>;

class Selector implements Selection {
  readonly target: Target;
  readonly dialect: Dialect;
  readonly #patterns: Patterns;
  readonly #names: Names;
  readonly #uses: Uses;
  readonly #entry: Item[] = [];
  readonly #code: Item[] = [];
  readonly #held = new Map<string, Reg>();
  readonly #shared = new Map<string, Reg>();
  readonly #constants = new Set<number>();
  /** The op whose instructions are being selected. */
  #origin: Op | undefined;
  /** Loads that wait, in the kernel's order. */
  readonly #waiting = new Map<number, Load>();
  /** How many of them write a register or read it in their address, by its number. */
  readonly #watched: number[] = [];

  constructor(target: Target, dialect: Dialect, names: Names, uses: Uses) {
    this.target = target;
    this.dialect = dialect;
    this.#patterns = patternsOf(target);
    this.#names = names;
    this.#uses = uses;
  }

  items(): readonly Item[] {
    return [...this.#entry, ...this.#code];
  }

  select(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === "vload" || op.op === "vsplat") this.#postpone(op);
      else this.#op(op);
    }
    this.#releaseAll();
  }

  block(ops: readonly Op[], op: Op): void {
    this.select(ops);
    this.#origin = op;
  }

  emit(name: InstructionName, operands: readonly Operand[], more: Partial<Instruction> = {}): void {
    const { length = this.dialect.length, mask, zeroing } = more;
    const physical = this.dialect.maskKind === "mask" ? operands : operands.map(this.#physicalKind);
    this.#code.push({ row: rows[name], operands: physical, length, mask, zeroing, source: this.#origin });
  }

  register(kind: RegKind): Reg {
    return this.#names.register(kind);
  }

  held(kind: RegKind, name: InstructionName, words: readonly number[]): Reg {
    const key = `${name}:${words.join()}`;
    const known = this.#held.get(key);
    if (known) return known;
    const made = this.register(kind);
    this.#entry.push(instruction(name, [made, literalOf(words)], this.dialect.length));
    this.#held.set(key, made);
    return made;
  }

  shared(name: InstructionName, of: Reg): Reg {
    const key = `${name} ${of.id}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const made = this.register("vec");
    this.emit(name, [made, of]);
    if (this.isWrittenOnce(of)) this.#shared.set(key, made);
    return made;
  }

  /** A displacement has 31 bits; what is more goes through a register. */
  address({ base, index, offset }: Mem): Address {
    if (offset < 2 ** 31) return addressOf(base, index, offset);
    const far = this.register("int");
    loadConstant(this, far, offset);
    this.emit("add", [far, base]);
    return addressOf(far, index, 0);
  }

  isLast(reg: Reg): boolean {
    return this.#uses.reads(reg) === 1 && this.isWrittenOnce(reg) && !this.#constants.has(reg.id);
  }

  isWrittenOnce(reg: Reg): boolean {
    return this.#uses.writes(reg) === 1;
  }

  noteConstant({ id }: Reg): void {
    this.#constants.add(id);
  }

  label(): Label {
    return this.#names.label();
  }

  mark(label: Label): void {
    this.#shared.clear();
    this.#code.push(label);
  }

  /** IR masks are vectors where the machine has no mask registers. */
  physical(reg: Reg): Reg {
    return reg.kind === "mask" ? { ...reg, kind: this.dialect.maskKind } : reg;
  }

  readonly #physicalKind = (operand: Operand): Operand => (isRegister(operand) ? this.physical(operand) : operand);

  /** What the op reads is loaded first, but for the operand that its instruction reads from memory. */
  #op(op: OtherOp): void {
    // The table has a row for this very op.
    const pattern = this.#patterns[op.op] as Pattern;
    const from = op as unknown as Operands;
    if (this.#waiting.size === 0) {
      this.#origin = op;
      return pattern.emit(this, op, from);
    }
    const folded = this.#foldable(pattern, from);
    this.#release(op, folded === undefined ? undefined : (from[folded] as Reg));
    this.#origin = op;
    if (folded === undefined) pattern.emit(this, op, from);
    else pattern.emit(this, op, { a: from.a, b: from.b, c: from.c, [folded]: this.#memory(from[folded] as Reg) });
  }

  #postpone(op: Load): void {
    this.#releaseFor(op.d);
    this.#waiting.set(op.d.id, op);
    this.#watch(op, 1);
  }

  #watch({ d, m }: Load, change: 1 | -1): void {
    this.#watched[d.id] = (this.#watched[d.id] ?? 0) + change;
    this.#watched[m.base.id] = (this.#watched[m.base.id] ?? 0) + change;
    if (m.index) this.#watched[m.index.id] = (this.#watched[m.index.id] ?? 0) + change;
  }

  #take(id: number): Load | undefined {
    const op = this.#waiting.get(id);
    if (op === undefined) return undefined;
    this.#waiting.delete(id);
    this.#watch(op, -1);
    return op;
  }

  /** Loads before an op what it reads, but for what becomes its operand; what it would change; and everything, where memory may change. */
  #release(op: Op, folded: Reg | undefined): void {
    if (isBarrier(op)) return this.#releaseAll();
    const { reads, writes } = operandsOf(op);
    for (const { id } of reads) if (id !== folded?.id) this.#releaseOne(id);
    for (const reg of writes) this.#releaseFor(reg);
  }

  #releaseAll(): void {
    for (const id of this.#waiting.keys()) this.#releaseOne(id);
  }

  /** Those that would see this register written. */
  #releaseFor({ id }: Reg): void {
    if (!this.#watched[id]) return;
    for (const { d, m } of this.#waiting.values()) if (id === d.id || id === m.base.id || id === m.index?.id) this.#releaseOne(d.id);
  }

  #releaseOne(id: number): void {
    const op = this.#take(id);
    if (!op) return;
    this.#origin = op;
    const from = this.address(op.m);
    if (op.op === "vsplat") this.emit("vbroadcastss", [op.d, from]);
    else if (op.span === "full") this.emit("vmovups", [op.d, from]);
    else this.dialect.loadFirst(this, op.d, from, op.span);
  }

  /** The operand that can come from memory right in this op: read once, waiting, in a place that may be memory. */
  #foldable({ memory, takesBroadcast }: Pattern, operands: Operands): keyof Operands | undefined {
    for (let i = 0; i < memory.length; i++) if (this.#canFold(operands[memory[i]!] as Reg, takesBroadcast)) return memory[i];
    return undefined;
  }

  #canFold(reg: Reg, takesBroadcast: boolean): boolean {
    const load = this.#waiting.get(reg.id);
    if (!load || this.#uses.reads(reg) !== 1 || !this.isWrittenOnce(reg)) return false;
    return load.op === "vsplat" ? takesBroadcast && this.dialect.broadcasts : load.span === "full";
  }

  /** The memory that a waiting register would have been loaded from. */
  #memory(reg: Reg): Operand {
    const op = this.#take(reg.id);
    if (!op) return reg; // the op writes what its address reads, so that it was loaded
    const from = this.address(op.m);
    return op.op === "vsplat" ? addressOf(from.base, from.index, from.disp, true) : from;
  }
}
