// RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467): y_i = g_i · x_i / sqrt(mean(x²) + ε), row by row.
import type { Op, Values } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { match } from "./match.ts";

export type NormAttributes = { readonly epsilon: number };

/** x [R, C] and gain [C] → [R, C]. */
export function rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  return x.graph.apply(rmsNormOp, [x, gain], { epsilon })[0]!;
}

/** x [R, C], gain [C] and dy [R, C] → dx [R, C], dgain [C]. */
export function rmsNormGradient(x: Tensor, gain: Tensor, dy: Tensor, epsilon: number): { dx: Tensor; dgain: Tensor } {
  const [dx, dgain] = x.graph.apply(rmsNormGradientOp, [x, gain, dy], { epsilon });
  return { dx: dx!, dgain: dgain! };
}

const shapes = { x: "R C", gain: "C" } as const;

export const rmsNormOp: Op<NormAttributes> = {
  name: "rmsNorm",
  shape(inputs) {
    const { R, C } = match("rmsNorm", inputs, shapes);
    return [f32(R, C)];
  },
  reference([x, gain], [y], { epsilon }, types) {
    const { R, C } = match("rmsNorm", types, shapes);
    for (let r = 0; r < R; r++) {
      const scale = inverseRms(x!, r, C, epsilon);
      for (let c = 0; c < C; c++) y![r * C + c] = gain![c]! * x![r * C + c]! * scale;
    }
  },
  gradient({ inputs: [x, gain], doutputs: [dy], attributes: { epsilon } }) {
    const { dx, dgain } = rmsNormGradient(x!, gain!, dy!, epsilon);
    return [dx, dgain];
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
};

const gradientShapes = { x: "R C", gain: "C", dy: "R C" } as const;

/** With r = 1 / rms(x): dx = r · (g·dy − x · r² · mean(g·dy·x)), dgain = Σ_rows dy·x·r. */
export const rmsNormGradientOp: Op<NormAttributes> = {
  name: "rmsNormGradient",
  shape(inputs) {
    const { R, C } = match("rmsNormGradient", inputs, gradientShapes);
    return [f32(R, C), f32(C)];
  },
  reference([x, gain, dy], [dx, dgain], { epsilon }, types) {
    const { R, C } = match("rmsNormGradient", types, gradientShapes);
    for (let r = 0; r < R; r++) {
      const scale = inverseRms(x!, r, C, epsilon);
      let mean = 0;
      for (let c = 0; c < C; c++) mean += (gain![c]! * dy![r * C + c]! * x![r * C + c]!) / C;
      for (let c = 0; c < C; c++) {
        const i = r * C + c;
        dx![i] = scale * (gain![c]! * dy![i]! - x![i]! * scale * scale * mean);
        dgain![c]! += dy![i]! * x![i]! * scale;
      }
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(3, 5)], attributes: { epsilon: 1e-5 } },
    { inputs: [f32(17, 37), { ...f32(37), offset: 1 }, f32(17, 37)], attributes: { epsilon: 1e-2 } },
  ],
};

function inverseRms(x: Values, row: number, C: number, epsilon: number): number {
  let square = 0;
  for (let c = 0; c < C; c++) square += x[row * C + c]! ** 2;
  return 1 / Math.sqrt(square / C + epsilon);
}
