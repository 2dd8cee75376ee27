export type { Backend, DeviceBuffer, HostArray, Program } from "./backend.ts";
