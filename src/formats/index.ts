export { roundToBfloat16 } from "./half-floats.ts";
export { readSafetensors } from "./safetensors.ts";
export { type TensorToWrite, writeSafetensors } from "./safetensors-write.ts";
export { readShardedSafetensors } from "./sharded-safetensors.ts";
export type { StorageName } from "./storage.ts";
export { TensorFile, type TensorInfo } from "./tensor-file.ts";
