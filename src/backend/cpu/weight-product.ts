// Products with a weight on the CPU. How they are computed depends on the weight's layout, the form and the rounding, never on the number of rows,
// so that a row's bits are the same alone and among others; and what is packed for it is packed once.
//
//   form  rounding   layout      the weight is
//   nt    float32    not f32     read as it lies, by lanes of the depth: a panel of floats would take twice its bytes or more
//   nt    int8       quantised   interleaved once, the file's bits in about the file's bytes
//   any   any other  plain       packed once in panels
//   any   any other  quantised   widened and packed slab by slab in every run: a panel of floats would take several times its bytes
import { bytesOf, fail, isQuantised, type Precision, type QuantisedDType, type Rounding } from "../../base/index.ts";
import type { MatmulForm, Tensor, TensorType } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering } from "./lower.ts";

export interface WeightProduct {
  readonly form: MatmulForm;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly precision: Rounding;
}

/** y [m, n] = x · weight, or x · weightᵀ in form nt; x and y are addresses. */
export function weightProduct(to: Lowering, weight: Tensor, { form, m, n, k, precision }: WeightProduct, x: number, y: number): void {
  const type = weightTypeOf(weight);
  if (precision === "int8")
    return isQuantised(type) ? interleaved(to, weight, { type, m, n, k }, x, y) : fail("cpu", `${type} is not quantised`);
  if (form === "nt" && precision === "float32" && type !== "f32")
    return to.call(library.rowsTimesWeight, { type, m, n, k }, [x, to.address(weight), y]);
  const sizes = { form, m, n, k, precision };
  return isQuantised(type) ? slabs(to, weight, sizes, x, y) : panels(to, weight, type, sizes, x, y);
}

/** The layout of a tensor that an op reads as a weight. */
export function weightTypeOf({ dtype }: TensorType): library.WeightType {
  return dtype === "i32" ? fail("cpu", "i32 is no layout of weights") : dtype;
}

/** Rows of bytes times interleaved blocks. */
function interleaved(
  to: Lowering,
  weight: Tensor,
  sizes: { readonly type: QuantisedDType; readonly m: number; readonly n: number; readonly k: number },
  x: number,
  y: number,
): void {
  const { m, ...matrix } = sizes;
  const packed = to.once(weight, "interleaved", library.packedQuantisedBytes(to.target, matrix), (pack, packed) =>
    pack.call(library.packQuantised, matrix, [pack.address(weight), packed]),
  );
  const rows = { type: sizes.type, m, k: sizes.k };
  const lines = to.scratch(library.quantisedLinesBytes(to.target, rows));
  to.call(library.quantiseLines, rows, [x, lines]);
  to.call(library.quantisedMatmul, sizes, [lines, packed, y]);
}

interface FloatProduct {
  readonly form: MatmulForm;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly precision: Precision;
}

function panels(to: Lowering, weight: Tensor, type: library.PlainType, sizes: FloatProduct, x: number, y: number): void {
  const { m: _, ...right } = sizes;
  const packed = to.once(weight, `${right.form} panels of ${right.precision}`, library.packedBytes(to.target, right), (pack, packed) =>
    pack.call(library.packMatrix, { ...right, type }, [pack.address(weight), packed]),
  );
  to.call(library.matmul, { ...sizes, accumulate: false }, [x, packed, y]);
}

/** Numbers of a slab, about: 4 MiB of floats. */
const slabNumbers = 1 << 20;

/** Some rows of the weight at a time: columns of the result in form nt, a piece of the depth in form nn. */
function slabs(to: Lowering, weight: Tensor, { form, m, n, k, precision }: FloatProduct, x: number, y: number): void {
  const [rows, channels] = form === "nt" ? [n, k] : [k, n];
  const most = Math.min(rows, Math.max(16, 16 * Math.floor(slabNumbers / channels / 16)));
  const rightOf = (count: number) => (form === "nt" ? { form, n: count, k, precision } : { form, n, k: count, precision });
  const widened = to.scratch(most * channels * 4);
  const packed = to.scratch(library.packedBytes(to.target, rightOf(most)));
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const right = rightOf(count);
    const type = weightTypeOf(weight);
    to.call(library.widenRows, { type, rows: count, channels }, [to.address(weight) + first * bytesOf(type, [channels]), widened]);
    to.call(library.packMatrix, right, [widened, packed]);
    if (form === "nt") to.call(library.matmul, { ...right, m, accumulate: false, resultStride: n }, [x, packed, y + first * 4]);
    else to.call(library.matmul, { ...right, m, accumulate: first > 0, leftStride: k }, [x + first * 4, packed, y]);
  }
}
