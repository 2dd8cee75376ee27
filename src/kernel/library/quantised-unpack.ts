// Rows of quantised weights as they lie in the file, widened to float32.
import type { Builder, Int, Vec } from "../language.ts";
import { type BlockPlace, BlockReader, blockWeights, halves, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";

/** Vectors that {@link unpackGroup} writes: quants of both halves, scales of both, the minimum. */
const unpackedVectors = 5;

/** Everything there is to know of a group's blocks into memory, `stride` bytes from vector to vector: what cannot stay in lanes goes on from there. */
function unpackGroup(spans: Spans, reader: BlockReader, places: readonly BlockPlace[], to: Int, stride: number): void {
  const { layout } = spans;
  const { k } = reader;
  const put = (value: Vec, i: number) => k.store(value, to, { offset: i * stride, span: "full", copy: 0 });
  for (const half of halves) put(layout.quants(reader, places, half), half);
  const first = layout.scale(reader, places, 0);
  put(first, 2);
  put(layout.scaleOfHalf ? layout.scale(reader, places, 1) : first, 3);
  put(layout.minimum?.(reader, places) ?? k.constant(0), 4);
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
  const spans = spansOf(k.target, type, depth);
  const weights = spans.superblocks * spans.blocksOfSuperblock * blockWeights;
  const rest = spans.superblocksOfRow % spans.superblocks;
  const end = from.add((spans.superblocksOfRow - rest) * spans.superblockBytes);
  const y = k.copy(to);
  k.loop(from, end, spans.superblocks * spans.superblockBytes, (superblocks) => {
    dequantiseSpan(k, spans, { from: superblocks, superblocks: spans.superblocks }, y, scratch);
    y.bump(weights * 4);
  });
  if (rest > 0) dequantiseSpan(k, spans, { from: end, superblocks: rest }, y, scratch);
}

interface Span {
  readonly from: Int;
  readonly superblocks: number;
}

function dequantiseSpan(k: Builder, spans: Spans, { from, superblocks }: Span, y: Int, scratch: Int): void {
  const reader = new BlockReader(k, spans, from, superblocks);
  for (const places of spans.groups) {
    unpackGroup(spans, reader, places, scratch, k.laneCount * 4);
    places.forEach(({ superblock, block }, part) => {
      const to = y.add((superblock * spans.blocksOfSuperblock + block) * blockWeights * 4);
      if (superblock < superblocks) dequantiseBlock(k, spans, scratch.add(part * 16), to);
    });
  }
}

/** @param part where the block's part of the first unpacked vector is. */
function dequantiseBlock(k: Builder, { layout }: Spans, part: Int, to: Int): void {
  const vector = k.laneCount * 4;
  for (const half of halves) {
    const scale = k.splat(part, (2 + half) * vector);
    const minimum = k.splat(part, 4 * vector).mul(k.constant(layout.sign));
    for (let i = 0; i < 16; i += k.laneCount) {
      const quants = k.loadNarrow("u8", part, undefined, half * vector + i);
      const value = quants.intSub(k.intConstant(layout.zero)).toFloat().mul(scale);
      k.store(layout.sign !== 0 ? value.add(minimum) : value, to, { offset: (half * 16 + i) * 4, span: "full", copy: 0 });
    }
  }
}
