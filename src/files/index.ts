export { atomicFolder, removeFolder, removePartials } from "./atomic-folder.ts";
export { atomicWrite, atomicWriteJson } from "./atomic-write.ts";
export { explainIo } from "./explain-io.ts";
export { FileSource, openFile } from "./file-source.ts";
export { makeFolder } from "./make-folder.ts";
export { readTextFile } from "./read-text-file.ts";
