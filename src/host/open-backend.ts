// The CPU backend as this machine and the environment have it.
import { cpuBackend, type Trace } from "../backend/cpu/index.ts";
import type { Backend } from "../backend/index.ts";
import { checkKeys } from "../base/index.ts";
import { type CodeFolderOptions, openCodeFolder } from "./code-folder.ts";
import { type ExecutorOptions, openExecutor } from "./open-executor.ts";

/** Options of the CPU backend. */
export interface CpuOptions extends ExecutorOptions, CodeFolderOptions {
  readonly trace?: Trace;
}

/** Opens the CPU of this machine. @throws UsageError for an unknown option, or when a target cannot be had, CriaError when a thread count is out of range or the machine gives no memory. */
export async function openCpuBackend(given: CpuOptions = {}): Promise<Backend> {
  checkKeys("cpu", given, ["threads", "target", "trace", "codeCache", "warn"]);
  const { trace, codeCache, warn, ...options } = given;
  const executor = await openExecutor(options);
  const { target, codeForm } = executor;
  return cpuBackend(executor, trace, codeForm ? openCodeFolder(target, codeForm, { codeCache, warn }) : undefined);
}
