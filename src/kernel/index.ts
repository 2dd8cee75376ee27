export { interpret } from "./interpret.ts";
export type { Kernel, LiveUnits, Target } from "./ir.ts";
export { type KernelDefinition, kernel, specialise } from "./language.ts";
export * from "./library/index.ts";
export { printKernel } from "./print.ts";
export { verify } from "./spec.ts";
export { assembleModule, compileWasm, wasm128, wasmRelaxed } from "./wasm/index.ts";
export {
  assembleX64,
  avx2,
  avx512,
  avx512Dots,
  type Convention,
  compileX64,
  type MachineCode,
  printMachineCode,
  systemV,
  windows,
} from "./x64/index.ts";
