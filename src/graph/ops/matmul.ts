// Matrix products in the three forms that a linear layer and its gradients need; each form's gradient is made of the other forms.
import { type Precision, roundToBfloat16, sizeOf } from "../../base/index.ts";
import type { Op, Values } from "../op.ts";
import { f32, type Tensor, type TensorType } from "../tensor.ts";
import { match } from "./match.ts";

/** Which factor is transposed, as in BLAS: a·bᵀ, a·b or aᵀ·b. */
export type MatmulForm = "nt" | "nn" | "tn";
export type MatmulAttributes = {
  readonly form: MatmulForm;
  /** What a and b are rounded to. */
  readonly precision: Precision;
};

/** a and b → [M, N]. @throws CriaError when the inner sizes K differ. */
export function matmul(a: Tensor, b: Tensor, form: MatmulForm, precision = a.graph.precision): Tensor {
  return a.graph.apply(matmulOp, [a, b], { form, precision })[0]!;
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
const gradients: Record<MatmulForm, (a: Tensor, b: Tensor, dy: Tensor, precision: Precision) => { db: Tensor; da: Tensor }> = {
  nt: (a, b, dy, precision) => ({ db: matmul(dy, a, "tn", precision), da: matmul(dy, b, "nn", precision) }),
  nn: (a, b, dy, precision) => ({ db: matmul(a, dy, "tn", precision), da: matmul(dy, b, "nt", precision) }),
  tn: (a, b, dy, precision) => ({ db: matmul(a, dy, "nn", precision), da: matmul(b, dy, "nt", precision) }),
};

/** Values as a product of this precision sees them. */
export function operand(values: Values, precision: Precision): Values {
  return precision === "bfloat16" ? values.map(roundToBfloat16) : values;
}

export const matmulOp: Op<MatmulAttributes> = {
  name: "matmul",
  shape(inputs, { form }) {
    const { M, N } = match("matmul", inputs, shapes[form]);
    return [f32(M, N)];
  },
  reference(inputs, [y], { form, precision }, types) {
    const [a, b] = inputs.map((values) => operand(values, precision));
    const { M, N, K } = match("matmul", types, shapes[form]);
    const [aRow, aColumn] = form === "tn" ? [1, M] : [K, 1];
    const [bRow, bColumn] = form === "nt" ? [1, K] : [N, 1];
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a![m * aRow + k * aColumn]! * b![k * bRow + n * bColumn]!;
        y![m * N + n] = sum;
      }
  },
  gradient({ inputs: [a, b], doutputs: [dy], attributes: { form, precision } }) {
    const { da, db } = gradients[form](a!, b!, dy!, precision);
    return [da, db];
  },
  recomputable: false,
  flops: (inputs: readonly TensorType[], { form }) => {
    const { N } = match("matmul", inputs, shapes[form]);
    return 2 * sizeOf(inputs[0]!.shape) * N;
  },
  examples: [
    { inputs: [f32(5, 7), f32(3, 7)], attributes: { form: "nt", precision: "float32" } },
    { inputs: [f32(5, 7), f32(7, 3)], attributes: { form: "nn", precision: "float32" } },
    { inputs: [f32(7, 5), f32(7, 3)], attributes: { form: "tn", precision: "float32" } },
    { inputs: [f32(1, 1), f32(1, 1)], attributes: { form: "nt", precision: "float32" } },
    ...(["float32", "bfloat16"] as const).flatMap((precision) => [
      { inputs: [f32(33, 19), f32(65, 19)], attributes: { form: "nt" as const, precision } },
      { inputs: [f32(33, 19), f32(19, 65)], attributes: { form: "nn" as const, precision } },
      { inputs: [f32(19, 33), f32(19, 65)], attributes: { form: "tn" as const, precision } },
      { inputs: [f32(3, 70), f32(17, 70)], attributes: { form: "nt" as const, precision } },
    ]),
  ],
};
