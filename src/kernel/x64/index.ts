export { assembleX64, compileX64, type MachineCode } from "./assemble.ts";
export { printMachineCode } from "./print.ts";
export { avx2, avx512, avx512Dots, type Convention, systemV, windows } from "./target.ts";
