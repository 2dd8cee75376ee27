export { relativeErrors, type Weighed } from "./compare.ts";
export { type Conversion, type ConvertedTensor, type ConvertOptions, convertModel } from "./convert-model.ts";
export { HeldModel, type ReadOptions } from "./held-model.ts";
export { type Documents, textSample } from "./text-sample.ts";
export { type GgufOptions, type WrittenTensor, writeGguf } from "./write-gguf.ts";
export { type HfFolderOptions, type WrittenHfFolder, writeHfFolder } from "./write-hf-folder.ts";
