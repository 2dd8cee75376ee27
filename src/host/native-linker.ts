// Makes functions, in a worker thread, of the code that the main thread has put in memory.
import { fail } from "../base/index.ts";
import type { LinkedKernel, Linker } from "../threads/index.ts";
import { openNative } from "./native.ts";

/** Where a kernel's code lies, and how many numbers it takes. */
export interface NativeKernel {
  readonly address: number;
  readonly params: number;
}

const opened = await openNative();
const native = opened.native ?? fail("cpu", `machine code can be called by the main thread but not by a worker thread: ${opened.why}`);
/** Code stays where it is for as long as the engine lives, and so do its functions: programs share kernels. */
const linked = new Map<number, LinkedKernel>();

/** Makes a function of each kernel's code in memory. */
export const linkNative: Linker = (code) => (code as readonly NativeKernel[]).map(linkKernel);

function linkKernel({ address, params }: NativeKernel): LinkedKernel {
  const kernel = linked.get(address) ?? { call: native.callable(address, params), params };
  linked.set(address, kernel);
  return kernel;
}
