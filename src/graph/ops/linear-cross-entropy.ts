// Cross-entropy fused with the output projection: logits exist a chunk of rows at a time, so the gradients are made in the same pass
// (as in Wijmans et al. 2024, "Cut your losses", arXiv 2411.09009).
import { check, type Precision } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { operand } from "./matmul.ts";

export type LinearCrossEntropyAttributes = {
  /** Makes dx and dw of the mean loss too; `gradients` asks for them. */
  readonly gradient: boolean;
  /** What the operands of its products are rounded to: x, w, and the gradient of the logits. */
  readonly precision: Precision;
};

export interface CrossEntropy {
  /** [1]: mean over the rows whose target is not negative, in nats; 0 when there are none. */
  readonly loss: Tensor;
  /** [N]: each row's loss, 0 where the target is negative. */
  readonly losses: Tensor;
}

/** x [N, C], w [V, C] and targets i32 [N] below V (negative: the row does not count) → −log softmax(x·wᵀ)[target]. */
export function linearCrossEntropy(x: Tensor, w: Tensor, targets: Tensor, precision: Precision = x.graph.precision): CrossEntropy {
  return linearCrossEntropyOp.apply({ x, w, targets }, { gradient: false, precision });
}

export const linearCrossEntropyOp = defineOp<LinearCrossEntropyAttributes>()({
  name: "linearCrossEntropy",
  inputs: { x: "N C", w: "V C", targets: "i32 N" },
  outputs: { loss: "1", losses: "N", "dx?": "N C", "dw?": "V C" },
  omits: ({ gradient }) => (gradient ? [] : ["dx", "dw"]),
  reference(exact, { loss, losses, dx, dw }, { C, V }, { precision }) {
    const [x, w] = [operand(exact.x, precision), operand(exact.w, precision)];
    const counted = exact.targets.filter((target) => target >= 0).length;
    exact.targets.forEach((target, n) => {
      if (target < 0) return;
      check(target < V, "linearCrossEntropy", () => `target ${target} of row ${n} is outside [0, ${V})`);
      const row = x.subarray(n * C, (n + 1) * C);
      const logProbabilities = logSoftmax(logitsOf(row, w, V));
      losses[n] = -logProbabilities[target]!;
      loss[0]! += losses[n] / counted;
      if (!dx || !dw) return;
      const dLogits = operand(
        logProbabilities.map((p, v) => (Math.exp(p) - (v === target ? 1 : 0)) / counted),
        precision,
      );
      dLogits.forEach((dlogit, v) => {
        for (let c = 0; c < C; c++) {
          dx[n * C + c]! += dlogit * w[v * C + c]!;
          dw[v * C + c]! += dlogit * row[c]!;
        }
      });
    });
  },
  ownGradient: {
    asked: (attributes) => ({ ...attributes, gradient: true }),
    made: ({ dx, dw }) => ({ x: dx, w: dw }),
  },
  recomputable: false,
  flops: ({ N, C, V }, { gradient }) => (gradient ? 6 : 2) * N * C * V,
  examples: [false, true].flatMap((gradient) => [
    { inputs: [f32(7, 5), f32(11, 5), { ...i32(7), below: 11 }], attributes: { gradient, precision: "float32" } },
    { inputs: [f32(5, 3), f32(13, 3), { ...i32(5), values: [12, -1, 0, -100, 4] }], attributes: { gradient, precision: "float32" } },
    { inputs: [f32(2, 3), f32(4, 3), { ...i32(2), values: [-1, -1] }], attributes: { gradient, precision: "float32" } },
    { inputs: [f32(37, 19), { ...f32(301, 19), scale: 2 }, { ...i32(37), below: 301 }], attributes: { gradient, precision: "float32" } },
    // A logit's gradient that lies between two bfloat16 may be rounded to the other one.
    {
      inputs: [f32(37, 19), { ...f32(301, 19), scale: 2 }, { ...i32(37), below: 301 }],
      attributes: { gradient, precision: "bfloat16" },
      tolerance: 2 ** -8,
      differentiable: false,
    },
  ]),
});

function logitsOf(row: Float64Array, w: Float64Array, V: number): Float64Array {
  const C = row.length;
  return Float64Array.from({ length: V }, (_, v) => {
    let logit = 0;
    for (let c = 0; c < C; c++) logit += row[c]! * w[v * C + c]!;
    return logit;
  });
}

function logSoftmax(logits: Float64Array): Float64Array {
  const max = logits.reduce((a, b) => Math.max(a, b));
  const logSumExp = max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
  return logits.map((logit) => logit - logSumExp);
}
