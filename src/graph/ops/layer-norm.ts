// LayerNorm (Ba et al. 2016, arXiv 1607.06450): y_i = g_i · (x_i − mean) / sqrt(variance + ε) + b_i, row by row.
import type { Op, Values } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { match } from "./match.ts";
import type { NormAttributes } from "./rms-norm.ts";

/** x [R, C], gain [C] and bias [C] → [R, C]. */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
  return x.graph.apply(layerNormOp, [x, gain, bias], { epsilon })[0]!;
}

/** x [R, C], gain [C] and dy [R, C] → dx [R, C], dgain [C], dbias [C]. */
export function layerNormGradient(x: Tensor, gain: Tensor, dy: Tensor, epsilon: number): { dx: Tensor; dgain: Tensor; dbias: Tensor } {
  const [dx, dgain, dbias] = x.graph.apply(layerNormGradientOp, [x, gain, dy], { epsilon });
  return { dx: dx!, dgain: dgain!, dbias: dbias! };
}

const shapes = { x: "R C", gain: "C", bias: "C" } as const;

export const layerNormOp: Op<NormAttributes> = {
  name: "layerNorm",
  shape(inputs) {
    const { R, C } = match("layerNorm", inputs, shapes);
    return [f32(R, C)];
  },
  reference([x, gain, bias], [y], { epsilon }, types) {
    const { R, C } = match("layerNorm", types, shapes);
    for (let r = 0; r < R; r++) {
      const { mean, scale } = moments(x!, r, C, epsilon);
      for (let c = 0; c < C; c++) y![r * C + c] = gain![c]! * (x![r * C + c]! - mean) * scale + bias![c]!;
    }
  },
  gradient({ inputs: [x, gain], doutputs: [dy], attributes: { epsilon } }) {
    const { dx, dgain, dbias } = layerNormGradient(x!, gain!, dy!, epsilon);
    return [dx, dgain, dbias];
  },
  recomputable: true,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(5)], attributes: { epsilon: 1e-5 } },
    { inputs: [{ ...f32(2, 37), offset: 3 }, { ...f32(37), offset: 1 }, f32(37)], attributes: { epsilon: 1e-2 } },
  ],
};

const gradientShapes = { x: "R C", gain: "C", dy: "R C" } as const;

/** With z = (x − mean)·scale: dx = scale · (g·dy − mean(g·dy) − z · mean(g·dy·z)), dgain = Σ_rows dy·z, dbias = Σ_rows dy. */
export const layerNormGradientOp: Op<NormAttributes> = {
  name: "layerNormGradient",
  shape(inputs) {
    const { R, C } = match("layerNormGradient", inputs, gradientShapes);
    return [f32(R, C), f32(C), f32(C)];
  },
  reference([x, gain, dy], [dx, dgain, dbias], { epsilon }, types) {
    const { R, C } = match("layerNormGradient", types, gradientShapes);
    for (let r = 0; r < R; r++) {
      const { mean, scale } = moments(x!, r, C, epsilon);
      const z = (c: number) => (x![r * C + c]! - mean) * scale;
      let meanOfD = 0;
      let meanOfDz = 0;
      for (let c = 0; c < C; c++) {
        const d = (gain![c]! * dy![r * C + c]!) / C;
        meanOfD += d;
        meanOfDz += d * z(c);
      }
      for (let c = 0; c < C; c++) {
        const i = r * C + c;
        dx![i] = scale * (gain![c]! * dy![i]! - meanOfD - z(c) * meanOfDz);
        dgain![c]! += dy![i]! * z(c);
        dbias![c]! += dy![i]!;
      }
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 5), f32(5), f32(3, 5)], attributes: { epsilon: 1e-5 } },
    { inputs: [{ ...f32(17, 37), offset: 3 }, { ...f32(37), offset: 1 }, f32(17, 37)], attributes: { epsilon: 1e-2 } },
  ],
};

/** Mean and 1 / sqrt(variance + ε) of a row; the variance is the biased one. */
function moments(x: Values, row: number, C: number, epsilon: number): { mean: number; scale: number } {
  let mean = 0;
  for (let c = 0; c < C; c++) mean += x[row * C + c]! / C;
  let variance = 0;
  for (let c = 0; c < C; c++) variance += (x[row * C + c]! - mean) ** 2 / C;
  return { mean, scale: 1 / Math.sqrt(variance + epsilon) };
}
