export { type ByteSource, type FileRegion, memorySource } from "./bytes.ts";
export { type DType, dtypeBytes } from "./dtype.ts";
export { CriaError, check, fail, UsageError } from "./errors.ts";
export { didYouMean, nearest } from "./nearest.ts";
export { type Precision, roundToBfloat16 } from "./precision.ts";
export type { OnProgress, ProgressEvent } from "./progress.ts";
export { Rng, type RngState } from "./rng.ts";
export { type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
export { decodeUtf8, eachUtf8Run, validUpTo } from "./utf8.ts";
