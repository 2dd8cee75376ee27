// The softmax of a part's scores, and how parts join: weights are powers of two, 2^(score − the part's largest), as queries are scaled by log₂ e too.
import type { Builder, Int, Position, Vec } from "../language.ts";
import { exp2OfNegative } from "./math.ts";
import { groupOf, partKeys, type Seen, type Sums, scoreStride, seenOf, sumsOf, type Work } from "./paged-work.ts";
import { pageKeys } from "./pages.ts";
import { indexAt } from "./row-blocks.ts";

/** No score is as low, and it is finite, so that differences of two are not NaN. */
const lowest = -1e30;
const pageBytes = pageKeys * 4;

/** Scores of the keys that rows see of a part become weights; behind them, up to a page's end, there may be zeros. */
export function weighScores(work: Work, part: Int): void {
  const { k, sizes, places, tile } = work;
  const group = groupOf(sizes);
  k.loop(0, tile.count, 1, (i) => {
    const seen = seenOf(work, part.mul(partKeys), partKeys, i);
    const pages = pagesOf(work, seen);
    const row = i.mul(group);
    const weigh = (row: Int) => softmaxRow(work, places.scores.add(row.mul(scoreStride)), pages, sumsOf(places.part, sizes.headDim, row));
    k.if(seen.low, "<", seen.high, () => k.loop(row, row.add(group), 1, weigh));
  });
}

/** Bytes of a row's scores, in whole pages: [start, whole) and [rest, end) have scores that the row does not see, [whole, rest) have none. */
interface SeenPages {
  readonly seen: Seen;
  /** Absent where the first page is whole, too. */
  readonly start?: Int;
  readonly whole: Int;
  readonly rest: Int;
  readonly end: Int;
}

function pagesOf({ k, sizes }: Work, seen: Seen): SeenPages {
  const below = (key: Int) => key.div(pageKeys).mul(pageBytes);
  const above = (key: Int) => below(key.add(pageKeys - 1));
  const end = above(seen.high);
  if (sizes.window === 0) return { seen, whole: k.int(0), rest: below(seen.high), end };
  const whole = above(seen.low).min(end);
  return { seen, start: below(seen.low), whole, rest: below(seen.high).max(whole), end };
}

function softmaxRow({ k }: Work, scores: Int, pages: SeenPages, { max, sum }: Sums): void {
  const maxima = overPages(k, scores, pages, lowest, (most, score) => most.maxTo(score));
  const largest = maxima.reduce((a, b) => a.max(b)).maximum();
  const totals = overPages(k, scores, pages, 0, (total, score, at, isSeen) => {
    const weight = isSeen(exp2OfNegative(k, score.sub(largest)), k.constant(0));
    k.store(weight, scores, at);
    total.addTo(weight);
  });
  k.storeScalar(totals.reduce((a, b) => a.add(b)).sum(), sum);
  k.storeScalar(largest, max);
}

/** The value in the lanes of keys that the row sees, elsewhere the other one. */
type Hide = (value: Vec, other: Vec) => Vec;

/**
 * Runs `body` for every vector of scores, with one of up to four variables in turn; scores that the row does not see are the lowest.
 * @returns the variables.
 */
function overPages(
  k: Builder,
  scores: Int,
  pages: SeenPages,
  initial: number,
  body: (variable: Vec, score: Vec, at: Position, isSeen: Hide) => void,
): Vec[] {
  const vectors = pageKeys / k.laneCount;
  const variables = Array.from({ length: Math.min(4, vectors) }, () => k.variable(initial));
  const eachVector = (from: Int, to: Int, isSeen: (at: Position) => Hide) =>
    k.loop(from, to, pageBytes, (index) => {
      for (let v = 0; v < vectors; v++) {
        const at: Position = { index, offset: v * k.laneCount * 4, span: "full", copy: 0 };
        const hide = isSeen(at);
        body(variables[v % variables.length]!, hide(k.load(scores, at), k.constant(lowest)), at, hide);
      }
    });
  const masked = maskOf(k, pages);
  if (pages.start) eachVector(pages.start, pages.whole, masked);
  eachVector(pages.whole, pages.rest, () => (value) => value);
  eachVector(pages.rest, pages.end, masked);
  return variables;
}

function maskOf(k: Builder, { seen, start }: SeenPages): (at: Position) => Hide {
  const end = k.splatInt(seen.high);
  const first = start && k.splatInt(seen.low);
  return (at) => {
    const key = indexAt(k, at);
    const isBefore = key.intLess(end);
    const isHidden = first && key.intLess(first);
    return (value, other) => {
      const shown = isBefore.select(value, other);
      return isHidden ? isHidden.select(other, shown) : shown;
    };
  };
}

/** One query row's sums where they begin: D outputs, the largest score, the sum of weights. */
export function sumsIn(base: Int, headDim: number): Sums {
  return { out: base, max: base.add(headDim * 4), sum: base.add(headDim * 4 + 4) };
}

/** Copies one query row's sums. */
export function copySums(k: Builder, headDim: number, from: Sums, to: Sums): void {
  k.lanes(headDim, (at) => k.store(k.load(from.out, at), to.out, at), 4);
  k.storeScalar(k.splat(from.max), to.max);
  k.storeScalar(k.splat(from.sum), to.sum);
}

/** Adds `from` to `to`, both against the larger of their maxima. */
export function addSums(k: Builder, headDim: number, from: Sums, to: Sums): void {
  const [a, b] = [k.splat(to.max), k.splat(from.max)];
  const max = a.max(b);
  const [toShrink, fromShrink] = [exp2OfNegative(k, a.sub(max)), exp2OfNegative(k, b.sub(max))];
  const join = (x: Vec, y: Vec) => x.mul(toShrink).add(y.mul(fromShrink));
  k.lanes(headDim, (at) => k.store(join(k.load(to.out, at), k.load(from.out, at)), to.out, at), 4);
  k.storeScalar(join(k.splat(to.sum), k.splat(from.sum)), to.sum);
  k.storeScalar(max, to.max);
}

/** Outputs by their sum of weights. */
export function storeNormalised(k: Builder, headDim: number, { out, sum }: Sums, to: Int): void {
  const inverse = k.constant(1).div(k.splat(sum));
  k.lanes(headDim, (at) => k.store(k.load(out, at).mul(inverse), to, at), 4);
}
