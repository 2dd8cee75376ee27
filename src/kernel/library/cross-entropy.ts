// Softmax cross-entropy over rows of logits, in place: a row is read for its maximum, for the sum of its exponentials, and once more
// for the gradient. Shapes: N rows, V vocabulary. A negative target means that its row does not count.
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { exp, log } from "./math.ts";
import { eachRow, rowAt } from "./rows.ts";

/** Sizes N and V of the logits, and what is made of them. */
export interface CrossEntropySizes {
  readonly rows: number;
  readonly vocabulary: number;
  /** Whether the logits become their gradient. */
  readonly gradient: boolean;
}

/**
 * losses = −log softmax(logits)[target], 0 for rows that do not count; a target beyond V counts as V − 1.
 * With `gradient`, logits = (softmax − onehot(target)) · inverseCount, zeros for rows that do not count.
 * Pointers: logits [N, V], targets i32 [N], inverseCount [1], losses [N].
 */
export const softmaxCrossEntropy = kernel<CrossEntropySizes>("softmaxCrossEntropy", (k, sizes) => {
  const { logits, targets, inverseCount, losses } = k.pointers("logits", "targets", "inverseCount", "losses");
  const range = k.range();
  const { rows, vocabulary, gradient } = sizes;
  const weight = k.splat(inverseCount);
  const body = (i: Int) => {
    const row = rowAt(logits, i, vocabulary);
    const target = k.loadInt(rowAt(targets, i, 1));
    const loss = rowAt(losses, i, 1);
    const ignored = () => {
      k.storeScalar(k.constant(0), loss);
      if (gradient) k.lanes(vocabulary, (at) => k.store(k.constant(0), row, at), 4);
    };
    const counted = () => rowLoss(k, sizes, { row, target: rowAt(row, target.min(vocabulary - 1), 1), loss }, weight);
    k.if(target, "<", 0, ignored, counted);
  };
  // A row is long and its exponentials are work, so that two are enough for a unit.
  return { units: eachRow(k, rows, range, body, 2) };
});

/** loss = Σ losses · inverseCount: their mean where that is 1 / the number of rows that count. Pointers: losses [N], inverseCount [1], loss [1]. One unit. */
export const meanLoss = kernel<{ rows: number }>("meanLoss", (k, { rows }) => {
  const { losses, inverseCount, loss } = k.pointers("losses", "inverseCount", "loss");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, () => k.storeScalar(k.sum(rows, (at) => k.load(losses, at)).mul(k.splat(inverseCount)), loss));
  return { units: 1 };
});

/** Where a row's logits are, that of its target, and its loss. */
interface RowPlaces {
  readonly row: Int;
  readonly target: Int;
  readonly loss: Int;
}

/** Stores log Σ e^(x − max) + max − x[target]; the exponentials stay in the row for the gradient. */
function rowLoss(k: Builder, { vocabulary, gradient }: CrossEntropySizes, { row, target, loss }: RowPlaces, weight: Vec): void {
  const highest = k.maximum(vocabulary, (at) => k.load(row, at));
  const next = row.add(vocabulary * 4); // fetched meanwhile: a row is read at the memory's speed, and its exponentials are slower
  const distance = highest.sub(k.splat(target));
  const sum = k.sum(vocabulary, (at) => {
    const power = exp(k, k.load(row, at).sub(highest));
    k.prefetch(at.index ? next.add(at.index) : next, at.offset);
    if (gradient) k.store(power, row, at);
    return power;
  });
  k.storeScalar(log(k, sum).add(distance), loss);
  if (!gradient) return;
  const scale = weight.div(sum);
  k.lanes(vocabulary, (at) => k.store(k.load(row, at).mul(scale), row, at), 4);
  k.storeScalar(k.splat(target).sub(weight), target);
}
