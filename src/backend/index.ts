export type { Backend, DeviceBuffer, HostArray, Program } from "./backend.ts";
export { bindByName } from "./bind-by-name.ts";
export { checkBindings } from "./check-bindings.ts";
export { checkRange } from "./check-range.ts";
export { JobQueue } from "./job-queue.ts";
