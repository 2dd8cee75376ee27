// Whether WebAssembly here has the relaxed SIMD instructions, fused multiply-add above all (WebAssembly 3.0, relaxed-simd proposal).
// Node 20 and 21 compile them, but only behind a V8 flag; newer versions have them on.
import { setFlagsFromString } from "node:v8";
import { UsageError } from "../../../base/index.ts";

/**
 * Turns relaxed SIMD on where that takes a flag, and says whether modules may use it. Call it before a worker starts: the flag is the
 * process's, and a thread reads it as it starts. The environment's CRIA_WASM_FMA=0 says no.
 * @throws UsageError when CRIA_WASM_FMA is neither 0 nor 1.
 */
export function relaxedSimd(environment: NodeJS.ProcessEnv = process.env): boolean {
  if (!allowed(environment.CRIA_WASM_FMA)) return false;
  return WebAssembly.validate(probe) || (setFlag() && WebAssembly.validate(probe));
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

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
// biome-ignore format: a section a line.
const probe = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // "\0asm", version 1
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b, // types: (v128, v128, v128) → v128
  0x03, 0x02, 0x01, 0x00, // functions: one, of type 0
  0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b, // code: f32x4.relaxed_madd is fd 105
);
