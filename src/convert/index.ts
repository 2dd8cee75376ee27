export { type GgufOptions, type WrittenTensor, writeGguf } from "./write-gguf.ts";
export { type HfFolderOptions, type WrittenHfFolder, writeHfFolder } from "./write-hf-folder.ts";
