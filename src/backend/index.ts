export type { Backend, DeviceBuffer, HostArray, Program } from "./backend.ts";
export { checkBindings } from "./check-bindings.ts";
