// The hidden channels of a gated feed-forward layer (Shazeer 2020, arXiv 2002.05202), act(x · gateᵀ) ⊙ (x · upᵀ), quantised for what reads them: they exist
// 32 at a time, in a thread's scratch.
// Shapes: m rows of k channels, n hidden channels.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel } from "../language.ts";
import { type ActivationName, activations } from "./activation-functions.ts";
import { panelWidth } from "./product.ts";
import { isSameLine, lineLayout, quantiseToLine } from "./quantise.ts";
import { blockWeights, type QuantisedType } from "./quantised-blocks.ts";
import { panelProduct, preparedBytes, type QuantisedSizes, rowsOfBlock, unitRows } from "./quantised-matmul.ts";
import { quantisedPanelBytes } from "./quantised-panels.ts";
import { type Live, rowAt, rowLimit } from "./rows.ts";

/** Sizes m, n and k, types and activation. */
export interface GatedSizes extends Live {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The types of both matrices; rows quantised for one must serve the other. */
  readonly gate: QuantisedType;
  readonly up: QuantisedType;
  /** The type of weights that the hidden channels meet. */
  readonly down: QuantisedType;
  readonly activation: ActivationName;
  /** β of Swish_β(x) = x · σ(βx). */
  readonly beta: number;
}

/** Whether there is a kernel: hidden channels are whole blocks, and both matrices read the same lines. */
export function isGated(target: Target, { n, gate, up }: Pick<GatedSizes, "n" | "gate" | "up">): boolean {
  return n % blockWeights === 0 && isSameLine(target, gate, up);
}

/** Pointers: lines of x, gate and up packed, lines of the hidden channels, and live where there are live rows. One unit per 48 rows and 32 channels. */
export const gatedLines = kernel<GatedSizes>("gatedLines", (k, sizes) => {
  const { lines, gate, up, hidden } = k.pointers("lines", "gate", "up", "hidden");
  const { m, n, down } = sizes;
  const limit = rowLimit(k, { rows: m, ...sizes });
  const { scratch, begin, end } = k.range();
  const blocks = Math.ceil(m / unitRows);
  const line = lineLayout(k.target, down, n);
  const [gates, ups] = [scratch, scratch.add(stripBytes)];
  k.loop(begin, end, 1, (unit) => {
    const rows = rowsOfBlock(unit.rem(blocks), limit);
    const strip = unit.div(blocks);
    for (const [type, w, to] of [
      [sizes.gate, gate, gates],
      [sizes.up, up, ups],
    ] as const)
      stripProduct(k, { ...sizes, type }, { lines, w, scratch: scratch.add(2 * stripBytes) }, { rows, strip, to });
    // Both loops wait for results of the last step of a row, so that rows of one pass each other and not those of both.
    k.loop(rows.first, rows.last, 1, (row) => {
      const at = row.sub(rows.first);
      gateStrip(k, sizes, rowAt(gates, at, blockWeights), rowAt(ups, at, blockWeights));
    });
    k.loop(rows.first, rows.last, 1, (row) => {
      const to = hidden.add(row.mul(line.bytes));
      quantiseToLine(k, down, rowAt(gates, row.sub(rows.first), blockWeights), {
        quants: to.add(strip.mul(blockWeights)),
        numbers: to.add(n).add(strip.mul(line.blockBytes)),
      });
    });
  });
  const prepared = Math.max(...[sizes.gate, sizes.up].map((type) => preparedBytes(k.target, { ...sizes, type })));
  return { units: blocks * (n / blockWeights), scratchBytes: 2 * stripBytes + prepared };
});

/** Bytes of 32 channels of a block's rows. */
const stripBytes = unitRows * blockWeights * 4;

/** The 32 channels of some rows: strip number `strip`, of which row `rows.first` goes to `to`. */
interface Strip {
  readonly rows: ReturnType<typeof rowsOfBlock>;
  readonly strip: Int;
  readonly to: Int;
}

function stripProduct(
  k: Builder,
  sizes: QuantisedSizes,
  { w, ...source }: { readonly lines: Int; readonly w: Int; readonly scratch: Int },
  { rows, strip, to }: Strip,
): void {
  const width = panelWidth(k.target);
  const panelBytes = quantisedPanelBytes(k.target, sizes);
  const stride = blockWeights * 4;
  for (let first = 0; first < blockWeights; first += width) {
    const panel = strip.mul(blockWeights / width).add(first / width);
    const base = to.add(first * 4).sub(rows.first.mul(stride));
    panelProduct(k, sizes, { rows, columns: width }, { ...source, w: w.add(panel.mul(panelBytes)) }, { base, stride });
  }
}

/** act(gate) ⊙ up in the place of the gate. */
function gateStrip(k: Builder, { activation, beta }: GatedSizes, gate: Int, up: Int): void {
  k.lanes(blockWeights, (at) => k.store(activations[activation].value(k, k.load(gate, at), beta).mul(k.load(up, at)), gate, at), 2);
}
