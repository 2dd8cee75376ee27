// The training state as named tensors, which a checkpoint writes and reads.
import type { Shape } from "../base/index.ts";

/** A tensor of the training state, in float32 on its way to a file or from one. */
export interface StoredTensor {
  /** Whether it is a parameter or a moment of the optimiser. */
  readonly part: "model" | "optimizer";
  readonly name: string;
  readonly shape: Shape;
  read(): Promise<Float32Array>;
  write(values: Float32Array): Promise<void>;
}
