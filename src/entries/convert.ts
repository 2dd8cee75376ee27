// The door `cria/convert`, for Node: models become files of other forms and types, and what is lost by it is measured.
export type { Backend } from "../backend/index.ts";
export { CriaError, type OnProgress, type ProgressEvent, UsageError } from "../base/index.ts";
export {
  type Conversion,
  type ConvertedTensor,
  type ConvertOptions,
  convertModel,
  type Documents,
  type GgufOptions,
  HeldModel,
  type HfFolderOptions,
  type ReadOptions,
  relativeErrors,
  textSample,
  type Weighed,
  type WrittenHfFolder,
  type WrittenTensor,
  writeGguf,
  writeHfFolder,
} from "../convert/index.ts";
export type { Evaluation, HeldOutText } from "../eval/index.ts";
export { type FileType, fileTypeOf, fileTypes, quantiseRows, type Rows, type WritableDType, writableDTypes } from "../formats/index.ts";
