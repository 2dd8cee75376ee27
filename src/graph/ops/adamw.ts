// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2) with clipping by global norm, one parameter at a time, in place.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** The hyper-parameters of AdamW that stay the same in a run: β1, β2, ε, and the weight decay of this parameter. */
export type AdamwAttributes = { readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly decay: number };

/** The hyper-parameters that change from step to step, by index in `hyper` [5]. */
export const adamwHyper = ["learningRate", "firstCorrection", "secondCorrection", "gradientScale", "clipNorm"] as const;

/** What one update of a parameter reads and writes. */
export interface AdamwInputs {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** First and second moment, states of the parameter's shape. */
  readonly m: Tensor;
  readonly v: Tensor;
  /** [5]: learning rate, 1/(1−β1^t), 1/(1−β2^t), factor of the gradient, largest norm of the scaled gradient. */
  readonly hyper: Tensor;
  /** [1]: norm of all gradients, before the factor. */
  readonly norm: Tensor;
}

/**
 * One step. g = gradient · scale · min(1, clipNorm / (norm · scale + 1e-6)); m = β1·m + (1−β1)·g; v = β2·v + (1−β2)·g²;
 * parameter −= lr · (m·h1 / (sqrt(v·h2) + ε) + decay · parameter).
 */
export function adamw(inputs: AdamwInputs, attributes: AdamwAttributes): void {
  adamwOp.apply(inputs, attributes);
}

/** The op of {@link adamw}: its shapes, meaning and gradient. */
export const adamwOp = defineOp<AdamwAttributes>()({
  name: "adamw",
  inputs: { parameter: "...", gradient: "...", m: "...", v: "...", hyper: "5", norm: "1" },
  outputs: {},
  reference({ parameter, gradient, m, v, hyper, norm }, _, __, { beta1, beta2, epsilon, decay }) {
    const [learningRate, h1, h2, scale, clipNorm] = hyper as Iterable<number> as [number, number, number, number, number];
    const factor = scale * Math.min(1, clipNorm / (norm[0]! * scale + 1e-6));
    gradient.forEach((exact, i) => {
      const g = exact * factor;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      parameter[i]! -= learningRate * ((m[i]! * h1) / (Math.sqrt(v[i]! * h2) + epsilon) + decay * parameter[i]!);
    });
  },
  recomputable: false,
  updates: ["parameter", "m", "v"],
  examples: [
    example([3, 5], [1e-2, 10, 20, 1, 1], 0.5, 0.1), // the first step, below the clip
    example([67], [1e-2, 1.7, 5.3, 0.25, 1], 100, 0), // accumulated over four, clipped
  ],
});

function example(shape: number[], hyper: number[], norm: number, decay: number) {
  const parameter = f32(...shape);
  return {
    inputs: [
      parameter,
      parameter,
      { ...parameter, scale: 0.1 },
      { ...parameter, scale: 0.01, offset: 0.5 }, // a mean of squares is positive
      { ...f32(5), values: hyper },
      { ...f32(1), values: [norm] },
    ],
    attributes: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay },
  };
}
