// Relaxed SIMD in Node: versions 20 and 21 compile these instructions, but only behind a V8 flag; newer ones have them on.
import { setFlagsFromString } from "node:v8";
import { UsageError } from "../base/index.ts";
import { hasRelaxedSimd } from "../threads/index.ts";

/**
 * Turns relaxed SIMD on where that takes a flag, and says whether modules may use it. Call it before a worker starts: the flag is the
 * process's, and a thread reads it as it starts. The environment's CRIA_WASM_FMA=0 says no.
 * @throws UsageError when CRIA_WASM_FMA is neither 0 nor 1.
 */
export function relaxedSimd(environment: NodeJS.ProcessEnv = process.env): boolean {
  if (!allowed(environment.CRIA_WASM_FMA)) return false;
  return hasRelaxedSimd() || (setFlag() && hasRelaxedSimd());
}

function allowed(wish: string | undefined): boolean {
  if (wish === "0") return false;
  if (wish === undefined || wish === "" || wish === "1") return true;
  throw new UsageError("cpu", `CRIA_WASM_FMA is "${wish}", but it may be 0 (no fused multiply-add) or 1: set one of them, or unset it`);
}

/** A V8 that no longer knows the flag ignores it; a runtime that is not V8 may throw, and then has no flag to set. */
function setFlag(): boolean {
  try {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    return true;
  } catch {
    return false;
  }
}
