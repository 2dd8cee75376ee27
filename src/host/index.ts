// The door of what only Node has: worker threads, machine code, the folder of compiled kernels, and the environment that chooses among them.

export { type Choice, chooseTarget, targetNames } from "./choose-target.ts";
export { type CodeFolderState, codeFolderState } from "./code-folder.ts";
export { codeFolderPath } from "./code-folder-path.ts";
export { defaultThreads } from "./default-threads.ts";
export { nodeThreads } from "./node-threads.ts";
export { type CpuOptions, openCpuBackend } from "./open-backend.ts";
export { type ExecutorOptions, openExecutor } from "./open-executor.ts";
