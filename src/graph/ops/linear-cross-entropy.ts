// Cross-entropy fused with the output projection: logits exist a chunk of rows at a time, so the gradients are made in the same pass
// (as in Wijmans et al. 2024, "Cut your losses", arXiv 2411.09009).
import { check, type Precision } from "../../base/index.ts";
import type { Op, Values } from "../op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { match } from "./match.ts";
import { operand } from "./matmul.ts";

export type LinearCrossEntropyAttributes = {
  /** Makes dx and dw of the mean loss too. */
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
export function linearCrossEntropy(
  x: Tensor,
  w: Tensor,
  targets: Tensor,
  { gradient, precision = x.graph.precision }: { readonly gradient: boolean; readonly precision?: Precision },
): CrossEntropy {
  const [loss, losses] = x.graph.apply(linearCrossEntropyOp, [x, w, targets], { gradient, precision });
  return { loss: loss!, losses: losses! };
}

const shapes = { x: "N C", w: "V C", targets: "i32 N" } as const;

export const linearCrossEntropyOp: Op<LinearCrossEntropyAttributes> = {
  name: "linearCrossEntropy",
  shape(inputs, { gradient }) {
    const { N, C, V } = match("linearCrossEntropy", inputs, shapes);
    return gradient ? [f32(1), f32(N), f32(N, C), f32(V, C)] : [f32(1), f32(N)];
  },
  reference([xExact, wExact, targets], [loss, losses, dx, dw], { precision }, types) {
    const [x, w] = [operand(xExact!, precision), operand(wExact!, precision)];
    const { N, C, V } = match("linearCrossEntropy", types, shapes);
    const counted = (targets as Int32Array).filter((target) => target >= 0).length;
    for (let n = 0; n < N; n++) {
      const target = targets![n]!;
      if (target < 0) continue;
      check(target < V, "linearCrossEntropy", () => `target ${target} of row ${n} is outside [0, ${V})`);
      const row = x.subarray(n * C, (n + 1) * C);
      const logProbabilities = logSoftmax(logitsOf(row, w, V));
      losses![n] = -logProbabilities[target]!;
      loss![0]! += losses![n]! / counted;
      if (!dx || !dw) continue;
      const dLogits = operand(
        logProbabilities.map((p, v) => (Math.exp(p) - (v === target ? 1 : 0)) / counted),
        precision,
      );
      for (let v = 0; v < V; v++) {
        const dlogit = dLogits[v]!;
        for (let c = 0; c < C; c++) {
          dx[n * C + c]! += dlogit * w[v * C + c]!;
          dw[v * C + c]! += dlogit * row[c]!;
        }
      }
    }
  },
  lossGradient({ outputs: [, , dx, dw] }) {
    check(dx !== undefined, "linearCrossEntropy", () => "was applied with gradient false: set it to differentiate the loss");
    return [dx, dw, undefined];
  },
  recomputable: false,
  flops: (inputs, { gradient }) => {
    const { N, C, V } = match("linearCrossEntropy", inputs, shapes);
    return (gradient ? 6 : 2) * N * C * V;
  },
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
    },
  ]),
};

function logitsOf(row: Values, w: Values, V: number): Float64Array {
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
