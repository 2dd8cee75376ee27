// Matrix products in the three forms that a linear layer and its gradients need; each form's gradient is made of the other forms.
import { type Precision, roundToBfloat16 } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** Which factor is transposed, as in BLAS: a·bᵀ, a·b or aᵀ·b. */
export type MatmulForm = "nt" | "nn" | "tn";
export type MatmulAttributes = {
  readonly form: MatmulForm;
  /** What a and b are rounded to. */
  readonly precision: Precision;
};

/** a and b → [M, N]. @throws CriaError when the inner sizes K differ. */
export function matmul(a: Tensor, b: Tensor, form: MatmulForm, precision = a.graph.precision): Tensor {
  return matmulOp.apply({ a, b }, { form, precision }).y;
}

/** A linear layer without bias: x [N, in] and w [out, in], as checkpoints store it → x·wᵀ [N, out]. */
export function linear(x: Tensor, w: Tensor): Tensor {
  return matmul(x, w, "nt");
}

const shapes = {
  nt: { a: "M K", b: "N K" },
  nn: { a: "M K", b: "K N" },
  tn: { a: "K M", b: "K N" },
} as const;

/** db first: when `a` was recomputed for it, `a` dies before da is made. */
const gradients: Record<MatmulForm, (a: Tensor, b: Tensor, dy: Tensor, precision: Precision) => { b: Tensor; a: Tensor }> = {
  nt: (a, b, dy, precision) => ({ b: matmul(dy, a, "tn", precision), a: matmul(dy, b, "nn", precision) }),
  nn: (a, b, dy, precision) => ({ b: matmul(a, dy, "tn", precision), a: matmul(dy, b, "nt", precision) }),
  tn: (a, b, dy, precision) => ({ b: matmul(a, dy, "nn", precision), a: matmul(b, dy, "nt", precision) }),
};

/** Values as a product of this precision sees them. */
export function operand(values: Float64Array, precision: Precision): Float64Array {
  return precision === "bfloat16" ? values.map(roundToBfloat16) : values;
}

export const matmulOp = defineOp<MatmulAttributes>()({
  name: "matmul",
  inputs: ({ form }) => shapes[form],
  outputs: { y: "M N" },
  reference(exact, { y }, { M, N, K }, { form, precision }) {
    const [a, b] = [operand(exact.a, precision), operand(exact.b, precision)];
    const [aRow, aColumn] = form === "tn" ? [1, M] : [K, 1];
    const [bRow, bColumn] = form === "nt" ? [1, K] : [N, 1];
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a[m * aRow + k * aColumn]! * b[k * bRow + n * bColumn]!;
        y[m * N + n] = sum;
      }
  },
  gradient: ({ a, b }, { y: dy }, { form, precision }) => gradients[form](a, b, dy, precision),
  recomputable: false,
  flops: ({ M, N, K }) => 2 * M * N * K,
  examples: [
    { inputs: [f32(5, 7), f32(3, 7)], attributes: { form: "nt", precision: "float32" } },
    { inputs: [f32(5, 7), f32(7, 3)], attributes: { form: "nn", precision: "float32" } },
    { inputs: [f32(7, 5), f32(7, 3)], attributes: { form: "tn", precision: "float32" } },
    { inputs: [f32(1, 1), f32(1, 1)], attributes: { form: "nt", precision: "float32" } },
    ...(["float32", "bfloat16"] as const).flatMap((precision) =>
      [
        { inputs: [f32(33, 19), f32(65, 19)], attributes: { form: "nt" as const, precision } },
        { inputs: [f32(33, 19), f32(19, 65)], attributes: { form: "nn" as const, precision } },
        { inputs: [f32(19, 33), f32(19, 65)], attributes: { form: "tn" as const, precision } },
        { inputs: [f32(3, 70), f32(17, 70)], attributes: { form: "nt" as const, precision } },
      ].map((example) => ({ ...example, ...(precision === "bfloat16" && { differentiable: false as const }) })),
    ),
  ],
});
