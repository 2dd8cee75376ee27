// Weights of 2 to 8 bits as GGUF files hold them (ggml-common.h: block_q8_0, block_q4_0 and so on), one row per type.
// Blocks of 32 weights, one or eight of them a superblock. w = scale · (q − zero) + sign · minimum, where q, zero ≥ 0.
//
// Vectors are filled across superblocks: a part of four lanes belongs to one superblock, so scales are lanes too, and any width works alike.
import { check, didYouMean, elementLayouts, type QuantisedDType } from "../../base/index.ts";
import type { NarrowPart, Target } from "../ir.ts";
import type { Builder, Int, Vec } from "../language.ts";
import { bitOfBytes, bitsOfBytes, iq4Table, iq4Zero, nibbles, pairOfBits } from "./quantised-bits.ts";

/** A layout of weights in blocks that share scales. */
export type QuantisedType = QuantisedDType;

/** Weights of a block. */
export const blockWeights = 32;
/** Weights that share a part: half a block. */
export const halves = [0, 1] as const;
/** The first or the second half of a block. */
export type Half = (typeof halves)[number];

/** How a type of block says its weights: w = scale · (q − zero) + sign · minimum. */
export interface BlockLayout {
  /** Blocks of a superblock. */
  readonly blocks: 1 | 8;
  /** Pieces of a block that have a scale and a minimum each: all of it, or its halves. */
  readonly pieces: 1 | 2;
  /** The largest q. */
  readonly most: number;
  readonly zero: number;
  /** The sign of the minimum; 0 for types that have none. */
  readonly sign: -1 | 0 | 1;
  /** Four bytes q per lane. */
  quants(reader: BlockReader, block: number, half: Half): Vec;
  scale(reader: BlockReader, block: number, half: Half): Vec;
  minimum?(reader: BlockReader, block: number, half: Half): Vec;
}

const halfAt = (at: number) => (reader: BlockReader) => reader.elements("f16", at);

/** The types by name, with the bytes of a superblock as ggml-common.h has them. */
export const quantisedLayouts: Readonly<Record<QuantisedType, BlockLayout>> = {
  // d f16 · q i8[32]
  q8_0: {
    ...{ blocks: 1, pieces: 1, most: 255, zero: 128, sign: 0 },
    quants: (reader, _, half) => reader.bytes(2 + 16 * half).xor(reader.k.intConstant(0x80808080 | 0)),
    scale: halfAt(0),
  },
  // d f16 · q u4[32], byte i has weights i and 16 + i
  q4_0: {
    ...{ blocks: 1, pieces: 1, most: 15, zero: 8, sign: 0 },
    quants: (reader, _, half) => nibblesAt(reader, 2, half),
    scale: halfAt(0),
  },
  // d f16 · minimum f16 · q u4[32]
  q4_1: {
    ...{ blocks: 1, pieces: 1, most: 15, zero: 0, sign: 1 },
    quants: (reader, _, half) => nibblesAt(reader, 4, half),
    scale: halfAt(0),
    minimum: halfAt(2),
  },
  // d f16 · high bits u1[32] · low bits u4[32]
  q5_0: {
    ...{ blocks: 1, pieces: 1, most: 31, zero: 16, sign: 0 },
    quants: (reader, _, half) => nibblesAt(reader, 6, half).or(fifthBits(reader, 2 + 2 * half)),
    scale: halfAt(0),
  },
  // d f16 · minimum f16 · high bits u1[32] · low bits u4[32]
  q5_1: {
    ...{ blocks: 1, pieces: 1, most: 31, zero: 0, sign: 1 },
    quants: (reader, _, half) => nibblesAt(reader, 8, half).or(fifthBits(reader, 4 + 2 * half)),
    scale: halfAt(0),
    minimum: halfAt(2),
  },
  // d f16 · numbers u4[32] of values in a table
  iq4_nl: {
    ...{ blocks: 1, pieces: 1, most: 241, zero: iq4Zero, sign: 0 },
    quants: (reader, _, half) => nibblesAt(reader, 2, half).lookUp(iq4Table(iq4Zero)),
    scale: halfAt(0),
  },
  // 16 bytes of scale u4 and minimum u4 · q u2[256], 32 bytes have four blocks · d f16 · dmin f16
  q2_K: {
    ...{ blocks: 8, pieces: 2, most: 3, zero: 0, sign: -1 },
    quants: (reader, block, half) => pairsAt(reader, 16, block, half),
    scale: (reader, block, half) => scaled(reader, 80, reader.elements("u8", 2 * block + half).and(reader.k.intConstant(15))),
    minimum: (reader, block, half) => scaled(reader, 82, reader.elements("u8", 2 * block + half).shiftRight(4)),
  },
  // high bits u1[256], a byte has one of each block · low bits u2[256], 32 bytes have four blocks · 16 scales u6 in 12 bytes · d f16
  q3_K: {
    ...{ blocks: 8, pieces: 2, most: 7, zero: 4, sign: 0 },
    quants: (reader, block, half) => pairsAt(reader, 32, block, half).or(bitOfBytes(reader.k, reader.bytes(16 * half), block, 2)),
    scale(reader, block, half) {
      const i = 2 * block + half;
      const low = bitsAt(reader, 96 + (i % 8), i < 8 ? 0 : 4, 15);
      const high = bitsAt(reader, 104 + (i % 4), 2 * (i >> 2), 3).shiftLeft(4);
      return scaled(reader, 108, low.or(high).intSub(reader.k.intConstant(32)));
    },
  },
  // d f16 · dmin f16 · 8 scales and 8 minima u6 in 12 bytes · q u4[256], 32 bytes have two blocks
  q4_K: {
    ...{ blocks: 8, pieces: 1, most: 15, zero: 0, sign: -1 },
    quants: (reader, block, half) => nibblesAt(reader, 16 + 32 * (block >> 1) + 16 * half, block & 1),
    scale: (reader, block) => scaled(reader, 0, sixBits(reader, block, 0)),
    minimum: (reader, block) => scaled(reader, 2, sixBits(reader, block, 4)),
  },
  // d f16 · dmin f16 · 8 scales and 8 minima u6 in 12 bytes · high bits u1[256], a byte has one of each block · low bits as in q4_K
  q5_K: {
    ...{ blocks: 8, pieces: 1, most: 31, zero: 0, sign: -1 },
    quants: (reader, block, half) =>
      nibblesAt(reader, 48 + 32 * (block >> 1) + 16 * half, block & 1).or(bitOfBytes(reader.k, reader.bytes(16 + 16 * half), block, 4)),
    scale: (reader, block) => scaled(reader, 0, sixBits(reader, block, 0)),
    minimum: (reader, block) => scaled(reader, 2, sixBits(reader, block, 4)),
  },
  // low bits u4[256] · high bits u2[256] · scales i8[16] · d f16; half a superblock's low bits are 64 bytes, its high bits 32
  q6_K: {
    ...{ blocks: 8, pieces: 2, most: 63, zero: 32, sign: 0 },
    quants(reader, block, half) {
      const quarter = block & 3;
      const low = nibblesAt(reader, 64 * (block >> 2) + 32 * (quarter & 1) + 16 * half, quarter >> 1);
      return low.or(pairsAt(reader, 128, block, half).shiftLeft(4));
    },
    scale: (reader, block, half) => scaled(reader, 208, reader.elements("i8", 192 + 2 * block + half)),
  },
  // d f16 · high bits of 8 scales u2 · their low bits u4 · numbers u4[256] of values in a table, 16 bytes have a block
  iq4_xs: {
    ...{ blocks: 8, pieces: 1, most: 241, zero: iq4Zero, sign: 0 },
    quants: (reader, block, half) => nibblesAt(reader, 8 + 16 * block, half).lookUp(iq4Table(iq4Zero)),
    scale(reader, block) {
      const low = bitsAt(reader, 4 + (block >> 1), 4 * (block & 1), 15);
      const high = bitsAt(reader, 2 + (block >> 2), 2 * (block & 3), 3).shiftLeft(4);
      return scaled(reader, 0, low.or(high).intSub(reader.k.intConstant(32)));
    },
  },
};

/** Sixteen weights of four bits. */
function nibblesAt(reader: BlockReader, at: number, upper: number): Vec {
  return nibbles(reader.k, reader.bytes(at), upper);
}

/** Sixteen weights of two bits, where 32 bytes have those of four blocks. */
function pairsAt(reader: BlockReader, at: number, block: number, half: Half): Vec {
  return pairOfBits(reader.k, reader.bytes(at + 32 * (block >> 2) + 16 * half), block & 3);
}

/** Sixteen bits that lie together, as bit 4 of a byte each: lane i of a part has bits 4i to 4i + 3. */
function fifthBits(reader: BlockReader, at: number): Vec {
  const { k } = reader;
  // 2 ^ (12 − 4i), which moves a lane's bits to where all lanes can be shifted alike; of a float with this exponent.
  const places = k.atEntry("bits of a part's lanes", () =>
    k
      .intConstant(127 + 12)
      .intSub(k.iota().and(k.intConstant(3)).shiftLeft(2))
      .shiftLeft(23)
      .toInt(),
  );
  const ofLane = reader.elements("u16", at).intMul(places).shiftRight(12).and(k.intConstant(15));
  return ofLane.intMul(k.intConstant(bitsOfBytes << 4)).and(k.intConstant(0x10101010));
}

/** Bits of a byte. */
function bitsAt(reader: BlockReader, at: number, first: number, mask: number): Vec {
  return reader.elements("u8", at).shiftRight(first).and(reader.k.intConstant(mask));
}

/** An integer times the f16 at a place. */
function scaled(reader: BlockReader, at: number, value: Vec): Vec {
  return value.toFloat().mul(reader.elements("f16", at));
}

/**
 * The scale of a block (first = 0) or its minimum (first = 4), six bits each in twelve bytes b from byte 4 on: block j < 4 has the scale b[j] & 63 and the
 * minimum b[j + 4] & 63. What these leave, two bits each, are the upper bits of block j + 4; its lower four are in b[j + 8], the scale's below the minimum's.
 */
function sixBits(reader: BlockReader, block: number, first: 0 | 4): Vec {
  if (block < 4) return bitsAt(reader, 4 + first + block, 0, 63);
  const upper = bitsAt(reader, first + block, 6, 3).shiftLeft(4);
  return bitsAt(reader, 8 + block, first, 15).or(upper);
}

/** Reads blocks of as many superblocks as a vector has parts, everything once. */
export class BlockReader {
  readonly k: Builder;
  readonly #from: Int;
  /** Bytes to each part's superblock. */
  readonly #superblocks: readonly number[];
  readonly #known = new Map<string, Vec>();

  /** @param superblocks how many there are; parts beyond read the last one. */
  constructor(k: Builder, { superblockBytes }: Spans, from: Int, superblocks: number) {
    this.k = k;
    this.#from = from;
    this.#superblocks = Array.from({ length: k.laneCount / 4 }, (_, part) => Math.min(part, superblocks - 1) * superblockBytes);
  }

  /** Sixteen bytes per part. */
  bytes(at: number): Vec {
    return this.#once(`bytes ${at}`, () => this.k.loadParts(this.#from, this.#placesOf(at)));
  }

  /** One element per part. */
  elements(type: NarrowPart, at: number): Vec {
    return this.#once(`${type} ${at}`, () => this.k.splatParts(type, this.#from, this.#placesOf(at)));
  }

  #placesOf(at: number): number[] {
    return this.#superblocks.map((superblock) => superblock + at);
  }

  #once(key: string, make: () => Vec): Vec {
    const known = this.#known.get(key) ?? make();
    this.#known.set(key, known);
    return known;
  }
}

/** A weight's byte in a product: w = scale · (byte − zero) + sign · minimum. */
export interface WeightByte {
  readonly isSigned: boolean;
  readonly zero: number;
}

/** The byte is q, or q − zero where q has eight bits and the target prefers them signed. */
export function weightByteOf({ signedBytes }: Target, type: QuantisedType): WeightByte {
  const { most, zero } = quantisedLayouts[type];
  return signedBytes && most > 127 ? { isSigned: true, zero: 0 } : { isSigned: false, zero };
}

/** How a row's superblocks lie. */
export interface Spans {
  readonly layout: BlockLayout;
  readonly superblocksOfRow: number;
  readonly superblockBytes: number;
  readonly rowBytes: number;
}

/** @throws CriaError when the type is none of ours, or its superblocks do not divide a row of `depth` weights. */
export function spansOf(type: QuantisedType, depth: number): Spans {
  const layout = layoutOf(type);
  const weights = blockWeights * layout.blocks;
  check(depth > 0 && depth % weights === 0, "kernel", () => `${type}: rows of ${depth} weights, must be a multiple of ${weights}`);
  const superblocksOfRow = depth / weights;
  const { bytes: superblockBytes } = elementLayouts[type];
  return { layout, superblocksOfRow, superblockBytes, rowBytes: superblocksOfRow * superblockBytes };
}

function layoutOf(type: QuantisedType): BlockLayout {
  const types = Object.keys(quantisedLayouts);
  check(types.includes(type), "kernel", () => `quantised type "${type}"${didYouMean(type, types) || `: there is ${types.join(", ")}`}`);
  return quantisedLayouts[type];
}
