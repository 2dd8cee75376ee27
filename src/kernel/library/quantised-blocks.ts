// Weights of 4 to 8 bits as GGUF files hold them (ggml-common.h: block_q8_0, block_q4_0, block_q4_1, block_q4_K, block_q6_K), one row per type.
// Blocks of 32 weights, one or eight of them a superblock. w = scale · (q − zero) + sign · minimum, where q, zero ≥ 0.
//
// Vectors are filled across blocks: a part of four lanes belongs to one block, so scales are lanes too, and any width works alike.
import { check, didYouMean, elementLayouts, type QuantisedDType } from "../../base/index.ts";
import type { NarrowPart, Target } from "../ir.ts";
import { type Builder, type Int, type Vec, whole } from "../language.ts";

/** A layout of weights in blocks that share scales. */
export type QuantisedType = QuantisedDType;

/** Weights of a block. */
export const blockWeights = 32;
/** Weights that share a part: half a block. */
export const halves = [0, 1] as const;
/** The first or the second half of a block. */
export type Half = (typeof halves)[number];

/** A block of a span of superblocks. */
export interface BlockPlace {
  readonly superblock: number;
  readonly block: number;
}

/** How a type of block says its weights: w = scale · (q − zero) + sign · minimum. */
export interface BlockLayout {
  /** Bits of q. */
  readonly bits: 4 | 6 | 8;
  /** Blocks of a superblock, those together whose bits lie alike. */
  readonly alike: readonly (readonly number[])[];
  readonly zero: number;
  /** Whether each half of a block has a scale of its own. */
  readonly scaleOfHalf: boolean;
  /** The sign of the minimum; 0 for types that have none. */
  readonly sign: -1 | 0 | 1;
  /** Four bytes q per lane. */
  quants(reader: BlockReader, places: readonly BlockPlace[], half: Half): Vec;
  scale(reader: BlockReader, places: readonly BlockPlace[], half: Half): Vec;
  minimum?(reader: BlockReader, places: readonly BlockPlace[]): Vec;
}

/** The types by name, with the bytes of a block as ggml-common.h has them. */
export const quantisedLayouts: Readonly<Record<QuantisedType, BlockLayout>> = {
  // d f16 · q i8[32]
  q8_0: {
    ...{ bits: 8, alike: [[0]], zero: 128, scaleOfHalf: false, sign: 0 },
    quants: (reader, places, half) => reader.bytes(places, () => 2 + 16 * half).xor(reader.k.intConstant(0x80808080 | 0)),
    scale: (reader, places) => reader.elements("f16", places, () => 0),
  },
  // d f16 · q u4[32], byte i has weights i and 16 + i
  q4_0: {
    ...{ bits: 4, alike: [[0]], zero: 8, scaleOfHalf: false, sign: 0 },
    quants: (reader, places, half) => nibbles(reader, places, () => 2, half),
    scale: (reader, places) => reader.elements("f16", places, () => 0),
  },
  // d f16 · minimum f16 · q u4[32]
  q4_1: {
    ...{ bits: 4, alike: [[0]], zero: 0, scaleOfHalf: false, sign: 1 },
    quants: (reader, places, half) => nibbles(reader, places, () => 4, half),
    scale: (reader, places) => reader.elements("f16", places, () => 0),
    minimum: (reader, places) => reader.elements("f16", places, () => 2),
  },
  // d f16 · dmin f16 · 8 scales and 8 minima u6 in 12 bytes · q u4[256], 32 bytes have two blocks
  q4_K: {
    ...{ bits: 4, zero: 0, scaleOfHalf: false, sign: -1 },
    alike: [
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ],
    quants: (reader, places, half) => nibbles(reader, places, (block) => 16 + 32 * (block >> 1) + 16 * half, places[0]!.block & 1),
    scale: (reader, places) => sixBits(reader, places, scales, 0),
    minimum: (reader, places) => sixBits(reader, places, minima, 2),
  },
  // low bits u4[256] · high bits u2[256] · scales i8[16] · d f16; half a superblock's low bits are 64 bytes, its high bits 32
  q6_K: {
    ...{ bits: 6, zero: 32, scaleOfHalf: true, sign: 0 },
    alike: [
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
    ],
    quants(reader, places, half) {
      const quarter = places[0]!.block & 3;
      const low = nibbles(reader, places, (block) => 64 * (block >> 2) + 32 * (quarter & 1) + 16 * half, quarter >> 1);
      const high = reader.bytes(places, (block) => 128 + 32 * (block >> 2) + 16 * half);
      const moved = quarter < 2 ? high.shiftLeft(4 - 2 * quarter) : high.shiftRight(2 * quarter - 4);
      return low.or(moved.and(reader.k.intConstant(0x30303030)));
    },
    scale: (reader, places, half) =>
      reader
        .elements("i8", places, (block) => 192 + 2 * block + half)
        .toFloat()
        .mul(reader.elements("f16", places, () => 208)),
  },
};

function nibbles(reader: BlockReader, places: readonly BlockPlace[], at: (block: number) => number, upper: number): Vec {
  const bytes = reader.bytes(places, at);
  return (upper ? bytes.shiftRight(4) : bytes).and(reader.k.intConstant(0x0f0f0f0f));
}

/** Numbers of 6 bits of blocks of one superblock, times the f16 at `factor`. */
function sixBits(reader: BlockReader, places: readonly BlockPlace[], unpack: SixBits, factor: number): Vec {
  const first = reader.k.laneCount === 4 ? places[0]!.block & 4 : 0;
  const make = () => {
    const scale = reader.elements("f16", places, () => factor);
    return unpack(reader, first).toFloat().mul(scale);
  };
  return reader.once(`six bits ${factor} ${first}`, make).spread(places.map(({ block }) => block - first));
}

/** Lane i is of block first + i. */
type SixBits = (reader: BlockReader, first: number) => Vec;

// Twelve bytes b hold scales and minima: block j < 4 has the scale b[j] & 63 and the minimum b[j + 4] & 63. What these leave, two bits each, are the upper bits of
// block j + 4; its lower four are in b[j + 8], the scale's below the minimum's.

const scales: SixBits = (reader, first) =>
  lowerOrUpper(
    reader.k,
    first,
    () => scaleBytes(reader, first + 4).and(reader.k.intConstant(63)),
    () =>
      scaleBytes(reader, first + 8)
        .and(reader.k.intConstant(15))
        .or(upperBits(scaleBytes(reader, first))),
  );

const minima: SixBits = (reader, first) =>
  lowerOrUpper(
    reader.k,
    first,
    () => scaleBytes(reader, first + 8).and(reader.k.intConstant(63)),
    () =>
      scaleBytes(reader, first + 8)
        .shiftRight(4)
        .or(upperBits(scaleBytes(reader, first + 4))),
  );

function scaleBytes(reader: BlockReader, at: number): Vec {
  return reader.once(`bytes ${at}`, () => reader.k.loadNarrow("u8", reader.from, whole, at));
}

function upperBits(bytes: Vec): Vec {
  return bytes.shiftRight(2).and(bytes.k.intConstant(0x30));
}

/** What belongs to blocks 0 to 3 or to blocks 4 to 7, or to both where there are lanes for eight. */
function lowerOrUpper(k: Builder, first: number, lower: () => Vec, upper: () => Vec): Vec {
  if (k.laneCount === 4) return first === 0 ? lower() : upper();
  const isLower = k.atEntry("lower blocks", () => k.iota().intLess(k.intConstant(4)));
  return isLower.select(lower(), upper());
}

/** Reads blocks of a span of superblocks, everything once. */
export class BlockReader {
  readonly k: Builder;
  readonly from: Int;
  readonly #bytes: number;
  readonly #superblocks: number;
  readonly #known = new Map<string, Vec>();

  /** @param superblocks how many there are; places beyond read the last one. */
  constructor(k: Builder, { superblockBytes }: Spans, from: Int, superblocks: number) {
    this.k = k;
    this.from = from;
    this.#bytes = superblockBytes;
    this.#superblocks = superblocks;
  }

  /** Sixteen bytes per part. */
  bytes(places: readonly BlockPlace[], at: (block: number) => number): Vec {
    const offsets = this.#offsets(places, at);
    return this.once(`bytes ${offsets}`, () => this.k.loadParts(this.from, offsets));
  }

  /** One element per part. */
  elements(type: NarrowPart, places: readonly BlockPlace[], at: (block: number) => number): Vec {
    const offsets = this.#offsets(places, at);
    return this.once(`${type} ${offsets}`, () => this.k.splatParts(type, this.from, offsets));
  }

  once(key: string, make: () => Vec): Vec {
    const known = this.#known.get(key) ?? make();
    this.#known.set(key, known);
    return known;
  }

  #offsets(places: readonly BlockPlace[], at: (block: number) => number): number[] {
    return places.map(({ superblock, block }) => Math.min(superblock, this.#superblocks - 1) * this.#bytes + at(block));
  }
}

/** How a row's superblocks are walked: so many at once that every vector is filled. */
export interface Spans {
  readonly layout: BlockLayout;
  readonly superblocksOfRow: number;
  readonly superblocks: number;
  /** Blocks that share a vector, a place a part. */
  readonly groups: readonly (readonly BlockPlace[])[];
  readonly blocksOfSuperblock: number;
  readonly superblockBytes: number;
  readonly rowBytes: number;
}

/** @throws CriaError when the type is none of ours, or its superblocks do not divide a row of `depth` weights. */
export function spansOf(target: Target, type: QuantisedType, depth: number): Spans {
  const layout = layoutOf(type);
  const blocksOfSuperblock = layout.alike.flat().length;
  const weights = blockWeights * blocksOfSuperblock;
  check(depth > 0 && depth % weights === 0, "kernel", () => `${type}: rows of ${depth} weights, must be a multiple of ${weights}`);
  const parts = target.lanes / 4;
  const superblocks = Math.max(1, parts / layout.alike[0]!.length);
  const groups = layout.alike.flatMap((blocks) => {
    const places = Array.from({ length: superblocks }, (_, superblock) => blocks.map((block) => ({ superblock, block }))).flat();
    return Array.from({ length: places.length / parts }, (_, i) => places.slice(i * parts, (i + 1) * parts));
  });
  const superblocksOfRow = depth / weights;
  const { bytes: superblockBytes } = elementLayouts[type];
  const rowBytes = superblocksOfRow * superblockBytes;
  return { layout, superblocksOfRow, superblocks, groups, blocksOfSuperblock, superblockBytes, rowBytes };
}

function layoutOf(type: QuantisedType): BlockLayout {
  const types = Object.keys(quantisedLayouts);
  check(types.includes(type), "kernel", () => `quantised type "${type}"${didYouMean(type, types) || `: there is ${types.join(", ")}`}`);
  return quantisedLayouts[type];
}
