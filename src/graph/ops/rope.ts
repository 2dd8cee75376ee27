// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): pair i of a head at position m turns by m times the pair's frequency, which is
// theta^(−2i/d) in the paper; a table of frequencies takes any scaling of them.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

/** Channels turned together: (i, i + d/2) as Hugging Face stores weights, or (2i, 2i + 1) as Meta does. */
type Pairing = "half" | "neighbours";

/** How heads are rotated. */
export type RopeAttributes = {
  /** Channels d of a head; even. */
  readonly headDim: number;
  readonly pairing: Pairing;
  /** What the turned channels are multiplied by besides; 1 for a rotation alone (Peng et al. 2023, arXiv 2309.00071, section 3.4). */
  readonly attentionFactor: number;
  /** Turns the other way, which is the gradient: a rotation's transpose. */
  readonly inverse: boolean;
};

/** x [R, heads · d], positions i32 [R] and turns i32 [2, A] from {@link ropeTurns} → [R, heads · d], every head turned by its row's position. */
export function rope(x: Tensor, positions: Tensor, turns: Tensor, attributes: RopeOptions): Tensor {
  return ropeOp.apply({ x, positions, turns }, { attentionFactor: 1, inverse: false, ...attributes }).y;
}

/** Attributes of {@link rope}, of which most have defaults. */
export type RopeOptions = Pick<RopeAttributes, "headDim" | "pairing"> & Partial<RopeAttributes>;

/**
 * What each pair turns by per position, as the op reads it: i32 [2, A], the upper and the lower 32 bits of a fixed-point number in units of 2⁻⁶⁴
 * turns, the lower ones signed. Whole turns drop out of an integer by themselves, so angles stay exact at large positions, where
 * those of float32 frequencies would be off by 2e-4 at position 2048 already.
 * @param frequencies radians per position, one per pair
 * @returns a number per pair for `half`, so that A is d/2; a number per channel for `neighbours`, so that A is d
 */
export function ropeTurns(frequencies: ArrayLike<number>, pairing: Pairing): Int32Array {
  const channels = pairing === "half" ? 1 : 2; // channels per number of a pair
  const count = frequencies.length * channels;
  const turns = new Int32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const turn = (frequencies[Math.floor(i / channels)]! / (2 * Math.PI)) * 2 ** 32;
    const upper = Math.round(turn);
    turns[i] = upper;
    turns[count + i] = Math.min(Math.round((turn - upper) * 2 ** 32), 2 ** 31 - 1);
  }
  return turns;
}

/** The angle of a position in radians, less whole turns: the product of integers drops these, and is exact. */
function angleOf(position: number, upper: number, lower: number): number {
  return (Math.imul(position, upper) * 2 ** -32 + position * lower * 2 ** -64) * 2 * Math.PI;
}

/** The op of {@link rope}: its shapes, meaning and gradient. */
export const ropeOp = defineOp<RopeAttributes>()({
  name: "rope",
  inputs: { x: "R W", positions: "i32 R", turns: "i32 2 A" },
  outputs: { y: "R W" },
  sizes({ W, A }, { headDim, pairing }) {
    check(headDim % 2 === 0 && W % headDim === 0, "rope", () => `${W} channels do not split into heads of ${headDim}, which must be even`);
    const angles = pairing === "half" ? headDim / 2 : headDim;
    check(A === angles, "rope", () => `the table has ${A} columns but heads of ${headDim} with pairing "${pairing}" take ${angles}`);
    return { H: W / headDim };
  },
  reference({ x, positions, turns }, { y }, { H, A }, { headDim, pairing, attentionFactor, inverse }) {
    const [first, second] = pairing === "half" ? [1, headDim / 2] : [2, 1];
    positions.forEach((position, r) => {
      for (let head = 0; head < H; head++)
        for (let i = 0; i < headDim / 2; i++) {
          const angle = angleOf(position, turns[i * first]!, turns[A + i * first]!) * (inverse ? -1 : 1);
          const [cos, sin] = [Math.cos(angle) * attentionFactor, Math.sin(angle) * attentionFactor];
          const a = (r * H + head) * headDim + i * first;
          const b = a + second;
          y[a] = x[a]! * cos - x[b]! * sin;
          y[b] = x[b]! * cos + x[a]! * sin;
        }
    });
  },
  gradient: ({ positions, turns }, { y: dy }, attributes) => ({
    x: rope(dy, positions, turns, { ...attributes, inverse: !attributes.inverse }),
  }),
  // Running it again would keep its input instead of its output: nothing is won.
  recomputable: false,
  mayAlias: { y: ["x"] },
  examples: (["half", "neighbours"] as const).flatMap((pairing) =>
    [
      { inverse: false, attentionFactor: 1, frequencies: [1, 0.0464, 0.00215] },
      { inverse: true, attentionFactor: 1, frequencies: [1, 0.0464, 0.00215] },
      // More than a turn per position, less than 2⁻³² turns, and a factor as YaRN has it.
      { inverse: false, attentionFactor: 1.25, frequencies: [100.3, 0, 1e-10] },
      { inverse: true, attentionFactor: 0.75, frequencies: [0.4, 0.0186, 8.6e-4] },
    ].map(({ frequencies, ...how }) => {
      const turns = ropeTurns(frequencies, pairing);
      return {
        inputs: [f32(5, 3 * 6), { ...i32(5), values: [0, 1, 2, 17, 1023] }, { ...i32(2, turns.length / 2), values: [...turns] }],
        attributes: { headDim: 6, pairing, ...how },
      };
    }),
  ),
});
