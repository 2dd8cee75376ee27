// Matrix products in the three forms that a linear layer and its gradients need; each form's gradient is made of the other forms.
import {
  check,
  type DType,
  elementLayouts,
  isQuantised,
  type Precision,
  type Rounding,
  roundToBfloat16,
  roundToInt8Blocks,
  weightDTypes,
} from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import type { Example } from "../op.ts";
import { f32, type Role, type Tensor } from "../tensor.ts";

/** Which factor is transposed, as in BLAS: a·bᵀ, a·b or aᵀ·b. */
export type MatmulForm = "nt" | "nn" | "tn";
/** How the factors of a product lie, and what they are rounded to. */
export type MatmulAttributes = {
  readonly form: MatmulForm;
  /** What a and b are rounded to: both to the same float, or with "int8" a alone to blocks of bytes, b being a quantised weight in form nt. */
  readonly precision: Rounding;
};

/** a and b → [M, N]; in forms nt and nn, b may be a weight of any layout. @throws CriaError when the inner sizes K differ. */
export function matmul(a: Tensor, b: Tensor, form: MatmulForm, precision: Rounding = a.graph.precision): Tensor {
  return matmulOp.apply({ a, b }, { form, precision }).y;
}

/** A linear layer without bias: x [N, in] and w [out, in], as checkpoints store it → x·wᵀ [N, out]; w may be a weight of any layout. */
export function linear(x: Tensor, w: Tensor, precision: Rounding = isQuantised(w.dtype) ? x.graph.quantised : x.graph.precision): Tensor {
  return matmul(x, w, "nt", precision);
}

const shapes = {
  nt: { a: "M K", b: "weight N K" },
  nn: { a: "M K", b: "weight K N" },
  tn: { a: "K M", b: "K N" },
} as const;

/** db first: when `a` was recomputed for it, `a` dies before da is made. */
const gradients: Record<MatmulForm, (a: Tensor, b: Tensor, dy: Tensor, precision: Precision) => { b: Tensor; a: Tensor }> = {
  nt: (a, b, dy, precision) => ({ b: matmul(dy, a, "tn", precision), a: matmul(dy, b, "nn", precision) }),
  nn: (a, b, dy, precision) => ({ b: matmul(a, dy, "tn", precision), a: matmul(dy, b, "nt", precision) }),
  tn: (a, b, dy, precision) => ({ b: matmul(a, dy, "nn", precision), a: matmul(b, dy, "nt", precision) }),
};

/** Values as a product of this precision sees them. */
export function operand(values: Float64Array, precision: Rounding): Float64Array {
  return precision === "bfloat16" ? values.map(roundToBfloat16) : values;
}

/** Blocks of bytes are what a gradient is not rounded to: the gradient is that of the exact product. */
function ofGradient(precision: Rounding): Precision {
  return precision === "int8" ? "float32" : precision;
}

/** The op of {@link matmul}: its shapes, meaning and gradient. */
export const matmulOp = defineOp<MatmulAttributes>()({
  name: "matmul",
  inputs: ({ form }) => shapes[form],
  outputs: { y: "M N" },
  sizes(_, { form, precision }, { b }) {
    const fits = precision !== "int8" || (form === "nt" && isQuantised(b.dtype));
    check(fits, "matmul", () => `form ${form} with b ${b.dtype} has no "int8": form nt with a quantised weight has`);
    return {};
  },
  reference(exact, { y }, { M, N, K }, { form, precision }) {
    const a = precision === "int8" ? roundToInt8Blocks(exact.a) : operand(exact.a, precision);
    const b = operand(exact.b, precision);
    const [aRow, aColumn] = form === "tn" ? [1, M] : [K, 1];
    const [bRow, bColumn] = form === "nt" ? [1, K] : [N, 1];
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a[m * aRow + k * aColumn]! * b[k * bRow + n * bColumn]!;
        y[m * N + n] = sum;
      }
  },
  gradient: ({ a, b }, { y: dy }, { form, precision }) => gradients[form](a, b, dy, ofGradient(precision)),
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
    ...weightDTypes.flatMap((dtype) => weightExamples(dtype)),
  ],
});

/** Weights of every layout in both forms and every rounding, one row and several; bfloat16 is rounded after blocks are widened, so one layout of blocks stands for all. */
function weightExamples(dtype: DType): Example<MatmulAttributes>[] {
  const { block } = elementLayouts[dtype];
  const [inner, odd] = { 1: [19, 37], 32: [96, 32], 256: [512, 256] }[block] as [number, number];
  const weight = (...shape: number[]) => ({ dtype, shape, role: "weight" as const satisfies Role });
  const precisions = isQuantised(dtype) && dtype !== "q8_0" ? (["float32"] as const) : (["float32", "bfloat16"] as const);
  const products = precisions.flatMap((precision) => [
    { inputs: [f32(1, inner), weight(37, inner)], attributes: { form: "nt" as const, precision } },
    { inputs: [f32(6, inner), weight(9, inner)], attributes: { form: "nt" as const, precision } },
    { inputs: [f32(5, 19), weight(19, odd)], attributes: { form: "nn" as const, precision } },
  ]);
  const bytes = [1, 6].map((rows) => ({
    inputs: [f32(rows, inner), weight(rows === 1 ? 37 : 9, inner)],
    attributes: { form: "nt" as const, precision: "int8" as const },
  }));
  return [...products, ...(isQuantised(dtype) ? bytes : [])].map((example) =>
    example.attributes.precision === "float32" ? example : { ...example, differentiable: false },
  );
}
