// Products with a weight on the CPU. What a weight is packed into depends on its layout, the form and the rounding, never on the number of rows,
// so that a row's bits are the same alone and among others; and it is packed once.
//
//   layout      form     rounding   the weight's panels hold
//   quantised   any      any        the file's bits; products in floats widen them in a thread's scratch
//   bf16        any      any        the file's bits, in pairs
//   f16         any      float32    the file's bits
//   f32         any      float32    the file's bits
//   f16, f32    any      bfloat16   pairs of bfloat16, rounded
import { fail, isQuantised, type Precision, type QuantisedDType, type Rounding, type WeightDType } from "../../base/index.ts";
import type { MatmulForm, Tensor, TensorType } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering, WeightForm } from "./lower-graph.ts";

/** Sizes, form and rounding of a product with a weight. */
export interface WeightProduct {
  readonly form: MatmulForm;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly precision: Rounding;
}

/** y [m, n] = x · weight, or x · weightᵀ in form nt; x and y are addresses. Rows beyond the live ones stay as they are. */
export function weightProduct(to: Lowering, weight: Tensor, { form, m, n, k, precision }: WeightProduct, x: number, y: number): void {
  const type = weightTypeOf(weight);
  const live = to.liveRows(m);
  const rows = { m, ...(live !== undefined && { live: true as const }) };
  const counted = live === undefined ? [] : [live];
  if (precision !== "int8") {
    const packed = to.once(weight, floatForm(to, weight, { form, n, k, precision }));
    return to.call(library.matmul, { form, n, k, precision, type, ...rows }, [x, packed, y, ...counted]);
  }
  if (!isQuantised(type)) return fail("cpu", `${type} is not quantised`);
  const packed = to.once(weight, quantisedForm(to, weight, type));
  const lines = to.scratch(library.quantisedLinesBytes(to.target, { type, m, k }));
  to.call(library.quantiseLines, { type, k, ...rows }, [x, lines, ...counted]);
  to.call(library.quantisedMatmul, { type, n, k, ...rows }, [lines, packed, y, ...counted]);
}

/** The layout of a tensor that an op reads as a weight. */
export function weightTypeOf({ dtype }: TensorType): WeightDType {
  return dtype === "i32" ? fail("cpu", "i32 is no layout of weights") : dtype;
}

interface FloatSizes {
  readonly form: MatmulForm;
  readonly n: number;
  readonly k: number;
  readonly precision: Precision;
}

function floatForm(to: Lowering, weight: Tensor, sizes: FloatSizes): WeightForm {
  const type = weightTypeOf(weight);
  if (isQuantised(type)) return quantisedForm(to, weight, type);
  const right = { ...sizes, type };
  // Two roundings share what holds the same bits.
  const kept = type === "bf16" ? { ...right, precision: "bfloat16" as const } : right;
  return {
    name: `${sizes.form} panels of ${library.panelWord(kept)}`,
    bytes: library.packedBytes(to.target, kept),
    pack: (calls, plain, packed) => calls.call(library.packMatrix, kept, [plain, packed]),
    ...(library.keepsBits(kept) && { unpack: (calls, packed, plain) => calls.call(library.unpackMatrix, kept, [packed, plain]) }),
  };
}

/** Panels of the weight's rows, for either form of a product and any rounding. */
export function quantisedForm(to: Lowering, { shape }: Tensor, type: QuantisedDType): WeightForm {
  const [n = 1, k = 1] = shape;
  const sizes = { type, n, k };
  return {
    name: "panels of its bits",
    bytes: library.packedQuantisedBytes(to.target, sizes),
    pack: (calls, plain, packed) => calls.call(library.packQuantised, sizes, [plain, packed]),
    unpack: (calls, packed, plain) => calls.call(library.unpackQuantised, sizes, [packed, plain]),
  };
}
