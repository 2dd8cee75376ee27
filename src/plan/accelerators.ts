// Accelerators, one row each, from their vendors' data sheets: dense products without sparsity, SXM boards where there are several.
// A link's data sheet counts both directions; here is one. Checked in 2026-11 by what others print of these documents, not in the
// documents themselves; prices are examples, and what is a guess says so.
import { nearest, UsageError } from "../base/index.ts";
import type { PresetName } from "../model/index.ts";

const where = "plan";

/** The type of a matrix product's inputs. */
export type Arithmetic = "float32" | "tf32" | "fp16" | "bf16";

/** An accelerator by its data sheet. */
export interface Accelerator {
  readonly name: string;
  /** Whose numbers these are: the vendor's document for the board, and where it is from another one, for the machine of eight. */
  readonly source: string;
  /** FLOP/s of matrix products by the type of their inputs, sums in float32. */
  readonly peak: Partial<Readonly<Record<Arithmetic, number>>>;
  /** Bytes, and bytes/s. */
  readonly memory: number;
  readonly bandwidth: number;
  /** Bytes/s in one direction to the others of its machine of eight, and its share of that machine's network. */
  readonly link: number;
  readonly network: number;
  /** The board's limit in watts. */
  readonly power: number;
  /** US dollars per hour: an example of what renting costs, out of date when you read it. */
  readonly price: number;
  readonly utilisation: Utilisation;
}

/** Share of the 16-bit peak that a published training run had, its waiting and communication included, and whose it was; or a guess. */
export interface Utilisation {
  readonly share: number;
  readonly source: string;
  readonly isGuess?: true;
  /** What ran, where it is one of ours, so that what its layout cost can be told from what computing did. */
  readonly run?: { readonly preset: PresetName; readonly board: string; readonly count: number };
}

const tera = 1e12;
const giga = 1e9;
const a100 = {
  source: "NVIDIA A100 data sheet; DGX A100 user guide",
  peak: { float32: 19.5 * tera, tf32: 156 * tera, fp16: 312 * tera, bf16: 312 * tera },
  link: 300 * giga,
  network: 25 * giga, // DGX A100: 200 Gb/s each
  power: 400,
  utilisation: {
    share: 0.497,
    source: "LLaMA-65B: 380 tokens/s/GPU on 2,048 A100 (Touvron et al. 2023, section 2.4)",
    run: { preset: "65B", board: "a100-80gb", count: 2048 } as const,
  },
};
// The data sheet prints products of sparse matrices, 1,979 TFLOP/s in 16 bits; the white paper on the architecture the dense ones.
const h100 = {
  peak: { float32: 66.9 * tera, tf32: 494.7 * tera, fp16: 989.4 * tera, bf16: 989.4 * tera },
  link: 450 * giga,
  network: 50 * giga, // DGX H100: 400 Gb/s each
  power: 700,
  // The share as printed; 400 of 989.4 TFLOP/s are 40.4 %.
  utilisation: { share: 0.41, source: "Llama 3 405B: 400 TFLOP/s/GPU on 16,384 H100 (arXiv 2407.21783, table 4)" },
};

/** The accelerators that plans know. */
export const accelerators: readonly Accelerator[] = [
  { name: "a100-80gb", ...a100, memory: 80 * giga, bandwidth: 2039 * giga, price: 1.8 },
  { name: "a100-40gb", ...a100, memory: 40 * giga, bandwidth: 1555 * giga, price: 1.3 },
  {
    name: "h100-sxm",
    source: "NVIDIA H100 architecture white paper; DGX H100 user guide",
    ...h100,
    memory: 80 * giga,
    bandwidth: 3350 * giga,
    price: 3,
  },
  { name: "h200", source: "NVIDIA H200 data sheet; DGX H200 user guide", ...h100, memory: 141 * giga, bandwidth: 4800 * giga, price: 3.8 },
  {
    name: "v100", // SXM2, 32 GB
    source: "NVIDIA V100 data sheet; DGX-1 with V100 architecture white paper",
    peak: { float32: 15.7 * tera, fp16: 125 * tera },
    memory: 32 * giga,
    bandwidth: 900 * giga,
    link: 150 * giga,
    network: 6.25 * giga, // DGX-1: 400 Gb/s for eight
    power: 300,
    price: 0.8,
    utilisation: { share: 0.213, source: "GPT-3 175B on V100 (PaLM, arXiv 2204.02311, table 3)" },
  },
  {
    name: "rtx-4090",
    source: "NVIDIA Ada architecture white paper",
    // Tensor cores with sums in float32, which this board does at half the speed of sums in float16.
    peak: { float32: 82.6 * tera, tf32: 82.6 * tera, fp16: 165.2 * tera, bf16: 165.2 * tera },
    memory: 24 * giga,
    bandwidth: 1008 * giga,
    link: 32 * giga, // PCIe 4.0 × 16: the board has no NVLink
    network: 1.5 * giga, // a guess, no machine of eight is NVIDIA's: 100 Gb/s for eight
    power: 450,
    price: 0.4,
    utilisation: { share: 0.4, source: "a guess: no published run is known", isGuess: true },
  },
];

/** Finds an accelerator by its name, in capitals or not. @throws UsageError that names the nearest one */
export function accelerator(name: string): Accelerator {
  const names = accelerators.map((row) => row.name);
  const found = accelerators.find((row) => row.name === name.toLowerCase());
  if (found !== undefined) return found;
  // A family's name is nearer to its first member than letters say: h100 is h100-sxm, not h200.
  const near = names.find((one) => one.startsWith(name.toLowerCase())) ?? nearest(name, names);
  const hint = near === undefined ? "" : `, did you mean "${near}"?`;
  throw new UsageError(where, `there is no accelerator "${name}"${hint}: there are ${names.join(", ")}`);
}

/** 16-bit training where the board has it, bfloat16 first. @throws UsageError when the board has no such products */
export function peakOf(row: Accelerator, arithmetic?: Arithmetic): { readonly arithmetic: Arithmetic; readonly peak: number } {
  const found = arithmetic ?? (["bf16", "fp16", "float32"] as const).find((one) => row.peak[one] !== undefined)!;
  const peak = row.peak[found];
  if (peak !== undefined) return { arithmetic: found, peak };
  throw new UsageError(where, `${row.name} has no ${found} products: choose one of ${Object.keys(row.peak).join(", ")}`);
}
