// The CPU backend in a page: WebAssembly, on web workers where the page may share memory with them.
import { cpuBackend, type Trace, wasmExecutor } from "../backend/cpu/index.ts";
import type { Backend } from "../backend/index.ts";
import { checkKeys, UsageError } from "../base/index.ts";
import { webThreads } from "./web-threads.ts";

/** The threads of a page's backend, and who is told. */
export interface BackendOptions {
  /**
   * Worker threads, 1 to 64; by default one per core where the page is cross-origin isolated, otherwise none. With none (0) the thread that calls computes,
   * in slices of 8 ms, between which the page lives.
   */
  readonly threads?: number;
  /** Called for every stage of every compilation; the text is made only when asked for. */
  readonly trace?: Trace;
}

/**
 * Opens the CPU of the machine that shows the page. The backend's name says how many threads compute, and why there are none.
 * @throws UsageError when threads are asked for that the page cannot have, CriaError when it gets no memory.
 */
export async function openBackend(options: BackendOptions = {}): Promise<Backend> {
  checkKeys("cpu", options, ["threads", "trace"]);
  const { threads, trace } = options;
  const obstacle = obstacleToThreads();
  if (threads !== undefined && threads !== 0 && obstacle !== undefined)
    throw new UsageError("cpu", `threads is ${threads}, but ${obstacle}; or omit threads`);
  if (threads !== 0 && obstacle === undefined) return cpuBackend(await wasmExecutor({ host: webThreads, threads }), trace);
  const executor = await wasmExecutor();
  const name = threads === 0 ? executor.name : `${executor.name}: ${obstacle}`;
  return cpuBackend({ ...executor, name }, trace);
}

/** Why there can be no threads over one memory; undefined where there can. */
function obstacleToThreads(): string | undefined {
  if (globalThis.crossOriginIsolated && typeof SharedArrayBuffer === "function") return undefined;
  return "the page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
}
