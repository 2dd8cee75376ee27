export { type ByteSource, type FileRegion, memorySource } from "./bytes.ts";
export { checkKeys } from "./check-keys.ts";
export { cutStream, cutText } from "./cut-text.ts";
export { dequantise, iq4Values } from "./dequantise.ts";
export {
  bytesOf,
  type DType,
  type ElementLayout,
  elementLayouts,
  isQuantised,
  isStateDType,
  type QuantisedDType,
  quantise,
  type StateDType,
  stateDTypes,
  type WeightDType,
  weightDTypes,
} from "./element-layouts.ts";
export { CriaError, type CriaErrorOptions, check, fail, UsageError } from "./errors.ts";
export { eventsHandled } from "./events-handled.ts";
export { finalised } from "./finalised.ts";
export { float16Bits, float16Value } from "./float16.ts";
export { JobQueue } from "./job-queue.ts";
export { isObject, type JsonObject, parseJson } from "./json.ts";
export { median } from "./median.ts";
export { didYouMean, nearest } from "./nearest.ts";
export { bfloat16Bits, type Precision, type Rounding, roundToBfloat16, roundToEven, roundToInt8Blocks } from "./precision.ts";
export type { OnProgress, ProgressEvent } from "./progress.ts";
export { ambiguousLength, byteSize, gigabytes, parseQuantity } from "./quantity.ts";
export { Rng, type RngState } from "./rng.ts";
export { sha1 } from "./sha1.ts";
export { bytesOfHex, hexOf, Sha256 } from "./sha256.ts";
export { type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
export { checkFileSize, type SizeLimit, sizeLimits } from "./size-limits.ts";
export { inSlices, type Sliced, wholly } from "./sliced.ts";
export { StopFilter, type StopResult } from "./stop-filter.ts";
export { unlessAborted } from "./unless-aborted.ts";
export { upper32 } from "./upper32.ts";
export { decodeTexts, decodeUtf8, eachUtf8Run, isUtf8Beginning, Texts, validUpTo } from "./utf8.ts";
export { Xxh32, xxh32 } from "./xxh32.ts";
export { Xxh64 } from "./xxh64.ts";
