// The paper's own runs (LLaMA, tables 2 and 15): what its models were trained on and what that took.
import type { PresetName } from "../model/index.ts";

/** A published run and what it took. */
export interface PublishedRun {
  readonly name: string;
  /** Absent for other people's models. */
  readonly preset?: PresetName;
  readonly tokens?: number;
  readonly gpuHours: number;
  /** Energy in MWh and carbon in tonnes of CO2 equivalent, as printed. */
  readonly energy: number;
  readonly carbon: number;
}

/** Tokens of a step: the paper's "4M". */
export const llamaBatchTokens = 4 * 2 ** 20;
/** The rate per GPU of LLaMA-65B on 2,048 A100-80GB (section 2.4). */
export const llamaTokensPerSecond = 380;

/** The rows of table 15. */
export const publishedRuns: readonly PublishedRun[] = [
  { name: "OPT-175B", gpuHours: 809_472, energy: 356, carbon: 137 },
  { name: "BLOOM-175B", gpuHours: 1_082_880, energy: 475, carbon: 183 },
  { name: "LLaMA-7B", preset: "7B", tokens: 1e12, gpuHours: 82_432, energy: 36, carbon: 14 },
  { name: "LLaMA-13B", preset: "13B", tokens: 1e12, gpuHours: 135_168, energy: 59, carbon: 23 },
  { name: "LLaMA-33B", preset: "33B", tokens: 1.4e12, gpuHours: 530_432, energy: 233, carbon: 90 },
  { name: "LLaMA-65B", preset: "65B", tokens: 1.4e12, gpuHours: 1_022_362, energy: 449, carbon: 173 },
];
