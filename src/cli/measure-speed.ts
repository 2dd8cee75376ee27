// What this machine can do at most, and what our products make of it, on one set of threads.
import { freemem } from "node:os";
import { cpuBackend, type MachineRates, measureMachine } from "../backend/cpu/index.ts";
import { openExecutor } from "../host/index.ts";
import { measureMatmul } from "../raise/index.ts";

/** What a number of threads reaches on this machine. */
export interface Speed {
  readonly threads: number;
  readonly rates: MachineRates;
  /** FLOP/s of 1024³ products in float32. */
  readonly matmul: number;
  readonly backend: string;
}

/** Takes about a second. @throws UsageError when CRIA_TARGET cannot be had, CriaError when the machine gives no memory. */
export async function measureSpeed(threads: number, signal: AbortSignal): Promise<Speed> {
  const executor = await openExecutor({ threads });
  await using backend = cpuBackend(executor);
  const rates = await measureMachine(executor, passBytes(), signal);
  return { threads, rates, matmul: await measureMatmul(backend, signal), backend: backend.name };
}

/** Bytes of a pass over memory: many times the caches, where the machine has so much free. */
export function passBytes(): number {
  const page = 2 ** 21;
  return Math.max(page, Math.min(2 ** 28, Math.floor(freemem() / 4 / page) * page));
}
