// exp, log, tanh, erf, sigmoid, sin and cos as functions of the language: polynomials after Cephes (Moshier) and Juffa, for float32 lanes.
// Stated errors are the largest that sweeps found on any target, rounded up; math.test.ts holds them against float64.
import type { Builder, Vec } from "../language.ts";

/** e^x, ≤ 1.1 ulp; ∞ beyond 88.72283, where float32 ends, and 0 below −87.33654, where its normal numbers end; NaN stays NaN. */
export function exp(k: Builder, x: Vec): Vec {
  const { exponent, excess } = powerOfE(k, x);
  const power = k.constant(1).add(excess).intAdd(exponent);
  // What is larger becomes ∞, and NaN stays NaN.
  const bounded = x.lessOrEqual(k.constant(88.72283)).select(power, x.add(k.constant(Number.POSITIVE_INFINITY)));
  return x.less(k.constant(-87.33654)).select(k.constant(0), bounded);
}

/** 2^x for x ≤ 0, ≤ 2.3 ulp, 1 at 0; 2^−126 below −126; NaN stays NaN. Two thirds of the instructions of {@link exp}. */
export function exp2OfNegative(k: Builder, x: Vec): Vec {
  const bounded = x.max(k.constant(-126));
  // The addition rounds to an integer and leaves it in the lowest bits.
  const rounder = k.constant(1.5 * 2 ** 23);
  const rounded = bounded.add(rounder);
  const r = bounded.sub(rounded.sub(rounder));
  // Minimax for (2^r − 1) / r on ±½, the error weighted by r / 2^r.
  const power = polynomial(k, r, [1.3264728e-3, 9.671513e-3, 5.5507336e-2, 0.24022242, 0.6931470036507, 1]);
  return power.intAdd(rounded.shiftLeft(23));
}

/**
 * e^x = 2^n · (1 + excess) with excess in [√½ − 1, √2 − 1] to full relative precision, for |x| ≤ 89; `exponent` is n at the place of a
 * float's exponent, to be added to its bits.
 */
function powerOfE(k: Builder, x: Vec): { exponent: Vec; excess: Vec } {
  // The addition rounds x · log₂ e to an integer and leaves it in the lowest bits: cheaper than to round and convert.
  const rounder = k.constant(1.5 * 2 ** 23);
  const rounded = x.fma(k.constant(Math.LOG2E), rounder);
  const n = rounded.sub(rounder);
  // ln 2 in two parts, the first of them short, so that n · part is exact.
  const r = n.fma(k.constant(2.1219444e-4), n.fma(k.constant(-0.693359375), x));
  // Minimax for (e^r − 1 − r) / r² on ±½ ln 2, the error weighted by |r|.
  const p = polynomial(k, r, [1.3946669642e-3, 8.3667105064e-3, 4.1666280478e-2, 0.16666541994, 0.5]);
  return { exponent: rounded.shiftLeft(23), excess: p.fma(r.mul(r), r) };
}

/** 1 + e^x, rounded about once, for |x| ≤ 88. */
function onePlusExp(k: Builder, x: Vec): Vec {
  const one = k.constant(1);
  const { exponent, excess } = powerOfE(k, x);
  const scale = one.intAdd(exponent);
  // 1 + 2^n is exact up to 2^23; beyond, what it lost is added to the smaller part (Dekker 1971).
  const sum = one.add(scale);
  const lost = one.sub(sum.sub(scale));
  return sum.add(scale.fma(excess, lost));
}

/** Natural logarithm, ≤ 0.9 ulp; −∞ at 0, NaN below, ∞ at ∞, NaN stays NaN. */
export function log(k: Builder, x: Vec): Vec {
  const beyond = x.equals(k.constant(0)).select(k.constant(Number.NEGATIVE_INFINITY), k.constant(Number.NaN));
  const finite = x.less(k.constant(Number.POSITIVE_INFINITY)).select(logOfFinite(k, x), x);
  return k.constant(0).less(x).select(finite, beyond);
}

/** The logarithm of a positive finite number (Cephes logf): x = fraction · 2^e, fraction in [√½, √2). */
function logOfFinite(k: Builder, x: Vec): Vec {
  const half = k.constant(0.5);
  const denormal = x.less(k.constant(2 ** -126));
  const normal = denormal.select(x.mul(k.constant(2 ** 24)), x);
  const bias = denormal.select(k.intConstant(126 + 24), k.intConstant(126));
  const exponent = normal.shiftRight(23).intSub(bias).toFloat();
  const fraction = normal.and(k.intConstant(0x007fffff)).or(half); // [0.5, 1)
  const small = fraction.less(k.constant(Math.SQRT1_2));
  const e = small.select(exponent.sub(k.constant(1)), exponent);
  const r = small.select(fraction.add(fraction), fraction).sub(k.constant(1));
  const z = r.mul(r);
  const p = polynomial(
    k,
    r,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
      -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const tail = e.fma(k.constant(-2.1219444e-4), p.mul(r).mul(z)).sub(z.mul(half));
  return e.fma(k.constant(0.693359375), r.add(tail));
}

/** Hyperbolic tangent, ≤ 1.3 ulp. */
export function tanh(k: Builder, x: Vec): Vec {
  const size = x.abs();
  const z = x.mul(x);
  const p = polynomial(k, z, [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]);
  const near = p.mul(z).fma(size, size);
  const doubled = size.min(k.constant(10));
  const far = k.constant(1).sub(k.constant(2).div(onePlusExp(k, doubled.add(doubled))));
  return withSignOf(k, size.less(k.constant(0.625)).select(near, far), x);
}

/** The error function, ≤ 1.3 ulp (N. Juffa's two polynomials). */
export function erf(k: Builder, x: Vec): Vec {
  const t = x.abs().min(k.constant(4));
  const s = t.mul(t);
  const high = k.constant(-1.7285347e-5).fma(t, k.constant(3.83197126e-4));
  const low = k.constant(-3.88396438e-3).fma(t, k.constant(2.42546219e-2));
  let far = high.fma(s, low);
  for (const c of [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1]) far = far.fma(t, k.constant(c));
  far = k.constant(1).sub(exp(k, far.fma(t, t.neg())));
  const p = polynomial(k, s, [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]);
  return k
    .constant(0.927734375)
    .less(x.abs())
    .select(withSignOf(k, far, x), p.fma(x, x));
}

/**
 * Sine and cosine of an angle in turns, ≤ 1.9 ulp: int32, 2³² to the full turn, so that angles wrap by themselves and reducing one to an
 * eighth of a turn is exact. Minimax polynomials.
 */
export function sinCosOfTurn(k: Builder, turn: Vec): { sin: Vec; cos: Vec } {
  const quarters = turn.intAdd(k.intConstant(2 ** 29)).shiftRight(30);
  const t = turn
    .intSub(quarters.shiftLeft(30))
    .toFloat()
    .mul(k.constant(2 ** -32));
  const z = t.mul(t);
  // sin 2πt = 8t + (2π − 8)t + …: the larger part is exact.
  const bend = polynomial(k, z, [-75.453278, 81.593933, -41.341675, 2 * Math.PI - 8]).mul(t);
  const sine = t.fma(k.constant(8), bend);
  const cosine = polynomial(k, z, [59.245869, -85.443741, 64.939323, -19.739208, 1]);
  const odd = quarters.and(k.intConstant(1)).intEquals(k.intConstant(1));
  const sinSign = quarters.and(k.intConstant(2)).shiftLeft(30);
  const cosSign = quarters.intAdd(k.intConstant(1)).and(k.intConstant(2)).shiftLeft(30);
  return { sin: odd.select(cosine, sine).xor(sinSign), cos: odd.select(sine, cosine).xor(cosSign) };
}

/** σ(x) = 1 / (1 + e^−x), ≤ 1.9 ulp for x ≥ −88; 6e-39 below −88. */
export function sigmoid(k: Builder, x: Vec): Vec {
  return k.constant(1).div(onePlusExp(k, x.min(k.constant(88)).max(k.constant(-88)).neg()));
}

/** Horner's rule, the highest power first. */
function polynomial(k: Builder, x: Vec, coefficients: readonly number[]): Vec {
  return coefficients.slice(1).reduce((sum, c) => sum.fma(x, k.constant(c)), k.constant(coefficients[0]!));
}

function withSignOf(k: Builder, magnitude: Vec, sign: Vec): Vec {
  return magnitude.or(sign.and(k.intConstant(0x80000000 | 0)));
}
