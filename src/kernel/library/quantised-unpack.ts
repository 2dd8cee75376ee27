// Rows of quantised weights as they lie in the file, widened to float32.
import type { Builder, Int, Vec } from "../language.ts";
import { BlockReader, blockWeights, halves, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";

/** Vectors that {@link unpackBlock} writes: quants, scales and minima of both halves. */
const unpackedVectors = 6;

/** A block of every superblock into memory, `stride` bytes from vector to vector: what cannot stay in lanes goes on from there. */
function unpackBlock({ layout }: Spans, reader: BlockReader, block: number, to: Int, stride: number): void {
  const { k } = reader;
  const put = (value: Vec, i: number) => k.store(value, to, { offset: i * stride, span: "full", copy: 0 });
  for (const half of halves) {
    put(layout.quants(reader, block, half), half);
    put(layout.scale(reader, block, half), 2 + half);
    put(layout.minimum?.(reader, block, half) ?? k.constant(0), 4 + half);
  }
}

/** Bytes of scratch that {@link widenQuantised} needs. */
export function widenScratchBytes(k: Builder): number {
  return unpackedVectors * k.laneCount * 4;
}

/** Writes a row of `depth` weights from `from` as float32 to `to`: w = scale · (q − zero) + sign · minimum, in that order. */
export function widenQuantised(
  k: Builder,
  { type, depth }: { readonly type: QuantisedType; readonly depth: number },
  from: Int,
  to: Int,
  scratch: Int,
): void {
  const spans = spansOf(type, depth);
  const together = k.laneCount / 4;
  const rest = spans.superblocksOfRow % together;
  const end = from.add((spans.superblocksOfRow - rest) * spans.superblockBytes);
  const y = k.copy(to);
  k.loop(from, end, together * spans.superblockBytes, (superblocks) => {
    widenSuperblocks(k, spans, { from: superblocks, count: together }, y, scratch);
    y.bump(together * spans.layout.blocks * blockWeights * 4);
  });
  if (rest > 0) widenSuperblocks(k, spans, { from: end, count: rest }, y, scratch);
}

interface Superblocks {
  readonly from: Int;
  readonly count: number;
}

function widenSuperblocks(k: Builder, spans: Spans, { from, count }: Superblocks, y: Int, scratch: Int): void {
  const reader = new BlockReader(k, spans, from, count);
  const { blocks } = spans.layout;
  for (let block = 0; block < blocks; block++) {
    unpackBlock(spans, reader, block, scratch, k.laneCount * 4);
    for (let part = 0; part < count; part++)
      widenBlock(k, spans, scratch.add(part * 16), y.add((part * blocks + block) * blockWeights * 4));
  }
}

/** @param part where the block's part of the first unpacked vector is. */
function widenBlock(k: Builder, { layout }: Spans, part: Int, to: Int): void {
  const vector = k.laneCount * 4;
  for (const half of halves) {
    const scale = k.splat(part, (2 + half) * vector);
    const minimum = k.splat(part, (4 + half) * vector).mul(k.constant(layout.sign));
    for (let i = 0; i < 16; i += k.laneCount) {
      const quants = k.loadNarrow("u8", part, undefined, half * vector + i);
      const value = quants.intSub(k.intConstant(layout.zero)).toFloat().mul(scale);
      k.store(layout.sign !== 0 ? value.add(minimum) : value, to, { offset: (half * 16 + i) * 4, span: "full", copy: 0 });
    }
  }
}
