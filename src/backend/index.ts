export type { Backend, DeviceBuffer, HostArray, MemoryThere, Program } from "./backend.ts";
export { BoundProgram } from "./bound-program.ts";
export { checkBindings } from "./check-bindings.ts";
export { checkRange } from "./check-range.ts";
