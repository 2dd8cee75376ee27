// Gated linear units (Shazeer 2020, arXiv 2002.05202): act(gate) ⊙ up. The activation names the member of the family:
// sigmoid GLU, none Bilinear, relu ReGLU, gelu GEGLU, swish SwiGLU.
import type { Op } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { type ActivationAttributes, activationFunctionNames, activationFunctions } from "./activation-functions.ts";
import { match } from "./match.ts";

/** gate and up [R, F] → act(gate) ⊙ up [R, F]. */
export function glu(gate: Tensor, up: Tensor, attributes: ActivationAttributes): Tensor {
  return gate.graph.apply(gluOp, [gate, up], attributes)[0]!;
}

export const gluOp: Op<ActivationAttributes> = {
  name: "glu",
  shape(inputs) {
    const { R, F } = match("glu", inputs, { gate: "R F", up: "R F" });
    return [f32(R, F)];
  },
  reference([gate, up], [y], { activation, beta }) {
    const { value } = activationFunctions[activation];
    for (let i = 0; i < y!.length; i++) y![i] = value(gate![i]!, beta) * up![i]!;
  },
  gradient: ({ inputs: [gate, up], doutputs: [dy], attributes }) => gate!.graph.apply(gluGradientOp, [gate!, up!, dy!], attributes),
  recomputable: true,
  mayAlias: [
    [0, 0],
    [0, 1],
  ],
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
};

/** dgate = act′(gate) · up · dy, dup = act(gate) · dy. */
export const gluGradientOp: Op<ActivationAttributes> = {
  name: "gluGradient",
  shape(inputs) {
    const { R, F } = match("gluGradient", inputs, { gate: "R F", up: "R F", dy: "R F" });
    return [f32(R, F), f32(R, F)];
  },
  reference([gate, up, dy], [dgate, dup], { activation, beta }) {
    const { value, slope } = activationFunctions[activation];
    for (let i = 0; i < dgate!.length; i++) {
      dgate![i] = slope(gate![i]!, beta) * up![i]! * dy![i]!;
      dup![i] = value(gate![i]!, beta) * dy![i]!;
    }
  },
  recomputable: false,
  mayAlias: [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 2],
  ],
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37), f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
};
