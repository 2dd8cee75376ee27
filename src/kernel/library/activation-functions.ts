// The activations by name, as lanes: value, and value with slope where they share work
// (GELU: Hendrycks & Gimpel 2016, arXiv 1606.08415; Swish: Ramachandran et al. 2017, arXiv 1710.05941).
import type { Builder, Vec } from "../language.ts";
import { erf, exp, sigmoid, tanh } from "./math.ts";

/** `none` is the identity: it makes the bilinear GLU. */
export type ActivationName = "sigmoid" | "none" | "relu" | "gelu" | "geluTanh" | "swish";

/** An activation on a vector: its value, and its value together with its slope; `beta` is read by Swish alone. */
export interface ActivationLanes {
  value(k: Builder, x: Vec, beta: number): Vec;
  both(k: Builder, x: Vec, beta: number): { value: Vec; slope: Vec };
}

/** The activations by name. */
export const activations: Readonly<Record<ActivationName, ActivationLanes>> = {
  sigmoid: {
    value: sigmoid,
    both(k, x) {
      const value = sigmoid(k, x);
      return { value, slope: value.mul(k.constant(1).sub(value)) };
    },
  },
  none: {
    value: (_, x) => x,
    both: (k, x) => ({ value: x, slope: k.constant(1) }),
  },
  relu: {
    value: (k, x) => x.max(k.constant(0)),
    both: (k, x) => ({ value: x.max(k.constant(0)), slope: k.constant(0).less(x).select(k.constant(1), k.constant(0)) }),
  },
  // x · Φ(x); slope Φ(x) + x · φ(x)
  gelu: {
    value: (k, x) => x.mul(normalCdf(k, x)),
    both(k, x) {
      const cdf = normalCdf(k, x);
      return { value: x.mul(cdf), slope: x.fma(normalDensity(k, x), cdf) };
    },
  },
  // x/2 · (1 + t), t = tanh(u(x)); slope (1 + t)/2 + x/2 · (1 − t²) · u′(x)
  geluTanh: {
    value: (k, x) => x.mul(geluGate(k, tanhOfGelu(k, x))),
    both(k, x) {
      const t = tanhOfGelu(k, x);
      const gate = geluGate(k, t);
      // The slope of t is zero beyond ±10, and x² must not become infinite.
      const near = x.max(k.constant(-10)).min(k.constant(10));
      const inner = near.mul(near).fma(k.constant(geluScale * 3 * geluCubic), k.constant(geluScale));
      const dGate = k.constant(1).sub(t.mul(t)).mul(inner).mul(k.constant(0.5));
      return { value: x.mul(gate), slope: near.fma(dGate, gate) };
    },
  },
  // x · s, s = σ(βx); slope s + βx · s · (1 − s)
  swish: {
    value: (k, x, beta) => x.mul(sigmoid(k, scaled(k, x, beta))),
    both(k, x, beta) {
      const inner = scaled(k, x, beta);
      const s = sigmoid(k, inner);
      const value = x.mul(s);
      return { value, slope: inner.mul(s).fma(k.constant(1).sub(s), s) };
    },
  },
};

const geluScale = Math.sqrt(2 / Math.PI);
const geluCubic = 0.044715;

function tanhOfGelu(k: Builder, x: Vec): Vec {
  const cubic = x.mul(x).fma(k.constant(geluScale * geluCubic), k.constant(geluScale));
  return tanh(k, x.mul(cubic));
}

/** (1 + t) / 2. */
function geluGate(k: Builder, t: Vec): Vec {
  return t.fma(k.constant(0.5), k.constant(0.5));
}

function normalCdf(k: Builder, x: Vec): Vec {
  return erf(k, x.mul(k.constant(Math.SQRT1_2))).fma(k.constant(0.5), k.constant(0.5));
}

function normalDensity(k: Builder, x: Vec): Vec {
  return exp(k, x.mul(x).mul(k.constant(-0.5))).mul(k.constant(1 / Math.sqrt(2 * Math.PI)));
}

function scaled(k: Builder, x: Vec, beta: number): Vec {
  return beta === 1 ? x : x.mul(k.constant(beta));
}
