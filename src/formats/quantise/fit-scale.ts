// Scales of a block with the least squared error Σ w · (x − x̂)². For quants that are given, the best scale and minimum follow by least squares, and
// so does their error, from a few sums. Which quants are best is searched: those to which scales around the largest value's round are tried (as
// ggml-quants.c does, whose weights are others), and those of the best fit so far as long as they become better.

/** The values of a block and what their squared errors count. */
export interface Weighted {
  readonly values: Float32Array;
  readonly weights: Float32Array;
  /** Where the block begins in both, and how many values it has. */
  readonly from: number;
  readonly count: number;
}

/** x̂ = scale · q − minimum. */
export interface Scales {
  readonly scale: number;
  readonly minimum: number;
}

/** Scales, and what follows for the quants that they were fitted to. */
export interface Fit extends Scales {
  /** How much of Σ w · x² is explained. */
  readonly gain: number;
  /** Σ w · q² and Σ w: how fast the error grows with the squares of the scale's and the minimum's own errors. */
  readonly scaleWeight: number;
  readonly minimumWeight: number;
}

/** Which quants there are, and which of them the value that is furthest from zero becomes. */
export interface QuantRange {
  readonly least: number;
  readonly most: number;
  readonly end: number;
}

/** The search cuts the range of the values into so many steps more than there are quants, or fewer. */
const shifts = Array.from({ length: 9 }, (_, i) => (i - 4) / 4);
/** Most times that quants are taken anew from the best fit; one or two are usual. */
const mostRounds = 4;

const none: Fit = { scale: 0, minimum: 0, gain: 0, scaleWeight: 0, minimumWeight: 0 };
/** What a refit found: one record for all of them, as there are hundreds per super-block. */
const trial = { ...none };

/** The best scale and minimum, neither of them negative, for quants of 0 to `most`. */
export function fitWithMinimum(block: Weighted, most: number): Fit {
  const sums = sumsOf(block);
  const span = sums.greatest - sums.least;
  if (span <= 0) return { ...none, minimum: -sums.least, minimumWeight: sums.w };
  return search(
    (shift) => span / (most + shift),
    -sums.least,
    (scale, minimum) => refitWithMinimum(block, sums, scale, minimum, most),
  );
}

/** The best scale, of either sign, without a minimum. */
export function fitAroundZero(block: Weighted, range: QuantRange): Fit {
  const largest = largestOf(block);
  if (largest === 0) return none;
  return search(
    (shift) => largest / (range.end + Math.sign(range.end) * shift),
    0,
    (scale) => refitAroundZero(block, scale, range),
  );
}

/** @param refit leaves what it finds in {@link trial} */
function search(scaleFor: (shift: number) => number, minimum: number, refit: (scale: number, minimum: number) => void): Fit {
  let best: Fit = { ...none, scale: scaleFor(0), minimum, gain: Number.NEGATIVE_INFINITY };
  for (const shift of shifts) {
    refit(scaleFor(shift), minimum);
    if (trial.gain > best.gain) best = { ...trial };
  }
  for (let round = 0; round < mostRounds; round++) {
    refit(best.scale, best.minimum);
    if (!(trial.gain > best.gain)) break;
    best = { ...trial };
  }
  return best;
}

/** What does not depend on the quants. The least of values that are all positive counts as zero, as no minimum is negative. */
interface Sums {
  readonly least: number;
  readonly greatest: number;
  readonly w: number;
  readonly wx: number;
}

function sumsOf({ values, weights, from, count }: Weighted): Sums {
  let [least, greatest, w, wx] = [0, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = from; i < from + count; i++) {
    least = Math.min(least, values[i]!);
    greatest = Math.max(greatest, values[i]!);
    w += weights[i]!;
    wx += weights[i]! * values[i]!;
  }
  return { least, greatest, w, wx };
}

/** Finds the best scales for the quants to which the given ones round; no gain where there are none. */
function refitWithMinimum({ values, weights, from, count }: Weighted, { w, wx }: Sums, scale: number, minimum: number, most: number): void {
  const inverse = 1 / scale;
  let [wq, wqq, wqx] = [0, 0, 0];
  for (let i = from; i < from + count; i++) {
    const q = Math.max(0, Math.min((values[i]! + minimum) * inverse + 0.5, most)) | 0;
    const weighted = weights[i]! * q;
    wq += weighted;
    wqq += weighted * q;
    wqx += weighted * values[i]!;
  }
  trial.gain = Number.NEGATIVE_INFINITY;
  const determinant = w * wqq - wq * wq;
  if (!(determinant > 0)) return;
  let d = (w * wqx - wx * wq) / determinant;
  let m = (wqx * wq - wqq * wx) / determinant;
  if (m < 0) [d, m] = [wqx / wqq, 0];
  if (!(d > 0)) return;
  trial.scale = d;
  trial.minimum = m;
  trial.gain = 2 * (d * wqx - m * wx + d * m * wq) - d * d * wqq - m * m * w;
  trial.scaleWeight = wqq;
  trial.minimumWeight = w;
}

function largestOf({ values, from, count }: Weighted): number {
  let largest = 0;
  for (let i = from; i < from + count; i++) if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  return largest;
}

function refitAroundZero({ values, weights, from, count }: Weighted, scale: number, { least, most }: QuantRange): void {
  const inverse = 1 / scale;
  let [wqq, wqx] = [0, 0];
  for (let i = from; i < from + count; i++) {
    // Counted from the least one on, as cutting off rounds down from zero on alone.
    const q = (Math.max(0, Math.min(values[i]! * inverse + 0.5 - least, most - least)) | 0) + least;
    const weighted = weights[i]! * q;
    wqq += weighted * q;
    wqx += weighted * values[i]!;
  }
  trial.scale = wqx / wqq;
  trial.minimum = 0;
  trial.gain = wqq > 0 ? (wqx * wqx) / wqq : Number.NEGATIVE_INFINITY;
  trial.scaleWeight = wqq;
}
