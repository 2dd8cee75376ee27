// The key-value cache as pages that sequences share (Kwon et al. 2023, arXiv 2309.06180), as kernels reach it.
// Shapes: G pages of the pool, S sequences, P pages of a sequence, KV key and value heads, D channels of a head.
import { bytesOf } from "../../base/index.ts";
import type { Builder, Int, Vec } from "../language.ts";
import { eachStep, lineBytes, scaled } from "./product.ts";
import { blockWeights } from "./quantised-blocks.ts";

/** Layouts of pages. */
export type PoolType = "f32" | "f16" | "q8_0";

/** Sizes of a pool of pages, by the letters above. */
export interface PoolSizes {
  readonly type: PoolType;
  /** G, the pages of the pool. */
  readonly pages: number;
  /** S, the sequences that a run may have. */
  readonly slots: number;
  /** P, the pages that a sequence may have. */
  readonly pagesOfSlot: number;
  readonly kvHeads: number;
  /** D, the channels of a head; a multiple of 32 for q8_0. */
  readonly headDim: number;
}

/** Keys of a page. */
export const pageKeys = 64;
/** Bytes of a block of q8_0: a float16 scale, and 32 bytes. */
export const q8Bytes = 34;

/** Bytes of one head's keys in a page, or of its values. */
export function headBytes({ type, headDim }: Pick<PoolSizes, "type" | "headDim">): number {
  return bytesOf(type, [pageKeys, headDim]);
}

/** An int32 from memory, held within [0, below), so that no table leads outside of what it names. */
export function loadIndex(k: Builder, from: Int, below: number): Int {
  return k
    .loadInt(from)
    .max(0)
    .min(below - 1);
}

/** A key head in page number `index` of a sequence, which has a slot of the table of pages. */
export interface PagedHead {
  readonly slot: Int;
  readonly index: Int;
  readonly head: Int;
}

/** Where a page has a head's keys or values, in bytes from the start of the pool. */
export function headInPage(k: Builder, sizes: PoolSizes, table: Int, { slot, index, head }: PagedHead): Int {
  const page = loadIndex(k, table.add(slot.mul(sizes.pagesOfSlot).add(index).mul(4)), sizes.pages);
  return page.mul(sizes.kvHeads).add(head).mul(headBytes(sizes));
}

/** Bytes of a head's keys, or values, as float32. */
export function wideBytes({ headDim }: Pick<PoolSizes, "headDim">): number {
  return pageKeys * headDim * 4;
}

/** Bytes of scratch that {@link wideKeys} needs, the keys among them; none where they lie as float32. */
export function wideKeysScratch({ type, headDim }: Pick<PoolSizes, "type" | "headDim">): number {
  const scales = type === "q8_0" ? (headDim / blockWeights) * pageKeys * 4 : 0;
  return type === "f32" ? 0 : wideBytes({ headDim }) + scales;
}

/** A head's keys, or values, in a page, and where lies what is read next, and behind that, where it is to be prefetched. */
export interface HeadPlace {
  readonly base: Int;
  readonly next?: readonly Int[];
}

/** A head's keys of a page as float32 [D, 64]: where they lie, or widened into scratch. */
export function wideKeys(k: Builder, { type, headDim }: Pick<PoolSizes, "type" | "headDim">, from: HeadPlace, scratch: Int): HeadPlace {
  if (type === "f32") return from;
  if (type === "f16") widenHalves(k, headDim, from, scratch);
  else transposeQuantised(k, headDim, from, scratch, scratch.add(wideBytes({ headDim })));
  return { base: scratch };
}

/** Bytes of scratch that {@link wideValues} needs. */
export function wideValuesScratch({ type, headDim }: Pick<PoolSizes, "type" | "headDim">): number {
  return type === "f32" ? 0 : wideBytes({ headDim });
}

/** A head's first `count` values of a page as float32 [64, D]: where they lie, or widened into scratch. */
export function wideValues(
  k: Builder,
  { type, headDim }: Pick<PoolSizes, "type" | "headDim">,
  from: HeadPlace,
  count: Int,
  scratch: Int,
): HeadPlace {
  if (type === "f32") return from;
  if (type === "f16") widenHalves(k, headDim, from, scratch);
  else widenBlocks(k, from, count.mul(headDim / blockWeights), scratch);
  return { base: scratch };
}

/** How many bytes ahead of a place lies what is read next. */
function aheadOf({ base, next = [] }: HeadPlace): Int[] {
  return next.map((place) => place.sub(base));
}

/** A line of 32 float16 at a time. */
function widenHalves(k: Builder, headDim: number, from: HeadPlace, to: Int): void {
  const { base } = from;
  const ahead = aheadOf(from);
  const target = k.copy(to);
  k.loop(base, base.add(pageKeys * headDim * 2), lineBytes, (line) => {
    for (const bytes of ahead) k.prefetch(line.add(bytes));
    for (let i = 0; i < lineBytes / 2; i += k.laneCount)
      k.store(k.loadNarrow("f16", line, undefined, 2 * i), target, { offset: 4 * i, span: "full", copy: 0 });
    target.bump(2 * lineBytes);
  });
}

function widenBlocks(k: Builder, from: HeadPlace, blocks: Int, to: Int): void {
  const { base } = from;
  const ahead = aheadOf(from);
  const at = k.copy(to);
  k.loop(base, base.add(blocks.mul(q8Bytes)), q8Bytes, (block) => {
    for (const bytes of ahead) k.prefetch(block.add(bytes));
    const scale = k.splatParts("f16", block, Array<number>(k.laneCount / 4).fill(0));
    for (let i = 0; i < blockWeights; i += k.laneCount)
      k.store(
        k
          .loadNarrow("i8", block, undefined, 2 + i)
          .toFloat()
          .mul(scale),
        at,
        { offset: i * 4, span: "full", copy: 0 },
      );
    at.bump(blockWeights * 4);
  });
}

/**
 * Rows of blocks become columns: 64 keys of D channels as [D, 64]. Lanes of four bytes are transposed, so that a lane is a key and holds four of its
 * channels; its scale then is a lane too.
 */
function transposeQuantised(k: Builder, headDim: number, from: HeadPlace, to: Int, scales: Int): void {
  const { base } = from;
  const ahead = aheadOf(from);
  const blocks = headDim / blockWeights;
  storeScales(k, blocks, base, scales);
  const channels = k.laneCount * 4; // a vector holds so many bytes
  const blocksOfStep = Math.max(1, channels / blockWeights);
  k.loop(0, pageKeys, k.laneCount, (key) => {
    const keys = base.add(key.mul(blocks * q8Bytes));
    for (const bytes of ahead) prefetchLines(k, keys.add(bytes), k.laneCount * blocks * q8Bytes);
    eachStep(k, blocks, blocksOfStep, (count, first) => {
      const step = keys.add(scaled(first, q8Bytes));
      const target = to.add(key.mul(4)).add(scaled(first, blockWeights * pageKeys * 4));
      const scaleAt = scales.add(key.mul(4)).add(scaled(first, pageKeys * 4));
      for (let channel = 0; channel < count * blockWeights; channel += channels)
        transposeVector(
          k,
          { keyBytes: blocks * q8Bytes, channel, count: Math.min(channels, count * blockWeights - channel) },
          step,
          target,
          scaleAt,
        );
    });
  });
}

function prefetchLines(k: Builder, from: Int, bytes: number): void {
  for (let line = 0; line < bytes; line += lineBytes) k.prefetch(from, line);
}

/** Scales as float32 [D / 32, 64]. */
function storeScales(k: Builder, blocks: number, from: Int, to: Int): void {
  const block = k.copy(from);
  k.loop(to, to.add(pageKeys * 4), 4, (key) => {
    for (let b = 0; b < blocks; b++)
      k.storeScalar(k.loadNarrow("f16", block, { offset: 0, span: 1, copy: 0 }, b * q8Bytes), key, b * pageKeys * 4);
    block.bump(blocks * q8Bytes);
  });
}

/** Some channels of as many keys as there are lanes; a key has so many bytes. */
interface KeyChannels {
  readonly keyBytes: number;
  readonly channel: number;
  readonly count: number;
}

/** Writes channels as float32, by the scales of these keys. */
function transposeVector(k: Builder, { keyBytes, channel, count }: KeyChannels, from: Int, to: Int, scales: Int): void {
  const parts = Array.from({ length: k.laneCount / 4 }, (_, part) => byteAt(channel + ((16 * part) % count)));
  const rows = Array.from({ length: k.laneCount }, (_, key) => k.loadParts(from.add(key * keyBytes), parts));
  k.transpose(rows).forEach((four, i) => {
    const first = channel + 4 * i;
    if (4 * i >= count) return;
    const scale = k.load(scales, undefined, Math.floor(first / blockWeights) * pageKeys * 4);
    for (let byte = 0; byte < 4; byte++)
      k.store(byteOf(four, byte).toFloat().mul(scale), to, { offset: (first + byte) * pageKeys * 4, span: "full", copy: 0 });
  });
}

/** Where a row of blocks has the byte of a channel. */
function byteAt(channel: number): number {
  return Math.floor(channel / blockWeights) * q8Bytes + 2 + (channel % blockWeights);
}

/** A signed byte of every lane. */
function byteOf(lanes: Vec, byte: number): Vec {
  return (byte === 3 ? lanes : lanes.shiftLeft(24 - 8 * byte)).shiftRightSigned(24);
}
