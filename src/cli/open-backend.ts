// Where commands compute: this machine's CPU. TRACE=graph|plan|ir|x64 (several with commas) prints what is compiled, on stderr.
import { type Trace, type TraceStage, traceStages } from "../backend/cpu/index.ts";
import type { Backend } from "../backend/index.ts";
import { didYouMean, UsageError } from "../base/index.ts";
import { type CpuOptions, openCpuBackend } from "../host/index.ts";
import type { CommandIo } from "./command.ts";

/** @throws UsageError when CRIA_TARGET, TRACE, CRIA_THREADS or CRIA_WASM_FMA hold what they may not. */
export async function openBackend(io: CommandIo, options: Pick<CpuOptions, "threads" | "executor"> = {}): Promise<Backend> {
  const stages = readStages(process.env.TRACE ?? "");
  const trace: Trace = (stage, text) => {
    if (stages.has(stage)) io.stderr(`== ${stage}\n${text()}\n`);
  };
  const warn = (message: string) => io.stderr(`${message}\n`);
  const backend = await openCpuBackend({ ...options, trace, warn });
  if (stages.has("x64") && !/avx/.test(backend.name))
    io.stderr(`TRACE=x64 prints nothing here: kernels run as WebAssembly (${backend.name})\n`);
  return backend;
}

function readStages(asked: string): ReadonlySet<TraceStage> {
  const names = asked.split(",").filter((name) => name !== "");
  for (const name of names)
    if (!(traceStages as readonly string[]).includes(name))
      throw new UsageError("cria", `TRACE is "${asked}"${didYouMean(name, traceStages) || `: there is ${traceStages.join(", ")}`}`);
  return new Set(names as TraceStage[]);
}
