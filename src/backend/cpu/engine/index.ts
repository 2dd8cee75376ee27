// The engine's door: worker threads over one shared WebAssembly.Memory that replay compiled programs. It knows no graph and no op.
export { type Engine, type EngineOptions, openEngine } from "./engine.ts";
export type { Phase, Step } from "./program.ts";
export { relaxedSimd } from "./relaxed-simd.ts";
export { defaultThreads } from "./threads.ts";
