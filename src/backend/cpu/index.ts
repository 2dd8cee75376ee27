export { type Choice, chooseTarget } from "./choose-target.ts";
export { type CodeFolderState, codeFolderState } from "./code-folder.ts";
export { type CpuOptions, cpuBackend, openCpuBackend, type Trace, type TraceStage, traceStages } from "./cpu.ts";
export { defaultThreads } from "./engine/index.ts";
export type { Executor } from "./executor.ts";
export { interpreterExecutor } from "./interpreter-executor.ts";
export { allocateWritten, type MachineRates, type Measurable, measureMachine, openKernel, openPeak } from "./measure-machine.ts";
export { type ExecutorOptions, openExecutor } from "./open-executor.ts";
