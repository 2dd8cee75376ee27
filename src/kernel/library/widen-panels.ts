// Panels that hold a weight's bits → panels of float32 or of pairs of bfloat16, a piece at a time in a thread's scratch: what a product in floats reads
// where the weight is quantised, or where 16-bit floats take long to load.
import { isQuantised, type Precision } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { type Builder, type Int, type Vec, whole } from "../language.ts";
import { elementsOf, type MatmulForm, panelBytes, panelWord } from "./pack.ts";
import { numbersOf, superblockWeights } from "./panel-layouts.ts";
import { panelWidth, scaled } from "./product.ts";
import { byteOf, signedByteOf } from "./quantised-bits.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, weightByteOf } from "./quantised-blocks.ts";
import { eachBlock, numbersBytes, type PanelBlock, quantisedPanelBytes, superblockBytes } from "./quantised-panels.ts";

/** A product's right factor, N columns and K rows, of the weight w [n, k] in form nt and w [k, n] in form nn. */
export interface WidenedSizes {
  readonly form: MatmulForm;
  readonly type: QuantisedType | HalfType;
  readonly n: number;
  readonly k: number;
  readonly precision: Precision;
}

/** 16-bit floats, for float32 words of the left factor. */
export type HalfType = "bf16" | "f16";

type QuantisedSizes = WidenedSizes & { readonly type: QuantisedType };

/** Panels of the right factor over a block of depth, which begins with a superblock or, in form nn, with a panel of the weight. */
export interface Piece {
  readonly firstPanel: Int;
  /** Panels at most; those that do not exist are left out. In form nn they begin with a superblock of the weight. */
  readonly panels: number;
  /** Where it begins, in words of the left factor. */
  readonly first: Int | number;
  readonly length: number;
}

/** What the depth of a block, in words of the left factor, is a multiple of. */
export function depthOfPiece(target: Target, { form, type, precision }: WidenedSizes): number {
  if (!isQuantised(type)) return 1;
  const elements = form === "nt" ? superblockWeights(type) : panelWidth(target);
  return Math.max(1, elements / elementsOf(precision));
}

/** What the number of panels is a multiple of. */
export function panelsOfPiece(target: Target, { form, type }: WidenedSizes): number {
  return form === "nt" || !isQuantised(type) ? 1 : Math.max(1, superblockWeights(type) / panelWidth(target));
}

/** Bytes of a widened panel. */
export function widenedPanelBytes(target: Target, length: number): number {
  return length * panelWidth(target) * 4;
}

/** Bytes of scratch for {@link widenPanels}: what it widens to comes behind what it needs meanwhile. */
export function widenBytes(target: Target, { type }: WidenedSizes, { panels, length }: Pick<Piece, "panels" | "length">): number {
  return scratchBytes(target, type) + panels * widenedPanelBytes(target, length);
}

function scratchBytes(target: Target, type: WidenedSizes["type"]): number {
  return isQuantised(type) ? numbersBytes(target, type) : 0;
}

/** Widens a piece. @returns where its first panel lies in scratch; the others follow. */
export function widenPanels(k: Builder, sizes: WidenedSizes, packed: Int, piece: Piece, scratch: Int): Int {
  const to = scratch.add(scratchBytes(k.target, sizes.type));
  const { type } = sizes;
  if (!isQuantised(type)) widenHalves(k, { ...sizes, type }, packed, piece, to);
  else if (sizes.form === "nt") widenColumns(k, { ...sizes, type }, packed, piece, { scratch, to });
  else widenRows(k, { ...sizes, type }, packed, piece, { scratch, to });
  return to;
}

/** A float32 for every 16-bit float, step by step; a pair of bfloat16 is two steps. */
function widenHalves(
  k: Builder,
  sizes: WidenedSizes & { readonly type: HalfType },
  packed: Int,
  { firstPanel, panels, first, length }: Piece,
  to: Int,
): void {
  const width = panelWidth(k.target);
  const steps = panelWord(sizes) === "f16" ? 1 : 2;
  const end = typeof first === "number" ? Math.min(sizes.k, length) : k.int(sizes.k).min(first.add(length));
  k.loop(firstPanel, firstPanel.add(panels).min(Math.ceil(sizes.n / width)), 1, (panel) => {
    const from = packed.add(panel.mul(panelBytes(k.target, sizes)));
    const target = k.copy(to.add(panel.sub(firstPanel).mul(widenedPanelBytes(k.target, length))));
    k.loop(first, end, steps, (step) => {
      const row = from.add(step.mul(width * 2));
      k.lanes(
        width,
        (at) => {
          if (steps === 1) return k.store(k.loadNarrow("f16", row, at), target, at);
          const pair = k.load(row, at);
          k.store(pair.shiftLeft(16), target, at);
          k.store(pair.and(k.intConstant(-0x10000)), target, at, width * 4);
        },
        k.target.tile.vectors,
      );
      target.bump(steps * width * 4);
    });
  });
}

interface Memory {
  readonly scratch: Int;
  readonly to: Int;
}

/** Form nt: panels of the weight become panels of the product. */
function widenColumns(
  k: Builder,
  sizes: QuantisedSizes,
  packed: Int,
  { firstPanel, panels, first, length }: Piece,
  { scratch, to }: Memory,
) {
  const { type, n, k: depth, precision } = sizes;
  const width = panelWidth(k.target);
  const vectors = k.target.tile.vectors;
  const bytes = quantisedPanelBytes(k.target, { type, k: depth });
  const per = elementsOf(precision);
  const step = superblockBytes(k.target, type);
  const words = superblockWeights(type) / per;
  const superblocks =
    typeof first === "number"
      ? depth / per / words
      : k
          .int(depth / per)
          .sub(first)
          .min(length)
          .div(words);
  const lastPanel = firstPanel.add(panels).min(Math.ceil(n / width));
  k.loop(firstPanel, lastPanel, 1, (panel) => {
    const from = packed.add(panel.mul(bytes)).add(typeof first === "number" ? (first / words) * step : first.div(words).mul(step));
    const target = k.copy(to.add(panel.sub(firstPanel).mul(widenedPanelBytes(k.target, length))));
    eachBlock(k, type, { first: from, last: from.add(scaled(superblocks, step)), vectors }, { scratch }, (block) => {
      for (let j = 0; j < vectors; j++) {
        const weights = weightsOf(k, type, block, j);
        for (let p = 0; p < blockWeights; p += per)
          k.store(wordOf(precision, weights, p), target, whole, ((p / per) * width + j * k.laneCount) * 4);
      }
      target.bump((blockWeights / per) * width * 4);
    });
  });
}

/** Form nn: the depth goes along the weight's rows, which are lanes in its panels, and so squares are transposed. */
function widenRows(k: Builder, sizes: QuantisedSizes, packed: Int, { firstPanel, panels, first, length }: Piece, { scratch, to }: Memory) {
  const { type, n: channels, k: rows, precision } = sizes;
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const vectors = k.target.tile.vectors;
  const per = elementsOf(precision);
  const bytes = quantisedPanelBytes(k.target, { type, k: channels });
  const step = superblockBytes(k.target, type);
  const firstSuperblock = firstPanel.mul(width).div(superblockWeights(type));
  const lastPanel = firstPanel.add(panels).min(channels / width);
  const superblocks = lastPanel.sub(firstPanel).mul(width).div(superblockWeights(type));
  const panelBytes = widenedPanelBytes(k.target, length);
  const firstRowPanel = typeof first === "number" ? k.int((first * per) / width) : first.mul(per).div(width);
  const lastRowPanel = firstRowPanel.add((length * per) / width).min(Math.ceil(rows / width));
  k.loop(firstRowPanel, lastRowPanel, 1, (rowPanel) => {
    const from = packed.add(rowPanel.mul(bytes)).add(firstSuperblock.mul(step));
    const target = k.copy(to.add(rowPanel.sub(firstRowPanel).mul((width / per) * width * 4)));
    eachBlock(k, type, { first: from, last: from.add(superblocks.mul(step)), vectors }, { scratch }, (block) => {
      for (let j = 0; j < vectors; j++) {
        const weights = weightsOf(k, type, block, j);
        for (let channel = 0; channel < blockWeights; channel += lanes) {
          const columns = k.transpose(weights.slice(channel, channel + lanes));
          const at = Math.floor(channel / width) * panelBytes + (channel % width) * 4;
          for (let row = 0; row < lanes; row += per)
            k.store(wordOf(precision, columns, row), target, whole, at + ((j * lanes + row) / per) * width * 4);
        }
      }
      target.bump((blockWeights / width) * panelBytes);
    });
  });
}

function wordOf(precision: Precision, weights: readonly Vec[], p: number): Vec {
  return precision === "bfloat16" ? weights[p]!.pairBf16(weights[p + 1]!) : weights[p]!;
}

/** The 32 weights of a block: scale · (byte − zero) + sign · minimum, in that order. */
function weightsOf(k: Builder, type: QuantisedType, block: PanelBlock, j: number): Vec[] {
  const { pieces, sign } = quantisedLayouts[type];
  const { isSigned, zero } = weightByteOf(k.target, type);
  const numbers = Array.from({ length: numbersOf(type) }, (_, i) => block.number(i, j));
  const quads = Array.from({ length: blockWeights / 4 }, (_, i) => block.quad(i, j));
  return Array.from({ length: blockWeights }, (_, p) => {
    const byte = isSigned ? signedByteOf(quads[p >> 2]!, p % 4) : byteOf(k, quads[p >> 2]!, p % 4);
    const piece = Math.floor((p * pieces) / blockWeights);
    const scale = numbers[piece]!;
    const value = (zero === 0 ? byte : byte.intSub(k.intConstant(zero))).toFloat().mul(scale);
    if (sign === 0) return value;
    const minimum = numbers[pieces + piece]!;
    return sign > 0 ? value.add(minimum) : value.sub(minimum);
  });
}
