// The linear layers of a model: y = W·x and what may join it. Who calls `apply` need not know what the matrix is made of.
import { addBias, linear, type Tensor } from "../graph/index.ts";

/** A linear layer, whatever its matrix is made of. */
export interface Linear {
  /** x [N, in] → [N, out]. */
  apply(x: Tensor): Tensor;
  /** W [out, in], where the layer is a product with one matrix and nothing else. */
  readonly matrix?: Tensor;
}

/** x·Wᵀ. @param matrix W [out, in]: a state, or a weight of any layout */
export function dense(matrix: Tensor): Linear {
  return { matrix, apply: (x) => linear(x, matrix) };
}

/** What `base` makes, plus a bias [out] on every row. */
export function biased(base: Linear, bias: Tensor): Linear {
  return { apply: (x) => addBias(base.apply(x), bias) };
}
