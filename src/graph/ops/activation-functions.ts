// The activations by name, value and slope (Hendrycks & Gimpel 2016, arXiv 1606.08415; Ramachandran et al. 2017, arXiv 1710.05941).

/** `none` is the identity: it makes the bilinear GLU. */
export type ActivationFunctionName = "sigmoid" | "none" | "relu" | "gelu" | "geluTanh" | "swish";

/** Which activation an op applies. */
export type ActivationAttributes = {
  readonly activation: ActivationFunctionName;
  /** β of Swish_β(x) = x·σ(βx); the others do not read it. */
  readonly beta: number;
};

/** An activation and its derivative, in float64. */
export interface ActivationFunction {
  value(x: number, beta: number): number;
  slope(x: number, beta: number): number;
}

/** The activations by name. */
export const activationFunctions: Readonly<Record<ActivationFunctionName, ActivationFunction>> = {
  sigmoid: { value: sigmoid, slope: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  none: { value: (x) => x, slope: () => 1 },
  relu: { value: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) },
  gelu: { value: (x) => x * normalCdf(x), slope: (x) => normalCdf(x) + x * normalDensity(x) }, // x · Φ(x)
  geluTanh: { value: (x) => (x / 2) * (1 + Math.tanh(tanhArgument(x))), slope: geluTanhSlope },
  swish: { value: (x, beta) => x * sigmoid(beta * x), slope: swishSlope }, // x · σ(βx)
};

/** The names of all activations. */
export const activationFunctionNames = Object.keys(activationFunctions) as ActivationFunctionName[];

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function swishSlope(x: number, beta: number): number {
  const s = sigmoid(beta * x);
  return s + beta * x * s * (1 - s);
}

function tanhArgument(x: number): number {
  return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

function geluTanhSlope(x: number): number {
  const t = Math.tanh(tanhArgument(x));
  return (1 + t) / 2 + (x / 2) * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

function normalCdf(x: number): number {
  return (1 + erf(x / Math.SQRT2)) / 2;
}

/** erf(x) = 2x/√π · e^(−x²) · Σ (2x²)ⁿ / (1·3·…·(2n+1)), Abramowitz & Stegun 7.1.6: all terms have one sign, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x); // 1 − erf(6) is 2e-17
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return ((2 * x) / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
