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
    const weigh = (first: Int) =>
      softmaxRows(
        k,
        Array.from({ length: rowsTogether(group) }, (_, i) => {
          const row = first.add(i);
          return { scores: places.scores.add(row.mul(scoreStride)), sums: sumsOf(places.part, sizes.headDim, row) };
        }),
        pages,
      );
    k.if(seen.low, "<", seen.high, () => k.loop(row, row.add(group), rowsTogether(group), weigh));
  });
}

/** How many query rows of a group are weighed together, as they see the same keys: loops are short, and a row alone waits for its own results. */
function rowsTogether(group: number): number {
  return [4, 3, 2].find((rows) => group % rows === 0) ?? 1;
}

/** Where a query row has its scores, and where its sums go. */
interface ScoreRow {
  readonly scores: Int;
  readonly sums: Sums;
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

function softmaxRows(k: Builder, rows: readonly ScoreRow[], pages: SeenPages): void {
  const scores = rows.map((row) => row.scores);
  const maxima = overPages(k, scores, pages, lowest, (most, score) => most.maxTo(score));
  const largest = maxima.map((parts) => parts.reduce((a, b) => a.max(b)).maximum());
  const totals = overPages(k, scores, pages, 0, (total, score, { row, at, hide }) => {
    const weight = hide(exp2OfNegative(k, score.sub(largest[row]!)), k.constant(0));
    k.store(weight, scores[row]!, at);
    total.addTo(weight);
  });
  rows.forEach(({ sums }, row) => {
    k.storeScalar(totals[row]!.reduce((a, b) => a.add(b)).sum(), sums.sum);
    k.storeScalar(largest[row]!, sums.max);
  });
}

/** The value in the lanes of keys that the row sees, elsewhere the other one. */
type Hide = (value: Vec, other: Vec) => Vec;

/** A vector of a row's scores, and what hides those that the row does not see. */
interface ScoreVector {
  readonly row: number;
  readonly at: Position;
  readonly hide: Hide;
}

/**
 * Runs `body` for every vector of the rows' scores, with one of a row's variables in turn; scores that a row does not see are the lowest.
 * @returns the variables of each row: about four in all.
 */
function overPages(
  k: Builder,
  rows: readonly Int[],
  pages: SeenPages,
  initial: number,
  body: (variable: Vec, score: Vec, vector: ScoreVector) => void,
): Vec[][] {
  const vectors = pageKeys / k.laneCount;
  const perRow = Math.min(Math.ceil(4 / rows.length), vectors);
  const variables = rows.map(() => Array.from({ length: perRow }, () => k.variable(initial)));
  const eachVector = (from: Int, to: Int, hideAt: (at: Position) => Hide) =>
    k.loop(from, to, pageBytes, (index) => {
      for (let v = 0; v < vectors; v++) {
        const at: Position = { index, offset: v * k.laneCount * 4, span: "full", copy: 0 };
        const hide = hideAt(at);
        rows.forEach((scores, row) => {
          body(variables[row]![v % perRow]!, hide(k.load(scores, at), k.constant(lowest)), { row, at, hide });
        });
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
