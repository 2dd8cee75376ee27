import { describe, expect, test } from "vitest";
import { random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { adamw, normFromPartials, sumOfSquares, sumOfSquaresUnits } from "./optimiser.ts";

const constants = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };

describe.each(runs)("$name", ({ run }) => {
  test.each([1, 5, 67, 16384, 16384 + 33])("norm of %i elements", (count) => {
    const x = random(count);
    const units = sumOfSquaresUnits(count);
    const partial = run(sumOfSquares, { count }, [x, unwritten(units)])[1]!;
    const norm = run(normFromPartials, { count: units }, [partial, unwritten(1)])[1]!;
    const want = Math.hypot(...x);
    expect(worstError(norm, [want])).toBeLessThan(1e-6);
  });

  test.each([1, 3, 67, 4096 + 5])("AdamW over %i elements, five steps", (count) => {
    let state: Record<"parameter" | "m" | "v", Float32Array> = {
      parameter: random(count, 1),
      m: new Float32Array(count),
      v: new Float32Array(count),
    };
    const want = { parameter: Float64Array.from(state.parameter), m: new Float64Array(count), v: new Float64Array(count) };
    for (let step = 1; step <= 5; step++) {
      const gradient = random(count, 10 + step);
      // The norm is below the clip, then above it; then there is no clip.
      const [norm, clip] = [step, step === 4 ? Number.POSITIVE_INFINITY : 2];
      const hyper = Float32Array.of(1e-2, 1 / (1 - 0.9 ** step), 1 / (1 - 0.95 ** step), 0.5, clip);
      const [parameter, , m, v] = run(adamw, { count, ...constants }, [
        state.parameter,
        gradient,
        state.m,
        state.v,
        hyper,
        Float32Array.of(norm),
      ]);
      state = { parameter: parameter!, m: m!, v: v! };
      adamwStep(want, gradient, hyper, norm);
      expect(worstError(state.parameter, want.parameter)).toBeLessThan(1e-6);
      expect(worstError(state.m, want.m)).toBeLessThan(1e-6);
      expect(worstError(state.v, want.v)).toBeLessThan(1e-6);
    }
  });
});

/** PyTorch's order: decay first, then the step. */
function adamwStep(
  { parameter, m, v }: { parameter: Float64Array; m: Float64Array; v: Float64Array },
  gradient: Float32Array,
  hyper: Float32Array,
  norm: number,
): void {
  const [rate, h1, h2, scale, clip] = hyper as unknown as [number, number, number, number, number];
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i]! * scale * Math.min(1, clip / (norm * scale + 1e-6));
    m[i] = constants.beta1 * m[i]! + (1 - constants.beta1) * g;
    v[i] = constants.beta2 * v[i]! + (1 - constants.beta2) * g * g;
    parameter[i]! *= 1 - rate * constants.decay;
    parameter[i]! -= (rate * m[i]! * h1) / (Math.sqrt(v[i]! * h2) + constants.epsilon);
  }
}
