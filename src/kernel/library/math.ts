// exp, log, tanh, erf, sin and cos as functions of the language: polynomials after Cephes (Moshier) and Juffa, for float32 lanes.
// The stated errors are held by math.test.ts against float64.
import type { Builder, Vec } from "../language.ts";

/** e^x, ≤ 2 ulp for −87.3 ≤ x ≤ 88.3; 0 below, the value at 88.3 above; NaN stays NaN. */
export function exp(k: Builder, x: Vec): Vec {
  const lowest = k.constant(-87.33654);
  const clamped = x.max(lowest).min(k.constant(88.3762626647949));
  const n = clamped.mul(k.constant(Math.LOG2E)).round();
  // ln 2 in two parts, the first of them short, so that n · part is exact.
  const r = n.fma(k.constant(2.1219444e-4), n.fma(k.constant(-0.693359375), clamped));
  const p = polynomial(k, r, [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]);
  const value = p.fma(r.mul(r), r).add(k.constant(1));
  const power = n.toInt().intAdd(k.intConstant(127)).shiftLeft(23);
  return x.less(lowest).select(k.constant(0), value.mul(power));
}

/** Natural logarithm, ≤ 2 ulp; −∞ at 0, NaN below, ∞ at ∞, NaN stays NaN. */
export function log(k: Builder, x: Vec): Vec {
  const beyond = x.equals(k.constant(0)).select(k.constant(Number.NEGATIVE_INFINITY), k.constant(Number.NaN));
  const finite = x.less(k.constant(Number.POSITIVE_INFINITY)).select(logOfFinite(k, x), x);
  return k.constant(0).less(x).select(finite, beyond);
}

/** Of a positive finite number (Cephes logf): x = fraction · 2^e, fraction in [√½, √2). */
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

/** Hyperbolic tangent, ≤ 3 ulp. */
export function tanh(k: Builder, x: Vec): Vec {
  const z = x.mul(x);
  const p = polynomial(k, z, [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]);
  const near = p.mul(z).fma(x, x);
  const doubled = x.abs().min(k.constant(10));
  const far = k.constant(1).sub(k.constant(2).div(exp(k, doubled.add(doubled)).add(k.constant(1))));
  return x
    .abs()
    .less(k.constant(0.625))
    .select(near, withSignOf(k, far, x));
}

/** The error function, ≤ 3 ulp (N. Juffa's two polynomials). */
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

/** Sine and cosine of x + low for |x| ≤ 8192 and |low| ≤ 8, within 1.2e-7 absolutely. */
export function sinCos(k: Builder, x: Vec, low: Vec = k.constant(0)): { sin: Vec; cos: Vec } {
  const q = x
    .add(low)
    .mul(k.constant(2 / Math.PI))
    .round();
  // π/2 in three parts, so that q · part is exact.
  let r = q.fma(k.constant(-1.5703125), x).add(low);
  r = q.fma(k.constant(-4.837512969970703e-4), r);
  r = q.fma(k.constant(-7.549789948768648e-8), r);
  const z = r.mul(r);
  const sine = polynomial(k, z, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]).mul(z).fma(r, r);
  const cosine = polynomial(k, z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])
    .mul(z)
    .fma(z, k.constant(1).sub(z.mul(k.constant(0.5))));
  const quadrant = q.toInt();
  const odd = quadrant.and(k.intConstant(1)).intEquals(k.intConstant(1));
  const sinSign = quadrant.and(k.intConstant(2)).shiftLeft(30);
  const cosSign = quadrant.intAdd(k.intConstant(1)).and(k.intConstant(2)).shiftLeft(30);
  return { sin: odd.select(cosine, sine).xor(sinSign), cos: odd.select(sine, cosine).xor(cosSign) };
}

/** σ(x) = 1 / (1 + e^−x). */
export function sigmoid(k: Builder, x: Vec): Vec {
  return k.constant(1).div(exp(k, x.neg()).add(k.constant(1)));
}

/** Horner's rule, the highest power first. */
function polynomial(k: Builder, x: Vec, coefficients: readonly number[]): Vec {
  return coefficients.slice(1).reduce((sum, c) => sum.fma(x, k.constant(c)), k.constant(coefficients[0]!));
}

function withSignOf(k: Builder, magnitude: Vec, sign: Vec): Vec {
  return magnitude.or(sign.and(k.intConstant(0x80000000 | 0)));
}
