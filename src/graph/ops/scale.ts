// A tensor times a number that never changes, such as an adapter's alpha / rank.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** The number that every element is multiplied by. */
export type ScaleAttributes = { readonly factor: number };

/** x → factor · x. */
export function scale(x: Tensor, factor: number): Tensor {
  return scaleOp.apply({ x }, { factor }).y;
}

/** The op of {@link scale}: its shapes, meaning and gradient. */
export const scaleOp = defineOp<ScaleAttributes>()({
  name: "scale",
  inputs: { x: "..." },
  outputs: { y: "..." },
  sizes(_, { factor }) {
    check(Number.isFinite(factor), "scale", () => `factor is ${factor}: it must be a finite number`);
    return {};
  },
  reference({ x }, { y }, _, { factor }) {
    y.set(x.map((value) => factor * value));
  },
  gradient: (_, { y: dy }, { factor }) => ({ x: scale(dy, factor) }),
  // Running it again would keep its input instead of its output: nothing is won.
  recomputable: false,
  mayAlias: { y: ["x"] },
  examples: [
    { inputs: [f32(3, 5)], attributes: { factor: 2 } },
    { inputs: [f32(67)], attributes: { factor: -0.3 } },
  ],
});
