// A model's parameters as tensors of a file.
import type { WeightSource } from "../model/index.ts";
import type { TensorFile } from "./tensor-file.ts";

/** The parameters of a file. @param nameOf what a parameter of ours is called there */
export function weightsIn(tensors: TensorFile, nameOf: (parameter: string) => string): WeightSource {
  return {
    inFile: ({ name }) => tensors.inFile(nameOf(name)),
    stored: ({ name }) => tensors.stored(nameOf(name)),
    pieces: ({ name }, elements) => tensors.pieces(nameOf(name), elements),
    read: ({ name }) => tensors.readFloat32(nameOf(name)),
  };
}
