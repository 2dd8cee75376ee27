// What the kernels are compiled for on this machine, and why: one row per target, the fastest first; CRIA_TARGET overrides.
import { didYouMean, UsageError } from "../base/index.ts";
import { avx2, avx512, type Target } from "../kernel/index.ts";
import { type CpuFeature, type CpuFeatures, cpuFeatures } from "./cpu-features.ts";
import { type Native, type Opened, openNative } from "./native.ts";

/** A target for the kernels, and why it was chosen. */
export interface Choice {
  /** "avx512", "avx2" or "wasm". */
  readonly name: string;
  readonly reason: string;
  /** Whether `reason` says why something faster cannot be. */
  readonly isFallback: boolean;
  /** Undefined where no machine code can be loaded, not even the code that asks the CPU. */
  readonly features: CpuFeatures | undefined;
  /** What runs machine code, where the target is not WebAssembly. */
  readonly machine?: { readonly native: Native; readonly target: Target };
}

interface Row {
  readonly target: Target;
  readonly needs: readonly CpuFeature[];
  readonly reason: string;
}

const rows: readonly Row[] = [
  {
    target: avx512,
    needs: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "f16c"],
    reason: "machine code with 512-bit vectors, the widest of this CPU",
  },
  { target: avx2, needs: ["avx2", "fma", "f16c"], reason: "machine code with 256-bit vectors, the widest of this CPU" },
];

/** What CRIA_TARGET may be, the fastest first. */
export const targetNames: readonly string[] = [...rows.map(({ target }) => target.name), "wasm"];

/**
 * @param wish one of the names; the environment's CRIA_TARGET by default; undefined or empty for the fastest that works.
 * @throws UsageError when the wish is no target's name, or not possible here, with the reason.
 */
export async function chooseTarget(wish = process.env.CRIA_TARGET, open: () => Promise<Opened> = openNative): Promise<Choice> {
  if (wish && !targetNames.includes(wish))
    throw new UsageError("cpu", `CRIA_TARGET is "${wish}"${didYouMean(wish, targetNames) || `: there is ${targetNames.join(", ")}`}`);
  const opened = await open();
  const features = opened.native && cpuFeatures(opened.native);
  const obstacles: string[] = [];
  for (const { target, needs, reason } of rows) {
    if (wish && wish !== target.name) continue;
    const obstacle = opened.native ? lacking(needs, features!) : opened.why;
    if (obstacle === undefined)
      return {
        name: target.name,
        reason: wish ? "CRIA_TARGET says so" : reason,
        isFallback: false,
        features,
        machine: { native: opened.native!, target: withDots(target, features!) },
      };
    obstacles.push(obstacle);
  }
  if (wish === "wasm") return { name: wish, reason: "CRIA_TARGET says so", isFallback: false, features };
  if (wish) throw new UsageError("cpu", `CRIA_TARGET is "${wish}", but ${obstacles[0]}: unset it, or set it to wasm`);
  return { name: "wasm", reason: `no machine code: ${obstacles.at(-1)}`, isFallback: true, features };
}

/** The dot products that a CPU with this target may have or not. */
function withDots(target: Target, features: CpuFeatures): Target {
  if (target !== avx512) return target;
  return { ...target, bf16Dot: features.has("avx512_bf16"), int8Dot: features.has("avx512_vnni") };
}

function lacking(needs: readonly CpuFeature[], features: CpuFeatures): string | undefined {
  const missing = needs.filter((name) => !features.has(name));
  return missing.length === 0 ? undefined : `this CPU lacks ${missing.join(", ")}, or its system does not let programs use it`;
}
