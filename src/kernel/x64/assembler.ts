// Instructions with physical registers → bytes: REX, VEX and EVEX prefixes, ModRM, SIB and displacements (Intel SDM, volume 2, chapter 2).
import { fail } from "../../base/index.ts";
import type { Op } from "../ir.ts";
import { type Encoding, type InstructionName, type OperandForm, type Row, rows, type Tuple } from "./encoding.ts";

/** [base + index + disp], registers by number. */
export interface Place {
  readonly base: number;
  readonly index?: number | undefined;
  readonly disp: number;
  /** One 32-bit element, repeated over the lanes. */
  readonly broadcast?: boolean | undefined;
}

/** A constant after the code, in 32-bit words: addressed from the instruction pointer. */
export interface Literal {
  readonly words: readonly number[];
  readonly broadcast?: boolean;
}

/** A place in the code that jumps go to, by number. */
export interface Label {
  readonly label: number;
}

/** A register's number or a constant's value, as the row says; or one of the above. */
export type Actual = number | Place | Literal | Label;

/** Bits of a vector operand. */
export type VectorLength = 128 | 256 | 512;

/** What an instruction has beside its operands. */
export interface Modifiers {
  /** Bits of `v` operands. */
  readonly length: VectorLength;
  /** A mask register, 1 to 7. */
  readonly mask?: number | undefined;
  /** Lanes outside the mask become zero. */
  readonly zeroing?: boolean | undefined;
}

/** Where an instruction's bytes lie, and which op it came from. */
export interface Assembled {
  readonly source: Op | undefined;
  readonly name: InstructionName;
  readonly operands: readonly Actual[];
  readonly modifiers: Modifiers;
  readonly start: number;
  readonly end: number;
}

/** One more than the largest integer of so many bytes. */
const limits: Readonly<Record<number, number>> = { 1: 2 ** 8, 4: 2 ** 32, 8: 2 ** 64 };

const rsp = 4;
const noRegister = 5;
const hasSib = 4;

/** Collects the bytes of one function: its instructions, jumps to labels, and a pool of constants behind them. */
export class Assembler {
  readonly #listing: Assembled[] | undefined;
  readonly #bytes: number[] = [];
  readonly #scheme: "VEX" | "EVEX";
  readonly #labels = new Map<number, number>();
  readonly #jumps: { readonly at: number; readonly label: number }[] = [];
  readonly #literals = new Map<string, { readonly words: readonly number[]; readonly uses: { at: number; next: number }[] }>();

  /**
   * @param scheme which of a row's encodings vectors take, where it has both.
   * @param listing is filled with the instructions, where somebody wants them.
   */
  constructor(scheme: "VEX" | "EVEX", listing?: Assembled[]) {
    this.#scheme = scheme;
    this.#listing = listing;
  }

  /** The next instruction is where jumps to `label` go. */
  mark({ label }: Label): void {
    this.#labels.set(label, this.#bytes.length);
  }

  emit(name: InstructionName, operands: readonly Actual[], modifiers: Modifiers): void {
    this.emitRow(rows[name], operands, modifiers, undefined);
  }

  /** @param source the op that it came from. */
  emitRow(row: Row, operands: readonly Actual[], modifiers: Modifiers, source: Op | undefined): void {
    const start = this.#bytes.length;
    const encoding = encodingOf(row, this.#scheme);
    const length = encoding.length as VectorLength | undefined;
    const fixed = length && length !== modifiers.length ? { ...modifiers, length } : modifiers;
    this.#instruction(row, encoding, operands, fixed);
    const end = this.#bytes.length;
    this.#listing?.push({ name: row.name, operands, modifiers: fixed, start, end, source });
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
    return new Uint8Array(this.#bytes);
  }

  #instruction(row: Row, encoding: Encoding, operands: readonly Actual[], modifiers: Modifiers): void {
    const values = valuesOf(encoding, operands);
    const { opcode, plusRegister, modrm, fields } = encoding;
    if (encoding.scheme === "VEX") this.#vex(encoding, values, modifiers.length);
    else if (encoding.scheme === "EVEX") this.#evex(encoding, values, modifiers);
    else this.#rex(encoding, values);
    for (const byte of opcode) this.#bytes.push(byte);
    if (plusRegister) this.#bytes[this.#bytes.length - 1]! |= values.reg & 7;
    const literal = modrm === undefined ? undefined : this.#modrm(values, displacementUnit(encoding, values.rm, modifiers.length));
    if (fields.is4 !== undefined) this.#bytes.push((operands[fields.is4] as number) << 4);
    for (const i of fields.constants) this.#constant(row.operands[i]!, operands[i]!);
    if (literal) literal.next = this.#bytes.length;
  }

  /** 0100WRXB, where any of its bits is set. */
  #rex({ w, plusRegister }: Encoding, { reg, rm }: Values): void {
    const x = indexExtension(rm);
    const b = baseExtension(rm);
    const byte = 0x40 | (w << 3) | (plusRegister ? reg >> 3 : ((reg >> 3) << 2) | (x << 1) | b);
    if (byte !== 0x40) this.#bytes.push(byte);
  }

  /** C5 RvvvvLpp, or C4 RXBmmmmm WvvvvLpp; R, X, B and vvvv are stored inverted. */
  #vex({ w, pp, map }: Encoding, { reg, rm, vvvv }: Values, length: VectorLength): void {
    const x = indexExtension(rm);
    const b = baseExtension(rm);
    const r = reg >> 3;
    const tail = ((~vvvv & 15) << 3) | (length === 256 ? 4 : 0) | pp;
    if (x === 0 && b === 0 && map === 1 && w === 0) this.#bytes.push(0xc5, ((r ^ 1) << 7) | tail);
    else this.#bytes.push(0xc4, ((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | map, (w << 7) | tail);
  }

  /** 62 RXBR'0mmm Wvvvv1pp zL'LbV'aaa; R, X, B, R', vvvv and V' are stored inverted. A register in rm has its bit 4 in X. */
  #evex(encoding: Encoding, { reg, rm, vvvv }: Values, { length, mask = 0, zeroing = false }: Modifiers): void {
    const x = typeof rm === "number" ? (rm >> 4) & 1 : indexExtension(rm);
    const b = baseExtension(rm) & 1;
    const ll = encoding.lengthIgnored ? 0 : length >> 8; // 128, 256, 512: 0, 1, 2
    const broadcast = isBroadcast(rm) ? 1 : 0;
    this.#bytes.push(
      0x62,
      ((((reg >> 3) & 1) ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | (((reg >> 4) ^ 1) << 4) | encoding.map,
      (encoding.w << 7) | ((~vvvv & 15) << 3) | 4 | encoding.pp,
      ((zeroing ? 1 : 0) << 7) | (ll << 5) | (broadcast << 4) | (((vvvv >> 4) ^ 1) << 3) | mask,
    );
  }

  /** mod reg rm, with SIB where there is an index or the base is rsp or r12; a displacement in units of `unit` where that fits a byte. */
  #modrm({ reg, rm }: Values, unit: number): { next: number } | undefined {
    const middle = (reg & 7) << 3;
    if (typeof rm === "number") this.#bytes.push(0xc0 | middle | (rm & 7));
    else if ("words" in rm) {
      this.#bytes.push(middle | noRegister);
      return this.#literal(rm);
    } else {
      const { base, index, disp } = rm;
      const sib = index !== undefined || (base & 7) === rsp;
      const small = disp % unit === 0 && Math.abs(disp / unit + 0.5) < 128;
      const mod = disp === 0 && (base & 7) !== noRegister ? 0 : small ? 1 : 2;
      this.#bytes.push((mod << 6) | middle | (sib ? hasSib : base & 7));
      if (sib) this.#bytes.push((((index ?? rsp) & 7) << 3) | (base & 7));
      if (mod > 0) this.#integer(mod === 1 ? disp / unit : disp, mod === 1 ? 1 : 4);
    }
    return undefined;
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
    const limit = limits[bytes]!;
    if (!(Number.isSafeInteger(value) && value >= -limit / 2 && value < limit)) fail("x64", `${value} does not fit ${bytes} bytes`);
    for (let i = 0; i < bytes; i++) this.#bytes.push((i < 4 ? value >> (8 * i) : Math.floor(value / 2 ** (8 * i))) & 255);
  }

  #patch32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.#bytes[at + i] = (value >> (8 * i)) & 255;
  }
}

/** What an instruction's fields hold. */
interface Values {
  readonly reg: number;
  readonly rm: number | Place | Literal;
  readonly vvvv: number;
}

function valuesOf({ fields, modrm }: Encoding, operands: readonly Actual[]): Values {
  const reg = typeof modrm === "number" ? modrm : fields.reg === undefined ? 0 : (operands[fields.reg] as number);
  const vvvv = fields.vvvv === undefined ? 0 : (operands[fields.vvvv] as number);
  return { reg, rm: fields.rm === undefined ? 0 : (operands[fields.rm] as Values["rm"]), vvvv };
}

/** The row's encoding of this scheme, or its only one. */
function encodingOf({ encodings }: Row, scheme: "VEX" | "EVEX"): Encoding {
  for (let i = 0; i < encodings.length; i++) if (encodings[i]!.scheme === scheme) return encodings[i]!;
  return encodings[0]!;
}

/** The fourth bit of an index. */
function indexExtension(rm: Values["rm"]): number {
  return typeof rm === "number" || (rm as Partial<Literal>).words !== undefined ? 0 : ((rm as Place).index ?? 0) >> 3;
}

/** The fourth bit of a base, or all upper bits of a register in its place. */
function baseExtension(rm: Values["rm"]): number {
  if (typeof rm === "number") return rm >> 3;
  return (rm as Partial<Literal>).words !== undefined ? 0 : (rm as Place).base >> 3;
}

function isBroadcast(rm: Values["rm"]): boolean {
  return typeof rm !== "number" && rm.broadcast === true;
}

function displacementUnit({ scheme, tuple }: Encoding, rm: Values["rm"], length: VectorLength): number {
  if (scheme !== "EVEX") return 1;
  if (isBroadcast(rm)) return 4;
  const { ofVector, bytes } = units[tuple ?? "FVM"];
  return (ofVector * length) / 8 + bytes;
}

/** What the one-byte displacement counts in: a part of the vector, or bytes. */
const units: Readonly<Record<Tuple, { readonly ofVector: number; readonly bytes: number }>> = {
  FV: { ofVector: 1, bytes: 0 },
  FVM: { ofVector: 1, bytes: 0 },
  HVM: { ofVector: 1 / 2, bytes: 0 },
  QVM: { ofVector: 1 / 4, bytes: 0 },
  T4: { ofVector: 0, bytes: 16 },
  T1S: { ofVector: 0, bytes: 4 },
  T1S16: { ofVector: 0, bytes: 2 },
  T1S8: { ofVector: 0, bytes: 1 },
};
