// Writing and adding an activation into a state: how gradients of several batches gather.
import { check, sameShape } from "../../base/index.ts";
import type { Op } from "../op.ts";
import { f32, type Tensor, type TensorType } from "../tensor.ts";
import { matchCount, showType } from "./match.ts";

type NoAttributes = Record<string, never>;

/** state = x. */
export function assign(state: Tensor, x: Tensor): void {
  state.graph.apply(assignOp, [state, x], {});
}

/** state += x. */
export function accumulate(state: Tensor, x: Tensor): void {
  state.graph.apply(accumulateOp, [state, x], {});
}

export const assignOp: Op<NoAttributes> = {
  name: "assign",
  shape: (inputs) => sameTypes("assign", inputs),
  reference([state, x]) {
    state!.set(x!);
  },
  recomputable: false,
  updates: [0],
  examples: [{ inputs: [f32(5, 7), f32(5, 7)], attributes: {} }],
};

export const accumulateOp: Op<NoAttributes> = {
  name: "accumulate",
  shape: (inputs) => sameTypes("accumulate", inputs),
  reference([state, x]) {
    for (let i = 0; i < state!.length; i++) state![i]! += x![i]!;
  },
  recomputable: false,
  updates: [0],
  examples: [{ inputs: [f32(5, 7), f32(5, 7)], attributes: {} }],
};

function sameTypes(op: string, inputs: readonly TensorType[]): TensorType[] {
  matchCount(op, inputs, "state x");
  const [state, x] = inputs;
  check(
    state!.dtype === "f32" && x!.dtype === "f32" && sameShape(state!.shape, x!.shape),
    op,
    () => `the state is ${showType(state!)} and x ${showType(x!)}: both must be f32 of one shape`,
  );
  return [];
}
