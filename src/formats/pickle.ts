// Python's pickles as far as torch.save writes them (protocol 2; pickletools.py describes every opcode). A pickle is a program that may call anything;
// this machine calls what it is given by name, and refuses every other name where the program only mentions it. It has no recursion, and what it
// makes takes memory in proportion to the program's bytes.
import { CriaError, check, decodeUtf8, fail } from "../base/index.ts";
import { quote } from "./json.ts";

/** What a pickle makes: plain values, tuples, names, and what calls make of them. Lists and dicts may hold themselves. */
export type PickleValue = null | boolean | number | string | object;

/** A tuple of Python's. */
export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A name of Python's that a pickle mentions. */
export class PickleGlobal {
  /** Module and name, with a dot between. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What a call makes of its arguments; undefined where it takes no such arguments. */
export type PickleCall = (args: readonly PickleValue[]) => PickleValue | undefined;

/** What a pickle may ask for. */
export interface PickleWorld {
  /** The names that it may mention, with what a call of each makes; undefined where it may be mentioned but not called. */
  readonly globals: ReadonlyMap<string, PickleCall | undefined>;
  /** What a persistent id, a tuple, stands for. */
  readonly persistent: PickleCall;
  /** What to do about a pickle that mentions another name, for messages. */
  wayOut(name: string): string;
}

const where = "pickle";
const stop = 0x2e;
const mark = Symbol("mark");

/** The value that a pickle makes. @throws CriaError where it is damaged, of another protocol, or mentions a name that is not among the globals */
export function readPickle(bytes: Uint8Array, name: string, world: PickleWorld): PickleValue {
  const machine = new Machine(bytes, name, world);
  try {
    for (let opcode = machine.u8(); opcode !== stop; opcode = machine.u8()) {
      const act = opcodes[opcode] ?? machine.fail(`0x${opcode.toString(16)} is no opcode of torch.save's`);
      act(machine);
    }
    return machine.pop();
  } catch (error) {
    if (error instanceof CriaError || !(error instanceof RangeError)) throw error;
    return fail(where, `${name}: it ends in the middle: it is damaged, fetch it again`, { cause: error }); // a DataView says so
  }
}

/** Opcode → what it does. */
const opcodes: Readonly<Record<number, (m: Machine) => void>> = {
  128: (m) => m.checkProtocol(m.u8()), // PROTO
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  75: (m) => m.push(m.u8()), // BININT1
  77: (m) => m.push(m.u16()), // BININT2
  74: (m) => m.push(m.i32()), // BININT
  138: (m) => m.push(m.long(m.u8())), // LONG1
  139: (m) => m.push(m.long(m.u32())), // LONG4
  71: (m) => m.push(m.f64()), // BINFLOAT
  88: (m) => m.push(m.text(m.u32())), // BINUNICODE
  84: (m) => m.push(m.text(m.u32())), // BINSTRING, of Python 2
  85: (m) => m.push(m.text(m.u8())), // SHORT_BINSTRING
  40: (m) => m.pushMark(), // MARK
  48: (m) => void m.pop(), // POP
  41: (m) => m.push(new PickleTuple([])), // EMPTY_TUPLE
  133: (m) => m.push(new PickleTuple([m.pop()])), // TUPLE1
  134: (m) => m.push(new PickleTuple([m.pop(), m.pop()].reverse())), // TUPLE2
  135: (m) => m.push(new PickleTuple([m.pop(), m.pop(), m.pop()].reverse())), // TUPLE3
  116: (m) => m.push(new PickleTuple(m.popToMark())), // TUPLE
  93: (m) => m.push([]), // EMPTY_LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.popToMark()), // APPENDS
  125: (m) => m.push(new Map()), // EMPTY_DICT
  115: (m) => m.setItems([m.pop(), m.pop()].reverse()), // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  113: (m) => m.remember(m.u8()), // BINPUT
  114: (m) => m.remember(m.u32()), // LONG_BINPUT
  104: (m) => m.recall(m.u8()), // BINGET
  106: (m) => m.recall(m.u32()), // LONG_BINGET
  99: (m) => m.mention(`${m.line()}.${m.line()}`), // GLOBAL
  81: (m) => m.persistent(m.pop()), // BINPERSID
  82: (m) => m.call(m.pop(), m.pop()), // REDUCE
  98: (m) => m.build(m.pop()), // BUILD
};

/** The program's bytes, its stack, and the values that it keeps. */
class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  readonly #world: PickleWorld;
  readonly #stack: (PickleValue | typeof mark)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(bytes: Uint8Array, name: string, world: PickleWorld) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#name = name;
    this.#world = world;
  }

  fail(problem: string): never {
    return fail(where, `${this.#name}: ${problem} (before byte ${this.#at}): it is damaged, or no weights`);
  }

  checkProtocol(version: number): void {
    check(
      version === 2,
      where,
      () => `${this.#name}: it is of protocol ${version} but torch.save writes 2: save it by torch.save without another pickle_protocol`,
    );
  }

  u8(): number {
    return this.#view.getUint8(this.#at++);
  }

  u16(): number {
    return this.u8() + 256 * this.u8();
  }

  u32(): number {
    return this.u16() + 65536 * this.u16();
  }

  i32(): number {
    return this.u32() | 0;
  }

  f64(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8);
  }

  /** Two's complement, little-endian, of any length. */
  long(length: number): number {
    const bytes = this.#take(length);
    const isNegative = (bytes.at(-1) ?? 0) >= 128;
    const value = bytes.reduceRight((sum, byte) => 256 * sum + (isNegative ? 255 - byte : byte), 0);
    const signed = isNegative ? -value - 1 : value;
    return Number.isSafeInteger(signed) ? signed : this.fail("an integer of it is larger than any size");
  }

  text(length: number): string {
    return decodeUtf8(this.#take(length), `${this.#name}: a text`, where);
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const text = this.text(end < 0 ? this.fail("a name of it does not end") : end - this.#at);
    this.#at++;
    return text;
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    if (start + length > this.#bytes.length) this.fail(`${length} bytes of it go beyond its end`);
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    return value === undefined || typeof value === "symbol" ? this.fail("it takes a value where there is none") : value;
  }

  /** What lies above the last mark, which goes too. */
  popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) this.fail("it closes what it did not open");
    return this.#stack.splice(at).flatMap((value) => (typeof value === "symbol" ? [] : [value]));
  }

  #top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  remember(id: number): void {
    this.#memo.set(id, this.#top());
  }

  recall(id: number): void {
    const value = this.#memo.get(id);
    this.push(value === undefined ? this.fail(`it recalls value ${id}, which it did not keep`) : value);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) return this.fail("it appends to what is no list");
    for (const item of items) list.push(item);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) return this.fail("it sets keys of what is no dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  mention(name: string): void {
    check(
      this.#world.globals.has(name),
      where,
      () =>
        `${this.#name}: it asks for ${quote(name)}, but cria makes plain tensors of a pickle and nothing else: ${this.#world.wayOut(name)}`,
    );
    this.push(new PickleGlobal(name));
  }

  persistent(id: PickleValue): void {
    const value = id instanceof PickleTuple ? this.#world.persistent(id.items) : undefined;
    this.push(value ?? this.fail("it asks for a thing beside it that is no storage"));
  }

  call(args: PickleValue, callee: PickleValue): void {
    const make = callee instanceof PickleGlobal ? this.#world.globals.get(callee.name) : undefined;
    const value = args instanceof PickleTuple ? make?.(args.items) : undefined;
    const name = callee instanceof PickleGlobal ? callee.name : "what is no function";
    this.push(value ?? this.fail(`it calls ${name} in a way that torch.save does not`));
  }

  /** A state dict that a module made brings the versions of its classes along, on which no weight depends. */
  build(state: PickleValue): void {
    const isVersions = state instanceof Map && [...state.keys()].every((key) => key === "_metadata");
    if (!(this.#top() instanceof Map) || !isVersions) this.fail("it gives attributes to what is no state dict");
  }
}
