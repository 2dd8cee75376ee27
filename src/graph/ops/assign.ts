// Writing and adding an activation into a state: how gradients of several batches gather.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

type NoAttributes = Record<string, never>;

/** state = x. */
export function assign(state: Tensor, x: Tensor): void {
  assignOp.apply({ state, x }, {});
}

/** state += x. */
export function accumulate(state: Tensor, x: Tensor): void {
  accumulateOp.apply({ state, x }, {});
}

/** The op of {@link assign}: its shapes, meaning and gradient. */
export const assignOp = defineOp<NoAttributes>()({
  name: "assign",
  inputs: { state: "...", x: "..." },
  outputs: {},
  reference({ state, x }) {
    state.set(x);
  },
  recomputable: false,
  updates: ["state"],
  examples: [{ inputs: [f32(5, 7), f32(5, 7)], attributes: {} }],
});

/** The op of {@link accumulate}: its shapes, meaning and gradient. */
export const accumulateOp = defineOp<NoAttributes>()({
  name: "accumulate",
  inputs: { state: "...", x: "..." },
  outputs: {},
  reference({ state, x }) {
    state.set(state.map((sum, i) => sum + x[i]!));
  },
  recomputable: false,
  updates: ["state"],
  examples: [{ inputs: [f32(5, 7), f32(5, 7)], attributes: {} }],
});
