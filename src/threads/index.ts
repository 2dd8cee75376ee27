// The door of the engine: threads over one memory that replay compiled programs. It knows no graph, no op, and nothing of Node or of a browser.
export type { CodeKind, CodeLoader, LinkedKernel, Linker, PlacedCode } from "./code-loader.ts";
export { type Engine, type EngineOptions, openEngine } from "./engine.ts";
export { type Memory, megabytes } from "./memory.ts";
export type { KernelCall, Phase } from "./program.ts";
export type { Answer, LinkerName, ToWorker, WorkerSetup } from "./protocol.ts";
export { hasRelaxedSimd } from "./relaxed-simd.ts";
export { checkThreads, maximumThreads } from "./thread-count.ts";
export type { Thread, ThreadEvents, ThreadHost } from "./thread-host.ts";
export { openWasmEngine, type WasmEngineOptions } from "./wasm-engine.ts";
export { linkWasm } from "./wasm-linker.ts";
export type { KernelTimes, OnTimes } from "./watch.ts";
export { openWorker } from "./worker.ts";
