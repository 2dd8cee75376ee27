// The door of the CPU backend, which knows neither Node nor a browser: the room `host` opens it in Node, the room `web` in a page.
export { cpuBackend, type Trace, type TraceStage, traceStages } from "./cpu.ts";
export { engineExecutor } from "./engine-executor.ts";
export type { Executor } from "./executor.ts";
export { interpreterExecutor } from "./interpreter-executor.ts";
export { type CodeStore, codeOf, type StoredCode } from "./kernels.ts";
export {
  allocateWritten,
  type MachineRates,
  type Measurable,
  measureMachine,
  measureQuantised,
  openKernel,
  openPeak,
} from "./measure-machine.ts";
export { type PassPart, partOf, passParts, type RunTimes, type TimedExecutor, timedExecutor } from "./timed-executor.ts";
export { type WasmExecutorOptions, wasmExecutor } from "./wasm-executor.ts";
