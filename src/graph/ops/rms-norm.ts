// RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467): y_i = g_i · x_i / sqrt(mean(x²) + ε), row by row, or head by head of each row.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** ε, which is added to the mean of squares or the variance. */
export type NormAttributes = { readonly epsilon: number };

/** x [R, H·C] and gain [C] → [R, H·C]: each of the H times C channels of a row by itself; H is 1 where rows are normalised as a whole. */
export function rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  return rmsNormOp.apply({ x, gain }, { epsilon }).y;
}

/** The op of {@link rmsNorm}: its shapes, meaning and gradient. */
export const rmsNormOp = defineOp<NormAttributes>()({
  name: "rmsNorm",
  inputs: { x: "R W", gain: "C" },
  outputs: { y: "R W" },
  sizes: heads,
  reference({ x, gain }, { y }, { R, H, C }, { epsilon }) {
    for (let r = 0; r < R * H; r++) {
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
    { inputs: [f32(5, 3 * 6), f32(6)], attributes: { epsilon: 1e-5 } },
  ],
});

/** The gradients, where r = 1 / rms(x): dx = r · (g·dy − x · r² · mean(g·dy·x)), dgain = Σ_rows dy·x·r. */
export const rmsNormGradientOp = defineOp<NormAttributes>()({
  name: "rmsNormGradient",
  inputs: { x: "R W", gain: "C", dy: "R W" },
  outputs: { dx: "R W", dgain: "C" },
  sizes: heads,
  reference({ x, gain, dy }, { dx, dgain }, { R, H, C }, { epsilon }) {
    for (let r = 0; r < R * H; r++) {
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
    { inputs: [f32(19, 2 * 18), { ...f32(18), offset: 1 }, f32(19, 2 * 18)], attributes: { epsilon: 1e-5 } },
  ],
});

/** How often the gain's channels go into a row. */
function heads({ W, C }: Record<"W" | "C", number>): { readonly H: number } {
  check(W % C === 0, "rmsNorm", () => `a row of ${W} channels does not split into heads of ${C}, the gain's`);
  return { H: W / C };
}

function inverseRms(row: Float64Array, epsilon: number): number {
  const square = row.reduce((sum, x) => sum + x * x, 0);
  return 1 / Math.sqrt(square / row.length + epsilon);
}
