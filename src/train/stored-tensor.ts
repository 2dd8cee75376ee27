// The training state as named tensors, which a checkpoint writes and reads.
import type { Shape } from "../base/index.ts";
import { writeSafetensors } from "../formats/index.ts";

/** A tensor of the training state, in float32 on its way to a file or from one. */
export interface StoredTensor {
  /** Whether it is a parameter or a moment of the optimiser. */
  readonly part: "model" | "optimizer";
  readonly name: string;
  readonly shape: Shape;
  read(): Promise<Float32Array>;
  write(values: Float32Array): Promise<void>;
}

/** The chunks of a safetensors file with the tensors of one part, and the metadata that transformers asks for. */
export function partBytes(tensors: readonly StoredTensor[], part: StoredTensor["part"]): AsyncIterable<Uint8Array> {
  const own = tensors.filter((tensor) => tensor.part === part);
  return writeSafetensors(
    own.map(({ name, shape, read }) => ({ name, shape, dtype: "F32", data: read })),
    { format: "pt" },
  );
}
