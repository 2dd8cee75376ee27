// The norm of all gradients and AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2), one parameter at a time, in place.
import { kernel } from "../language.ts";

/** Elements whose squares one unit sums. */
const block = 16384;

/** Units of {@link sumOfSquares}: the numbers that it writes. */
export function sumOfSquaresUnits(count: number): number {
  return Math.ceil(count / block);
}

/** partial[unit] = Σ x² over the unit's block. Pointers: x [count], partial [units]. */
export const sumOfSquares = kernel<{ count: number }>("sumOfSquares", (k, { count }) => {
  const { x, partial } = k.pointers("x", "partial");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, (unit) => {
    const start = x.add(unit.mul(block * 4));
    k.blocks(unit, count, block, (size) => {
      const sum = k.sum(size, (at) => {
        const value = k.load(start, at);
        return value.mul(value);
      });
      k.storeScalar(sum, partial.add(unit.mul(4)));
    });
  });
  return { units: sumOfSquaresUnits(count) };
});

/** norm = sqrt(Σ partials). Pointers: partials [count], norm [1]. One unit. */
export const normFromPartials = kernel<{ count: number }>("normFromPartials", (k, { count }) => {
  const { partials, norm } = k.pointers("partials", "norm");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, () => k.storeScalar(k.sum(count, (at) => k.load(partials, at)).sqrt(), norm));
  return { units: 1 };
});

/** How many elements a parameter has, and the hyper-parameters that stay the same in a run. */
export interface AdamwConstants {
  readonly count: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
}

/**
 * One step. g = gradient · scale · min(1, clip / (norm · scale + 1e-6)); m = β1·m + (1−β1)·g; v = β2·v + (1−β2)·g²;
 * parameter −= lr · (m·h1 / (sqrt(v·h2) + ε) + decay · parameter).
 * Pointers: parameter, gradient, m, v [count], hyper [5] = lr, h1, h2, scale, clip, norm [1].
 */
export const adamw = kernel<AdamwConstants>("adamw", (k, { count, beta1, beta2, epsilon, decay }) => {
  const { parameter, gradient, m, v, hyper, norm } = k.pointers("parameter", "gradient", "m", "v", "hyper", "norm");
  const range = k.range();
  const [rate, h1, h2, scale, clip] = [0, 4, 8, 12, 16].map((offset) => k.splat(hyper, offset));
  const limit = clip!.div(k.splat(norm).fma(scale!, k.constant(1e-6)));
  const factor = scale!.mul(limit.min(k.constant(1)));
  const units = k.flat(count, range, (at) => {
    const g = k.load(gradient, at).mul(factor);
    const first = k.load(m, at).fma(k.constant(beta1), g.mul(k.constant(1 - beta1)));
    const second = k.load(v, at).fma(k.constant(beta2), g.mul(g).mul(k.constant(1 - beta2)));
    const old = k.load(parameter, at);
    const step = first.mul(h1!).div(second.mul(h2!).sqrt().add(k.constant(epsilon)));
    k.store(first, m, at);
    k.store(second, v, at);
    k.store(old.sub(rate!.mul(old.fma(k.constant(decay), step))), parameter, at);
  });
  return { units };
});
