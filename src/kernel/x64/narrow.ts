// Elements of 8 and 16 bits on x86-64: moves with their conversions, of tails too, and what stands in for a dot product of bytes.
import type { Narrow, Reg } from "../ir.ts";
import { narrowBytes } from "../narrow.ts";
import type { OpOf } from "../ops.ts";
import { type TailMove, tailMoves } from "../tail-moves.ts";
import type { Dialect, Emit } from "./dialect.ts";
import type { InstructionName } from "./encoding.ts";
import { type Address, addressOf, literalOf } from "./instruction.ts";

/** bf16 is loaded as u16. */
export type NarrowLoad = Exclude<Narrow, "bf16">;
/** Elements that a vector can be narrowed to. */
export type NarrowStore = Exclude<Narrow, "i8">;

/** `span` elements, of `lanes` a vector. */
export interface NarrowMoves {
  load(e: Emit, d: Reg, from: Address, span: number, type: NarrowLoad): void;
  store(e: Emit, a: Reg, to: Address, span: number, type: NarrowStore): void;
}

/** Reads as many elements as the vector has lanes. */
export const widening: Readonly<Record<NarrowLoad, InstructionName>> = {
  f16: "vcvtph2ps",
  u16: "vpmovzxwd",
  i8: "vpmovsxbd",
  u8: "vpmovzxbd",
};
const nearestEven = 0;

/** Moves that leave lanes out by masks. @param maskOf makes one of the first lanes. */
export function maskedMoves(lanes: number, maskOf: (e: Emit, span: number) => Reg): NarrowMoves {
  const tail = (e: Emit, span: number) => (span < lanes ? { mask: maskOf(e, span) } : {});
  return {
    load: (e, d, from, span, type) => e.emit(widening[type], [d, from], span < lanes ? { mask: maskOf(e, span), zeroing: true } : {}),
    store(e, a, to, span, type) {
      if (type === "f16") return e.emit("vcvtps2ph", [to, a, nearestEven], tail(e, span));
      if (type !== "bf16") return e.emit(type === "u16" ? "vpmovdw" : "vpmovdb", [to, a], tail(e, span));
      const half = e.register("vec");
      e.emit("vcvtneps2bf16", [half, a]);
      e.emit("vmovdqu16.store", [to, half], { length: 256, ...tail(e, span) });
    },
  };
}

/** AVX2, 8 lanes: what is less than a vector goes in a few moves, through the low half of a register. */
export const avx2Moves: NarrowMoves = {
  load(e, d, from, span, type) {
    if (span === 8) return e.emit(widening[type], [d, from]);
    const low = e.register("vec");
    loadTail(e, low, from, tailMoves(span * narrowBytes[type]));
    e.emit(widening[type], [d, low]);
  },

  store(e, a, to, span, type) {
    if (type === "f16" && span === 8) return e.emit("vcvtps2ph", [to, a, nearestEven]);
    const low = e.register("vec");
    if (type === "f16") e.emit("vcvtps2ph", [low, a, nearestEven]);
    else packLow(e, low, a, type === "u8" ? 1 : 2);
    const bytes = span * narrowBytes[type];
    if (bytes === 16) e.emit("vmovups.store", [to, low], { length: 128 });
    else for (const move of tailMoves(bytes)) storeMove(e, low, to, move);
  },
};

const inserts = { 1: "vpinsrb", 2: "vpinsrw", 4: "vpinsrd" } as const;
const extracts = { 1: "vpextrb", 2: "vpextrw", 4: "vpextrd" } as const;

function loadTail(e: Emit, d: Reg, from: Address, moves: readonly TailMove[]): void {
  if (moves[0]!.bytes < 4) e.emit("vxorps", [d, d, d]);
  for (const { offset, bytes } of moves) {
    const place = addressOf(from.base, from.index, from.disp + offset);
    if (offset === 0 && bytes >= 4) e.emit(bytes === 8 ? "vmovq" : "vmovss", [d, place], { length: 128 });
    else e.emit(inserts[bytes as keyof typeof inserts], [d, d, place, offset / bytes], { length: 128 });
  }
}

function storeMove(e: Emit, a: Reg, to: Address, { offset, bytes }: TailMove): void {
  const place = addressOf(to.base, to.index, to.disp + offset);
  if (bytes === 8) e.emit("vmovq.store", [place, a], { length: 128 });
  else e.emit(extracts[bytes], [place, a, offset / bytes], { length: 128 });
}

/** The low `size` bytes of each lane side by side: in both halves of the register first, then the halves together. */
function packLow(e: Emit, d: Reg, a: Reg, size: 1 | 2): void {
  const [packed, high] = [e.register("vec"), e.register("vec")];
  const order = size === 2 ? [0x05040100, 0x0d0c0908, 0, 0] : [0x0c080400, 0, 0, 0];
  e.emit("vpshufb", [packed, a, literalOf([...order, ...order])]);
  e.emit("vperm2f128", [high, packed, packed, 0x01]);
  if (size === 2) e.emit("vshufps", [d, packed, high, 0x44], { length: 128 });
  else e.emit("vunpcklps", [d, packed, high], { length: 128 });
}

/**
 * d = c + Σ a · b over bytes, a's unsigned, b's signed: where pairs of products fit 16 bits, pair by pair, else the even bytes, then the odd ones, as
 * numbers of 16 bits.
 */
export function dotBytes(e: Emit, dialect: Dialect, { d, a, b, c, most }: OpOf<"dotu8">): void {
  if (2 * most * 128 < 2 ** 15) return addPairs(e, dialect, { d, a, b, c });
  const [even, odd] = [e.register("vec"), e.register("vec")];
  e.emit(dialect.names.vand, [even, a, dialect.literal(0x00ff00ff)]);
  e.emit("vpsrlw", [odd, a, 8]);
  addEvenAndOdd(e, { even, odd }, { d, b, c });
}

/** The same with signed bytes in a: the sign is moved to b, where there is an instruction for that. */
export function dotSignedBytes(e: Emit, dialect: Dialect, { d, a, b, c }: OpOf<"dots8">): void {
  if (dialect.scheme === "VEX") {
    const turned = e.register("vec");
    const magnitude = e.shared("vpabsb", a);
    e.emit("vpsignb", [turned, b, a]);
    return addPairs(e, dialect, { d, a: magnitude, b: turned, c });
  }
  addEvenAndOdd(e, signedHalves(e, a), { d, b, c });
}

type Operands = Pick<OpOf<"dots8">, "d" | "a" | "b" | "c">;

/** Adds products of bytes of which two fit 16 bits: a's unsigned, b's signed. */
function addPairs(e: Emit, { lanes }: Dialect, { d, a, b, c }: Operands): void {
  const [pairs, fours] = [e.register("vec"), e.register("vec")];
  e.emit("vpmaddubsw", [pairs, a, b]);
  e.emit("vpmaddwd", [fours, pairs, literalOf(Array<number>(lanes).fill(0x00010001))]);
  e.emit("vpaddd", [d, c, fours]);
}

/** Bytes as numbers of 16 bits. */
interface Halves {
  readonly even: Reg;
  readonly odd: Reg;
}

function signedHalves(e: Emit, bytes: Reg): Halves {
  const [even, odd] = [e.register("vec"), e.register("vec")];
  e.emit("vpsllw", [even, bytes, 8]);
  e.emit("vpsraw", [even, even, 8]);
  e.emit("vpsraw", [odd, bytes, 8]);
  return { even, odd };
}

function addEvenAndOdd(e: Emit, a: Halves, { d, b, c }: Omit<Operands, "a">): void {
  const [sum, right] = [e.register("vec"), signedHalves(e, b)];
  e.emit("vpmaddwd", [right.even, a.even, right.even]);
  e.emit("vpmaddwd", [right.odd, a.odd, right.odd]);
  e.emit("vpaddd", [sum, right.even, right.odd]);
  e.emit("vpaddd", [d, c, sum]);
}
