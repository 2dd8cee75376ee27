export { interpret } from "./interpret.ts";
export type { Kernel, Target } from "./ir.ts";
export { type KernelDefinition, kernel, specialise } from "./language.ts";
export * from "./library/index.ts";
export { printKernel } from "./print.ts";
export { wasm128, wasmRelaxed } from "./wasm/lower.ts";
export { assembleModule } from "./wasm/module.ts";
