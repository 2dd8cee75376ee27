export { type HfFolderOptions, type WrittenHfFolder, writeHfFolder } from "./write-hf-folder.ts";
