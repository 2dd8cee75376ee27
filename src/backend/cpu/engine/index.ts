// The engine's door: worker threads over one shared memory that replay compiled programs. It knows no graph and no op.
export { type Engine, type EngineOptions, openEngine } from "./engine.ts";
export type { LinkedKernel, Linker, Machine, Placed } from "./machine.ts";
export { type Memory, megabytes } from "./memory.ts";
export type { Phase, Step } from "./program.ts";
export { relaxedSimd } from "./relaxed-simd.ts";
export { defaultThreads } from "./threads.ts";
export { openWasmEngine, type WasmEngineOptions } from "./wasm-machine.ts";
