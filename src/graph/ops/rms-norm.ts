// RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467): y_i = g_i · x_i / sqrt(mean(x²) + ε), row by row.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

export type NormAttributes = { readonly epsilon: number };

/** x [R, C] and gain [C] → [R, C]. */
export function rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  return rmsNormOp.apply({ x, gain }, { epsilon }).y;
}

export const rmsNormOp = defineOp<NormAttributes>()({
  name: "rmsNorm",
  inputs: { x: "R C", gain: "C" },
  outputs: { y: "R C" },
  reference({ x, gain }, { y }, { R, C }, { epsilon }) {
    for (let r = 0; r < R; r++) {
      const row = x.subarray(r * C, (r + 1) * C);
      const scale = inverseRms(row, epsilon);
      const normed = row.map((x, c) => gain[c]! * x * scale);
      y.set(normed, r * C);
    }
  },
  gradient({ x, gain }, { y: dy }, attributes) {
    const { dx, dgain } = rmsNormGradientOp.apply({ x, gain, dy }, attributes);
    return { x: dx, gain: dgain };
  },
  recomputable: true,
  examples: [
    { inputs: [f32(3, 5), f32(5)], attributes: { epsilon: 1e-5 } },
    {
      inputs: [
        { ...f32(2, 37), scale: 1e-2 },
        { ...f32(37), offset: 1 },
      ],
      attributes: { epsilon: 1e-2 },
    },
  ],
});

/** With r = 1 / rms(x): dx = r · (g·dy − x · r² · mean(g·dy·x)), dgain = Σ_rows dy·x·r. */
export const rmsNormGradientOp = defineOp<NormAttributes>()({
  name: "rmsNormGradient",
  inputs: { x: "R C", gain: "C", dy: "R C" },
  outputs: { dx: "R C", dgain: "C" },
  reference({ x, gain, dy }, { dx, dgain }, { R, C }, { epsilon }) {
    for (let r = 0; r < R; r++) {
      const [row, dRow] = [x.subarray(r * C, (r + 1) * C), dy.subarray(r * C, (r + 1) * C)];
      const scale = inverseRms(row, epsilon);
      const d = dRow.map((dy, c) => gain[c]! * dy);
      const mean = row.reduce((sum, x, c) => sum + (d[c]! * x) / C, 0);
      row.forEach((x, c) => {
        dx[r * C + c] = scale * (d[c]! - x * scale * scale * mean);
        dgain[c]! += dRow[c]! * x * scale;
      });
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(3, 5)], attributes: { epsilon: 1e-5 } },
    { inputs: [f32(17, 37), { ...f32(37), offset: 1 }, f32(17, 37)], attributes: { epsilon: 1e-2 } },
  ],
});

function inverseRms(row: Float64Array, epsilon: number): number {
  const square = row.reduce((sum, x) => sum + x * x, 0);
  return 1 / Math.sqrt(square / row.length + epsilon);
}
