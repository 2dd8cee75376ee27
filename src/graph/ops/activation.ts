// A plain activation between two matrices of a feed-forward layer.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { type ActivationAttributes, activationFunctionNames, activationFunctions } from "./activation-functions.ts";

/** x [R, F] → act(x) [R, F]. */
export function activation(x: Tensor, attributes: ActivationAttributes): Tensor {
  return activationOp.apply({ x }, attributes).y;
}

/** The op of {@link activation}: its shapes, meaning and gradient. */
export const activationOp = defineOp<ActivationAttributes>()({
  name: "activation",
  inputs: { x: "R F" },
  outputs: { y: "R F" },
  reference({ x }, { y }, _, { activation, beta }) {
    const { value } = activationFunctions[activation];
    y.set(x.map((x) => value(x, beta)));
  },
  gradient: ({ x }, { y: dy }, attributes) => ({ x: activationGradientOp.apply({ x, dy }, attributes).dx }),
  recomputable: true,
  mayAlias: { y: ["x"] },
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }],
    attributes: { activation, beta: 1.5 },
  })),
});

/** dx = act′(x) · dy. */
export const activationGradientOp = defineOp<ActivationAttributes>()({
  name: "activationGradient",
  inputs: { x: "R F", dy: "R F" },
  outputs: { dx: "R F" },
  reference({ x, dy }, { dx }, _, { activation, beta }) {
    const { slope } = activationFunctions[activation];
    dx.set(x.map((x, i) => slope(x, beta) * dy[i]!));
  },
  recomputable: false,
  mayAlias: { dx: ["x", "dy"] },
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
});
