export { atomicFolder, removeFolder, removePartials } from "./atomic-folder.ts";
export { atomicWrite, atomicWriteJson } from "./atomic-write.ts";
export { explainIo } from "./explain-io.ts";
export { FileSource, openFile } from "./file-source.ts";
export { makeFolder } from "./make-folder.ts";
export { isStdin, type ReadStreamOptions, readStream } from "./read-stream.ts";
export { readTextFile, readWhole, type SizeLimit, sizeLimits } from "./read-whole.ts";
export { openRegular } from "./regular-file.ts";
