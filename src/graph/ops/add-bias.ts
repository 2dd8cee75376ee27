// The bias of a linear layer: one number per channel, added to every row.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** x [R, C] and bias [C] → x + bias, row by row. */
export function addBias(x: Tensor, bias: Tensor): Tensor {
  return addBiasOp.apply({ x, bias }, {}).y;
}

/** The op of {@link addBias}: its shapes, meaning and gradient. */
export const addBiasOp = defineOp<Record<string, never>>()({
  name: "addBias",
  inputs: { x: "R C", bias: "C" },
  outputs: { y: "R C" },
  reference({ x, bias }, { y }, { C }) {
    y.set(x.map((value, at) => value + bias[at % C]!));
  },
  gradient: (_, { y: dy }) => ({ x: dy, bias: addBiasGradientOp.apply({ dy }, {}).dbias }),
  // Running it again would keep its input instead of its output: nothing is won.
  recomputable: false,
  mayAlias: { y: ["x"] },
  examples: [
    { inputs: [f32(3, 5), f32(5)], attributes: {} },
    { inputs: [f32(19, 67), f32(67)], attributes: {} },
  ],
});

/** dbias = Σ_rows dy. */
export const addBiasGradientOp = defineOp<Record<string, never>>()({
  name: "addBiasGradient",
  inputs: { dy: "R C" },
  outputs: { dbias: "C" },
  reference({ dy }, { dbias }, { C }) {
    dy.forEach((value, at) => {
      dbias[at % C]! += value;
    });
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 5)], attributes: {} },
    { inputs: [f32(70, 131)], attributes: {} },
  ],
});
