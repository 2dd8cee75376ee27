// Elements whose bit is not set become −∞. Shapes: R rows, V columns.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { columnsOfBlock, eachRowBlock, type RowSizes } from "./row-blocks.ts";
import { rowAt } from "./rows.ts";

/** Bits of a word. */
const word = 32;

/** y may be x. Pointers: x [R, V], allowed i32 [R, ⌈V/32⌉], y [R, V]. */
export const maskLogits = kernel<RowSizes>("maskLogits", (k, sizes) => {
  const { x, allowed, y } = k.pointers("x", "allowed", "y");
  const words = Math.ceil(sizes.columns / word);
  const split = eachRowBlock(k, sizes, ({ row, block, start, size }) => {
    const bits = rowAt(rowAt(allowed, row, words), block, columnsOfBlock / word);
    const whole = Math.floor(size / word);
    k.loop(0, whole, 1, (i) => maskWord(k, word, start.add(i.mul(word * 4)), { x, y, bits: rowAt(bits, i, 1) }));
    if (size % word > 0) maskWord(k, size % word, start.add(whole * word * 4), { x, y, bits: bits.add(whole * 4) });
  });
  return split;
});

/** Masks the first `count` elements from `start` that belong to one word of bits. */
function maskWord(k: Builder, count: number, start: Int, { x, y, bits }: Readonly<Record<"x" | "y" | "bits", Int>>): void {
  const all = k.splat(bits);
  k.lanes(
    count,
    (at: Position) => {
      const isOut = all
        .shiftRight(at.offset / 4)
        .and(laneBits(k))
        .intEquals(k.intConstant(0));
      k.store(isOut.select(k.constant(Number.NEGATIVE_INFINITY), k.load(x.add(start), at)), y.add(start), at);
    },
    word / k.laneCount,
  );
}

/** 1, 2, 4, … : float32 of these exponents, converted. */
function laneBits(k: Builder): Vec {
  return k.atEntry("lane bits", () => k.iota().intAdd(k.intConstant(127)).shiftLeft(23).toInt());
}
