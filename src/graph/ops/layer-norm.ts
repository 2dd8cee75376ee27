// LayerNorm (Ba et al. 2016, arXiv 1607.06450): y_i = g_i · (x_i − mean) / sqrt(variance + ε) + b_i, row by row.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";
import type { NormAttributes } from "./rms-norm.ts";

/** x [R, C], gain [C] and bias [C] → [R, C]. */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
  return layerNormOp.apply({ x, gain, bias }, { epsilon }).y;
}

/** The op of {@link layerNorm}: its shapes, meaning and gradient. */
export const layerNormOp = defineOp<NormAttributes>()({
  name: "layerNorm",
  inputs: { x: "R C", gain: "C", bias: "C" },
  outputs: { y: "R C" },
  reference({ x, gain, bias }, { y }, { R, C }, { epsilon }) {
    for (let r = 0; r < R; r++) {
      const row = x.subarray(r * C, (r + 1) * C);
      const { z } = standardised(row, epsilon);
      y.set(
        z.map((z, c) => gain[c]! * z + bias[c]!),
        r * C,
      );
    }
  },
  gradient({ x, gain }, { y: dy }, attributes) {
    const { dx, dgain, dbias } = layerNormGradientOp.apply({ x, gain, dy }, attributes);
    return { x: dx, gain: dgain, bias: dbias };
  },
  recomputable: true,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(5)], attributes: { epsilon: 1e-5 } },
    { inputs: [{ ...f32(2, 37), offset: 3 }, { ...f32(37), offset: 1 }, f32(37)], attributes: { epsilon: 1e-2 } },
  ],
});

/** The gradients, where z = (x − mean)·scale: dx = scale · (g·dy − mean(g·dy) − z · mean(g·dy·z)), dgain = Σ_rows dy·z, dbias = Σ_rows dy. */
export const layerNormGradientOp = defineOp<NormAttributes>()({
  name: "layerNormGradient",
  inputs: { x: "R C", gain: "C", dy: "R C" },
  outputs: { dx: "R C", dgain: "C", dbias: "C" },
  reference({ x, gain, dy }, { dx, dgain, dbias }, { R, C }, { epsilon }) {
    for (let r = 0; r < R; r++) {
      const dRow = dy.subarray(r * C, (r + 1) * C);
      const { z, scale } = standardised(x.subarray(r * C, (r + 1) * C), epsilon);
      const d = dRow.map((dy, c) => gain[c]! * dy);
      const meanOfD = d.reduce((sum, d) => sum + d / C, 0);
      const meanOfDz = d.reduce((sum, d, c) => sum + (d * z[c]!) / C, 0);
      z.forEach((z, c) => {
        dx[r * C + c] = scale * (d[c]! - meanOfD - z * meanOfDz);
        dgain[c]! += dRow[c]! * z;
        dbias[c]! += dRow[c]!;
      });
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(3, 5)], attributes: { epsilon: 1e-5 } },
    { inputs: [{ ...f32(17, 37), offset: 3 }, { ...f32(37), offset: 1 }, f32(17, 37)], attributes: { epsilon: 1e-2 } },
  ],
});

/** A row with mean 0 and variance 1 but for ε, and 1 / sqrt(variance + ε); the variance is the biased one. */
function standardised(row: Float64Array, epsilon: number): { z: Float64Array; scale: number } {
  const C = row.length;
  const mean = row.reduce((sum, x) => sum + x / C, 0);
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2 / C, 0);
  const scale = 1 / Math.sqrt(variance + epsilon);
  return { z: row.map((x) => (x - mean) * scale), scale };
}
