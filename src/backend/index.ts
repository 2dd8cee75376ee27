export type { Backend, DeviceBuffer, HostArray, MemoryThere, PassRead, PassWrite, Program, SharedBytes } from "./backend.ts";
export { BoundProgram, type InputWrite } from "./bound-program.ts";
export { checkBindings } from "./check-bindings.ts";
export { checkRange } from "./check-range.ts";
