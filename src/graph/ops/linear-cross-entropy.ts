// Cross-entropy fused with the output projection: logits exist a chunk of rows at a time, so the gradients are made in the same pass
// (as in Wijmans et al. 2024, "Cut your losses", arXiv 2411.09009).
import { check, type DType, elementLayouts, type Precision, weightDTypes } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import type { Example, ExampleInput } from "../op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { operand } from "./matmul.ts";

/** Which gradients the op makes beside the loss, and how its products round. */
export type LinearCrossEntropyAttributes = {
  /** Whether the gradients of the loss towards x and w are made too; `gradients` asks for those that are wanted. */
  readonly dx: boolean;
  readonly dw: boolean;
  /** What the operands of its products are rounded to: x, w, and the gradient of the logits. */
  readonly precision: Precision;
};

/** The loss of a batch and of each of its rows. */
export interface CrossEntropy {
  /** [1]: sum of the rows' losses times inverseCount: their mean where that is 1 / the number of targets that are not negative. */
  readonly loss: Tensor;
  /** [N]: each row's loss in nats, 0 where the target is negative. */
  readonly losses: Tensor;
}

/**
 * x [N, C], w [V, C] and targets i32 [N] below V (negative: the row does not count) → −log softmax(x·wᵀ)[target].
 * @param w a state, or a weight of any layout, which gets no gradient
 * @param inverseCount [1]: what each row's loss is multiplied by in their sum, 1 / the number of rows that count in a whole step. So passes with unequal numbers of
 * them, or machines, add up to the mean over all.
 */
export function linearCrossEntropy(
  x: Tensor,
  w: Tensor,
  targets: Tensor,
  inverseCount: Tensor,
  precision: Precision = x.graph.precision,
): CrossEntropy {
  return linearCrossEntropyOp.apply({ x, w, targets, inverseCount }, { dx: false, dw: false, precision });
}

/** The op of {@link linearCrossEntropy}: its shapes, meaning and gradient. */
export const linearCrossEntropyOp = defineOp<LinearCrossEntropyAttributes>()({
  name: "linearCrossEntropy",
  inputs: { x: "N C", w: "weight V C", targets: "i32 N", inverseCount: "1" },
  outputs: { loss: "1", losses: "N", "dx?": "N C", "dw?": "V C" },
  omits: ({ dx, dw }) => [...(dx ? [] : ["dx" as const]), ...(dw ? [] : ["dw" as const])],
  reference(exact, { loss, losses, dx, dw }, { C, V }, { precision }) {
    const [x, w] = [operand(exact.x, precision), operand(exact.w, precision)];
    const [scale = 0] = exact.inverseCount;
    exact.targets.forEach((target, n) => {
      if (target < 0) return;
      check(target < V, "linearCrossEntropy", () => `target ${target} of row ${n} is outside [0, ${V})`);
      const row = x.subarray(n * C, (n + 1) * C);
      const logProbabilities = logSoftmax(logitsOf(row, w, V));
      losses[n] = -logProbabilities[target]!;
      loss[0]! += losses[n] * scale;
      const dLogits = operand(
        logProbabilities.map((p, v) => (Math.exp(p) - (v === target ? 1 : 0)) * scale),
        precision,
      );
      dLogits.forEach((dlogit, v) => {
        for (let c = 0; c < C; c++) {
          if (dx) dx[n * C + c]! += dlogit * w[v * C + c]!;
          if (dw) dw[v * C + c]! += dlogit * row[c]!;
        }
      });
    });
  },
  ownGradient: {
    asked: (attributes, { x, w }) => ({ ...attributes, dx: attributes.dx || x, dw: attributes.dw || w }),
    made: ({ dx, dw }) => ({ x: dx, w: dw }),
  },
  recomputable: false,
  flops: ({ N, C, V }, { dx, dw }) => 2 * (1 + Number(dx) + Number(dw)) * N * C * V,
  examples: [
    ...[false, true].flatMap((both) => {
      const attributes = { dx: both, dw: both, precision: "float32" as const };
      return [
        { inputs: [f32(7, 5), f32(11, 5), { ...i32(7), below: 11 }, inverse(7)], attributes },
        { inputs: [f32(5, 3), f32(13, 3), { ...i32(5), values: [12, -1, 0, -100, 4] }, inverse(3)], attributes },
        {
          inputs: [f32(2, 3), f32(4, 3), { ...i32(2), values: [-1, -1] }, { ...f32(1), values: [0], differentiable: false as const }],
          attributes,
        },
        // A pass of a step in which a hundred tokens count.
        { inputs: [f32(37, 19), { ...f32(301, 19), scale: 2 }, { ...i32(37), below: 301 }, inverse(100)], attributes },
        // A logit's gradient that lies between two bfloat16 may be rounded to the other one.
        {
          inputs: [f32(37, 19), { ...f32(301, 19), scale: 2 }, { ...i32(37), below: 301 }, inverse(37)],
          attributes: { ...attributes, precision: "bfloat16" as const },
          tolerance: 2 ** -8,
          differentiable: false as const,
        },
      ];
    }),
    { inputs: [f32(7, 5), f32(11, 5), { ...i32(7), below: 11 }, inverse(7)], attributes: { dx: true, dw: false, precision: "float32" } },
    { inputs: [f32(7, 5), f32(11, 5), { ...i32(7), below: 11 }, inverse(7)], attributes: { dx: false, dw: true, precision: "float32" } },
    ...weightDTypes.flatMap((dtype) => frozenExamples(dtype)),
  ],
});

/** 1 / count. */
function inverse(count: number): ExampleInput {
  return { ...f32(1), values: [1 / count], differentiable: false };
}

/** A frozen output matrix: of its rows the logits are made, and of the same rows the gradient towards x. */
function frozenExamples(dtype: DType): Example<LinearCrossEntropyAttributes>[] {
  const C = elementLayouts[dtype].block === 1 ? 19 : 2 * elementLayouts[dtype].block;
  const inputs = [f32(6, C), { dtype, shape: [37, C], role: "weight" as const }, { ...i32(6), values: [36, 0, -1, 5, 5, 17] }, inverse(5)];
  return [false, true].map((dx) => ({ inputs, attributes: { dx, dw: false, precision: "float32" } }));
}

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
