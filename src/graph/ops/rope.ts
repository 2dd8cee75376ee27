// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): pair i of a head at position m turns by m · theta^(−2i/d).
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

export type RopeAttributes = {
  /** Channels d of a head; even. */
  readonly headDim: number;
  readonly theta: number;
  /** Positions are divided by it: linear scaling (Chen et al. 2023, arXiv 2306.15595); 1 for none. */
  readonly factor: number;
  /** Channels turned together: (i, i + d/2) as Hugging Face stores weights, or (2i, 2i + 1) as Meta does. */
  readonly pairing: "half" | "neighbours";
  /** Turns the other way, which is the gradient: a rotation's transpose. */
  readonly inverse: boolean;
};

/** x [R, heads · d] and positions i32 [R] → [R, heads · d], every head turned by its row's position. */
export function rope(x: Tensor, positions: Tensor, attributes: RopeOptions): Tensor {
  return ropeOp.apply({ x, positions }, { factor: 1, inverse: false, ...attributes }).y;
}

export type RopeOptions = Omit<RopeAttributes, "factor" | "inverse"> & Partial<Pick<RopeAttributes, "factor" | "inverse">>;

export const ropeOp = defineOp<RopeAttributes>()({
  name: "rope",
  inputs: { x: "R W", positions: "i32 R" },
  outputs: { y: "R W" },
  sizes({ W }, { headDim }) {
    check(headDim % 2 === 0 && W % headDim === 0, "rope", () => `${W} channels do not split into heads of ${headDim}, which must be even`);
    return { H: W / headDim };
  },
  reference({ x, positions }, { y }, { H }, { headDim, theta, factor, pairing, inverse }) {
    const [first, second] = pairing === "half" ? [1, headDim / 2] : [2, 1];
    positions.forEach((position, r) => {
      for (let head = 0; head < H; head++)
        for (let i = 0; i < headDim / 2; i++) {
          const angle = (position / factor) * theta ** ((-2 * i) / headDim) * (inverse ? -1 : 1);
          const a = (r * H + head) * headDim + i * first;
          const b = a + second;
          y[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
          y[b] = x[b]! * Math.cos(angle) + x[a]! * Math.sin(angle);
        }
    });
  },
  gradient: ({ positions }, { y: dy }, attributes) => ({ x: rope(dy, positions, { ...attributes, inverse: !attributes.inverse }) }),
  // Running it again would keep its input instead of its output: nothing is won.
  recomputable: false,
  mayAlias: { y: ["x"] },
  examples: (["half", "neighbours"] as const).flatMap((pairing) =>
    [
      { inverse: false, factor: 1 },
      { inverse: true, factor: 1 },
      { inverse: false, factor: 2.5 },
    ].map((how) => ({
      inputs: [f32(5, 3 * 6), { ...i32(5), values: [0, 1, 2, 17, 1023] }],
      attributes: { headDim: 6, theta: 10000, pairing, ...how },
    })),
  ),
});
