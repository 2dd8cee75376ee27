// A plain activation between two matrices of a feed-forward layer.
import type { Op } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { type ActivationAttributes, activationFunctionNames, activationFunctions } from "./activation-functions.ts";
import { match } from "./match.ts";

/** x [R, F] → act(x) [R, F]. */
export function activation(x: Tensor, attributes: ActivationAttributes): Tensor {
  return x.graph.apply(activationOp, [x], attributes)[0]!;
}

export const activationOp: Op<ActivationAttributes> = {
  name: "activation",
  shape(inputs) {
    const { R, F } = match("activation", inputs, { x: "R F" });
    return [f32(R, F)];
  },
  reference([x], [y], { activation, beta }) {
    const { value } = activationFunctions[activation];
    for (let i = 0; i < y!.length; i++) y![i] = value(x![i]!, beta);
  },
  gradient: ({ inputs: [x], doutputs: [dy], attributes }) => x!.graph.apply(activationGradientOp, [x!, dy!], attributes),
  recomputable: true,
  mayAlias: [[0, 0]],
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }],
    attributes: { activation, beta: 1.5 },
  })),
};

/** dx = act′(x) · dy. */
export const activationGradientOp: Op<ActivationAttributes> = {
  name: "activationGradient",
  shape(inputs) {
    const { R, F } = match("activationGradient", inputs, { x: "R F", dy: "R F" });
    return [f32(R, F)];
  },
  reference([x, dy], [dx], { activation, beta }) {
    const { slope } = activationFunctions[activation];
    for (let i = 0; i < dx!.length; i++) dx![i] = slope(x![i]!, beta) * dy![i]!;
  },
  recomputable: false,
  mayAlias: [
    [0, 0],
    [0, 1],
  ],
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
};
