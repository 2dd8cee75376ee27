// Instructions with physical registers → bytes: REX, VEX and EVEX prefixes, ModRM, SIB and displacements (Intel SDM, volume 2, chapter 2).
import { check } from "../../base/index.ts";
import type { Op } from "../ir.ts";
import { type Encoding, type InstructionName, type OperandForm, type Row, rows } from "./encoding.ts";

/** [base + index + disp], registers by number. */
export interface Place {
  readonly base: number;
  readonly index?: number;
  readonly disp: number;
  /** One 32-bit element, repeated over the lanes. */
  readonly broadcast?: boolean;
}

/** A constant after the code, in 32-bit words: addressed from the instruction pointer. */
export interface Literal {
  readonly words: readonly number[];
  readonly broadcast?: boolean;
}

export interface Label {
  readonly label: number;
}

/** A register's number or a constant's value, as the row says; or one of the above. */
export type Actual = number | Place | Literal | Label;

export type VectorLength = 128 | 256 | 512;

export interface Modifiers {
  /** Bits of `v` operands. */
  readonly length: VectorLength;
  /** A mask register, 1 to 7. */
  readonly mask?: number;
  /** Lanes outside the mask become zero. */
  readonly zeroing?: boolean;
}

/** Where an instruction's bytes lie, and which op it came from. */
export interface Assembled {
  readonly source?: Op;
  readonly name: InstructionName;
  readonly operands: readonly Actual[];
  readonly modifiers: Modifiers;
  readonly start: number;
  readonly end: number;
}

const rsp = 4;
const noRegister = 5;
const hasSib = 4;

export class Assembler {
  readonly listing: Assembled[] = [];
  readonly #bytes: number[] = [];
  readonly #scheme: "VEX" | "EVEX";
  readonly #labels = new Map<number, number>();
  readonly #jumps: { readonly at: number; readonly label: number }[] = [];
  readonly #literals = new Map<string, { readonly words: readonly number[]; readonly uses: { at: number; next: number }[] }>();

  /** @param scheme which of a row's encodings vectors take, where it has both. */
  constructor(scheme: "VEX" | "EVEX") {
    this.#scheme = scheme;
  }

  /** The next instruction is where jumps to `label` go. */
  mark({ label }: Label): void {
    this.#labels.set(label, this.#bytes.length);
  }

  emit(name: InstructionName, operands: readonly Actual[], modifiers: Modifiers, source?: Op): void {
    const row = rows[name];
    const start = this.#bytes.length;
    const encoding = row.encodings.find(({ scheme }) => scheme === this.#scheme) ?? row.encodings[0]!;
    const length = (encoding.length ?? modifiers.length) as VectorLength;
    this.#instruction(row, encoding, operands, { ...modifiers, length });
    const end = this.#bytes.length;
    this.listing.push({ name, operands, modifiers: { ...modifiers, length }, start, end, ...(source ? { source } : {}) });
  }

  /** The code, jumps resolved, its constants behind it; it must be loaded at a multiple of 64. */
  finish(): Uint8Array {
    for (const { at, label } of this.#jumps) this.#patch32(at, this.#labels.get(label)! - (at + 4));
    // The longest first, so that each lies at a multiple of its size.
    for (const { words, uses } of [...this.#literals.values()].sort((a, b) => b.words.length - a.words.length)) {
      while (this.#bytes.length % Math.min(64, words.length * 4) !== 0) this.#bytes.push(0);
      for (const { at, next } of uses) this.#patch32(at, this.#bytes.length - next);
      for (const word of words) this.#integer(word, 4);
    }
    return Uint8Array.from(this.#bytes);
  }

  #instruction(row: Row, encoding: Encoding, operands: readonly Actual[], modifiers: Modifiers): void {
    const fields = assign(row, encoding, operands);
    if (encoding.scheme === "VEX") this.#vex(encoding, fields, modifiers.length);
    else if (encoding.scheme === "EVEX") this.#evex(encoding, fields, modifiers);
    else this.#rex(row, encoding, fields);
    const last = encoding.opcode.length - 1;
    encoding.opcode.forEach((byte, i) => this.#bytes.push(encoding.plusRegister && i === last ? byte | (fields.reg & 7) : byte));
    const literals = encoding.modrm === undefined ? [] : this.#modrm(fields, displacementUnit(encoding, fields.rm, modifiers.length));
    if (encoding.is4) this.#bytes.push(fields.is4 << 4);
    for (const { form, value } of fields.constants) this.#constant(form, value);
    for (const use of literals) use.next = this.#bytes.length;
  }

  /** 0100WRXB, where any of its bits is set. */
  #rex(row: Row, { w }: Encoding, { reg, rm }: Fields): void {
    const [x, b] = extensions(rm);
    const inOpcode = row.encodings[0]!.plusRegister;
    const byte = 0x40 | (w << 3) | (inOpcode ? reg >> 3 : ((reg >> 3) << 2) | (x << 1) | b);
    if (byte !== 0x40) this.#bytes.push(byte);
  }

  /** C5 RvvvvLpp, or C4 RXBmmmmm WvvvvLpp; R, X, B and vvvv are stored inverted. */
  #vex({ w, pp, map }: Encoding, { reg, rm, vvvv }: Fields, length: VectorLength): void {
    const [x, b] = extensions(rm);
    const r = reg >> 3;
    const tail = ((~vvvv & 15) << 3) | (length === 256 ? 4 : 0) | pp;
    if (x === 0 && b === 0 && map === 1 && w === 0) this.#bytes.push(0xc5, ((r ^ 1) << 7) | tail);
    else this.#bytes.push(0xc4, ((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | map, (w << 7) | tail);
  }

  /** 62 RXBR'0mmm Wvvvv1pp zL'LbV'aaa; R, X, B, R', vvvv and V' are stored inverted. A register in rm has its bit 4 in X. */
  #evex(encoding: Encoding, { reg, rm, vvvv }: Fields, { length, mask = 0, zeroing = false }: Modifiers): void {
    const [x, b] = typeof rm === "number" ? [(rm >> 4) & 1, (rm >> 3) & 1] : extensions(rm);
    const ll = encoding.lengthIgnored ? 0 : [128, 256, 512].indexOf(length);
    const broadcast = isBroadcast(rm) ? 1 : 0;
    this.#bytes.push(
      0x62,
      ((((reg >> 3) & 1) ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | (((reg >> 4) ^ 1) << 4) | encoding.map,
      (encoding.w << 7) | ((~vvvv & 15) << 3) | 4 | encoding.pp,
      ((zeroing ? 1 : 0) << 7) | (ll << 5) | (broadcast << 4) | (((vvvv >> 4) ^ 1) << 3) | mask,
    );
  }

  /** mod reg rm, with SIB where there is an index or the base is rsp or r12; a displacement in units of `unit` where that fits a byte. */
  #modrm({ reg, rm }: Fields, unit: number): { at: number; next: number }[] {
    const middle = (reg & 7) << 3;
    if (typeof rm === "number") this.#bytes.push(0xc0 | middle | (rm & 7));
    else if ("words" in rm) {
      this.#bytes.push(middle | noRegister);
      return [this.#literal(rm)];
    } else {
      const { base, index, disp } = rm;
      const sib = index !== undefined || (base & 7) === rsp;
      const small = disp % unit === 0 && Math.abs(disp / unit + 0.5) < 128;
      const mod = disp === 0 && (base & 7) !== noRegister ? 0 : small ? 1 : 2;
      this.#bytes.push((mod << 6) | middle | (sib ? hasSib : base & 7));
      if (sib) this.#bytes.push((((index ?? rsp) & 7) << 3) | (base & 7));
      if (mod > 0) this.#integer(mod === 1 ? disp / unit : disp, mod === 1 ? 1 : 4);
    }
    return [];
  }

  /** Four bytes to patch once the constants' places are known. */
  #literal({ words }: Literal): { at: number; next: number } {
    const key = words.join();
    const known = this.#literals.get(key) ?? { words, uses: [] };
    this.#literals.set(key, known);
    const use = { at: this.#bytes.length, next: 0 };
    known.uses.push(use);
    this.#integer(0, 4);
    return use;
  }

  #constant(form: OperandForm, value: Actual): void {
    if (form.label) {
      this.#jumps.push({ at: this.#bytes.length, label: (value as Label).label });
      this.#integer(0, 4);
    } else this.#integer(value as number, form.immediate! / 8);
  }

  /** Little-endian, two's complement. */
  #integer(value: number, bytes: number): void {
    const limit = 2 ** (8 * bytes);
    check(Number.isSafeInteger(value) && value >= -limit / 2 && value < limit, "x64", () => `${value} does not fit ${bytes} bytes`);
    for (let i = 0; i < bytes; i++) this.#bytes.push(Math.floor(value / 2 ** (8 * i)) & 255);
  }

  #patch32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.#bytes[at + i] = (value >> (8 * i)) & 255;
  }
}

/** Operands by where they lie in the instruction. */
interface Fields {
  readonly reg: number;
  readonly rm: number | Place | Literal;
  readonly vvvv: number;
  readonly is4: number;
  readonly constants: readonly { readonly form: OperandForm; readonly value: Actual }[];
}

/** The operand that may be memory is rm, or else the last register; vvvv is the second register of three, or of two beside an opcode digit. */
function assign(row: Row, { modrm, plusRegister, is4 }: Encoding, operands: readonly Actual[]): Fields {
  const all = row.operands.map((form, i) => ({ form, value: operands[i]! }));
  const constants = all.filter(({ form }) => form.immediate !== undefined || form.label);
  const places = all.filter((operand) => !constants.includes(operand));
  const last = is4 ? (places.pop()!.value as number) : 0;
  const fixed = { is4: last, constants };
  if (modrm === undefined) return { reg: plusRegister ? (places[0]!.value as number) : 0, rm: 0, vvvv: 0, ...fixed };
  const memory = places.find(({ form }) => form.memory !== undefined) ?? places.at(-1)!;
  const others = places.filter((operand) => operand !== memory).map(({ value }) => value as number);
  const rm = memory.value as Fields["rm"];
  if (modrm !== "r") return { reg: modrm, rm, vvvv: others[0] ?? 0, ...fixed };
  if (memory === places[0]) others.reverse(); // a store: vvvv comes before reg
  return { reg: others[0]!, rm, vvvv: others[1] ?? 0, ...fixed };
}

/** Fourth bits of index and base. */
function extensions(rm: Fields["rm"]): [x: number, b: number] {
  if (typeof rm === "number") return [0, rm >> 3];
  return "words" in rm ? [0, 0] : [(rm.index ?? 0) >> 3, rm.base >> 3];
}

function isBroadcast(rm: Fields["rm"]): boolean {
  return typeof rm !== "number" && rm.broadcast === true;
}

function displacementUnit({ scheme, tuple }: Encoding, rm: Fields["rm"], length: VectorLength): number {
  if (scheme !== "EVEX") return 1;
  return tuple === "T1S" || isBroadcast(rm) ? 4 : length / 8;
}
