// Gated linear units (Shazeer 2020, arXiv 2002.05202): act(gate) ⊙ up. The activation names the member of the family:
// sigmoid GLU, none Bilinear, relu ReGLU, gelu GEGLU, swish SwiGLU.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { type ActivationAttributes, activationFunctionNames, activationFunctions } from "./activation-functions.ts";

/** gate and up [R, F] → act(gate) ⊙ up [R, F]. */
export function glu(gate: Tensor, up: Tensor, attributes: ActivationAttributes): Tensor {
  return gluOp.apply({ gate, up }, attributes).y;
}

/** The op of {@link glu}: its shapes, meaning and gradient. */
export const gluOp = defineOp<ActivationAttributes>()({
  name: "glu",
  inputs: { gate: "R F", up: "R F" },
  outputs: { y: "R F" },
  reference({ gate, up }, { y }, _, { activation, beta }) {
    const { value } = activationFunctions[activation];
    y.set(gate.map((gate, i) => value(gate, beta) * up[i]!));
  },
  gradient({ gate, up }, { y: dy }, attributes) {
    const { dgate, dup } = gluGradientOp.apply({ gate, up, dy }, attributes);
    return { gate: dgate, up: dup };
  },
  recomputable: true,
  mayAlias: { y: ["gate", "up"] },
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
});

/** dgate = act′(gate) · up · dy, dup = act(gate) · dy. */
export const gluGradientOp = defineOp<ActivationAttributes>()({
  name: "gluGradient",
  inputs: { gate: "R F", up: "R F", dy: "R F" },
  outputs: { dgate: "R F", dup: "R F" },
  reference({ gate, up, dy }, { dgate, dup }, _, { activation, beta }) {
    const { value, slope } = activationFunctions[activation];
    dgate.set(gate.map((gate, i) => slope(gate, beta) * up[i]! * dy[i]!));
    dup.set(gate.map((gate, i) => value(gate, beta) * dy[i]!));
  },
  recomputable: false,
  mayAlias: { dgate: ["gate", "up", "dy"], dup: ["gate", "up", "dy"] },
  examples: activationFunctionNames.map((activation) => ({
    inputs: [{ ...f32(5, 37), scale: 2 }, f32(5, 37), f32(5, 37)],
    attributes: { activation, beta: 1.5 },
  })),
});
