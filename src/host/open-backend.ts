// The CPU backend as this machine and the environment have it.
import { cpuBackend, type Executor, type Trace } from "../backend/cpu/index.ts";
import type { Backend } from "../backend/index.ts";
import { checkKeys, UsageError } from "../base/index.ts";
import { type CodeFolderOptions, openCodeFolder } from "./code-folder.ts";
import { type ExecutorOptions, openExecutor } from "./open-executor.ts";

/** Options of the CPU backend. */
export interface CpuOptions extends ExecutorOptions, CodeFolderOptions {
  readonly trace?: Trace;
  /** What computes, in the place of `threads` and `target`; it ends with the backend. */
  readonly executor?: Executor;
}

/** Opens the CPU of this machine. @throws UsageError for an unknown option, or when a target cannot be had, CriaError when a thread count is out of range or the machine gives no memory. */
export async function openCpuBackend(given: CpuOptions = {}): Promise<Backend> {
  checkKeys("cpu", given, ["threads", "target", "trace", "executor", "codeCache", "warn"]);
  const { trace, codeCache, warn, executor: there, ...options } = given;
  if (there !== undefined && Object.keys(options).length > 0)
    throw new UsageError("cpu", `an executor is given, and ${Object.keys(options).join(", ")}, too: omit one of them`);
  const executor = there ?? (await openExecutor(options));
  const { target, codeForm } = executor;
  return cpuBackend(executor, trace, codeForm ? openCodeFolder(target, codeForm, { codeCache, warn }) : undefined);
}
