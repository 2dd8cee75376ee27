// Elementwise sum: residual connections, and gradients that meet.
import { check, sameShape } from "../../base/index.ts";
import type { Op } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { matchCount, showType } from "./match.ts";

/** a and b of one shape → a + b. */
export function add(a: Tensor, b: Tensor): Tensor {
  return a.graph.apply(addOp, [a, b], {})[0]!;
}

export const addOp: Op<Record<string, never>> = {
  name: "add",
  shape(inputs) {
    matchCount("add", inputs, "a b");
    const [a, b] = inputs;
    check(
      a!.dtype === "f32" && b!.dtype === "f32" && sameShape(a!.shape, b!.shape),
      "add",
      () => `a is ${showType(a!)} and b is ${showType(b!)}: both must be f32 of one shape`,
    );
    return [f32(...a!.shape)];
  },
  reference([a, b], [y]) {
    for (let i = 0; i < y!.length; i++) y![i] = a![i]! + b![i]!;
  },
  gradient: ({ doutputs: [dy] }) => [dy, dy],
  // A residual stream is a chain of sums through all layers: running it again would start at layer 0 and keep every summand.
  recomputable: false,
  mayAlias: [
    [0, 0],
    [0, 1],
  ],
  examples: [
    { inputs: [f32(3, 5), f32(3, 5)], attributes: {} },
    { inputs: [f32(67), f32(67)], attributes: {} },
  ],
};
