import { describe, expect, test } from "vitest";
import { ints, random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { meanLoss, softmaxCrossEntropy } from "./cross-entropy.ts";

const sizes = [
  [1, 1],
  [2, 3],
  [33, 5],
  [70, 17],
  [9, 64],
  [33, 67],
  [3, 1003],
] as const;

describe.each(runs)("$name", ({ run }) => {
  test.each(sizes)("%i rows of %i", (rows, vocabulary) => {
    const logits = random(rows * vocabulary, 1, 8);
    // Every fifth row does not count, but the first does.
    const targets = Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? -1 : (i * 31) % vocabulary));
    const want = lossOf(logits, targets, vocabulary);
    const weight = Float32Array.of(1 / want.counted);
    const plain = run(softmaxCrossEntropy, { rows, vocabulary, gradient: false }, [logits, ints(targets), weight, unwritten(rows)]);
    expect(plain[0]).toEqual(logits);
    expect(worstError(plain[3]!, want.losses)).toBeLessThan(1e-6);
    const [dLogits, , , losses] = run(softmaxCrossEntropy, { rows, vocabulary, gradient: true }, [
      logits,
      ints(targets),
      weight,
      unwritten(rows),
    ]);
    expect(losses).toEqual(plain[3]);
    expect(worstError(dLogits!, want.dLogits)).toBeLessThan(1e-6);
    const loss = run(meanLoss, { rows }, [losses!, weight, unwritten(1)])[2]!;
    expect(worstError(loss, [want.mean])).toBeLessThan(1e-6);
  });

  test("no row counts: loss and gradient are zero", () => {
    const weight = Float32Array.of(0);
    const targets = ints([-1, -100, -(2 ** 31)]);
    const [dLogits, , , losses] = run(softmaxCrossEntropy, { rows: 3, vocabulary: 7, gradient: true }, [
      random(21),
      targets,
      weight,
      unwritten(3),
    ]);
    expect(dLogits).toEqual(new Float32Array(21));
    expect(losses).toEqual(new Float32Array(3));
    expect(run(meanLoss, { rows: 3 }, [losses!, weight, unwritten(1)])[2]).toEqual(Float32Array.of(0));
  });

  test("logits far apart do not overflow, and a target beyond the vocabulary reads its last column", () => {
    const logits = Float32Array.of(3e38, -3e38, 0, 1e4, -1e4, 0);
    const weight = Float32Array.of(0.5);
    const [dLogits, , , losses] = run(softmaxCrossEntropy, { rows: 2, vocabulary: 3, gradient: true }, [
      logits,
      ints([0, 2 ** 31 - 1]),
      weight,
      unwritten(2),
    ]);
    expect(losses).toEqual(Float32Array.of(0, 1e4));
    expect(dLogits).toEqual(Float32Array.of(0, 0, 0, 0.5, 0, -0.5));
  });

  test("a NaN among the logits shows in the loss", () => {
    const logits = Float32Array.of(1, Number.NaN, 3);
    const losses = run(softmaxCrossEntropy, { rows: 1, vocabulary: 3, gradient: false }, [
      logits,
      ints([0]),
      Float32Array.of(1),
      unwritten(1),
    ])[3]!;
    expect(losses[0]).toBeNaN();
  });
});

function lossOf(logits: Float32Array, targets: readonly number[], vocabulary: number) {
  const counted = targets.filter((target) => target >= 0).length;
  const dLogits = new Float64Array(logits.length);
  const losses = targets.map((target, i) => {
    if (target < 0) return 0;
    const row = [...logits.subarray(i * vocabulary, (i + 1) * vocabulary)];
    const highest = Math.max(...row);
    const sum = row.reduce((total, x) => total + Math.exp(x - highest), 0);
    row.forEach((x, j) => {
      dLogits[i * vocabulary + j] = (Math.exp(x - highest) / sum - (j === target ? 1 : 0)) / counted;
    });
    return Math.log(sum) + highest - row[target]!;
  });
  return { counted, losses, dLogits, mean: losses.reduce((total, x) => total + x, 0) / counted };
}
