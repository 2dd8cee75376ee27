// What studies compare: a model and what it is fed, trained once per seed; and what comes of it.
import type { Evaluation } from "../eval/index.ts";
import type { BatchSize, LlamaConfig, ParameterRow } from "../model/index.ts";
import type { AdamwSettings } from "../train/index.ts";
import type { EncodedText } from "./encoded-text.ts";

/** What is compared: a model and what it is fed. */
export interface Variant {
  readonly name: string;
  readonly config: LlamaConfig;
  readonly size: BatchSize;
  readonly text: EncodedText;
  /** The rows with the deviations of other first weights; the model's own by default. */
  readonly firstWeights?: (rows: readonly ParameterRow[]) => readonly ParameterRow[];
  readonly adamw?: AdamwSettings;
  /** Largest gradient norm; 1, the paper's, by default. */
  readonly clipNorm?: number;
}

/** One run of a variant, but for its seed and length. */
export interface Trial {
  readonly variant: Variant;
  /** The peak, from which it falls to a tenth along half a cosine. */
  readonly learningRate: number;
  /** The share of the steps; the paper's 2,000 of 250,000 and more would be less than one here. */
  readonly warmupShare: number;
  /** The share of the sweep's steps; 1 by default. */
  readonly stepShare?: number;
}

/** What came of a run. T is what was found in the trained model. */
export interface Outcome<T = unknown> {
  readonly trial: Trial;
  readonly seed: number;
  readonly steps: number;
  /** Loss of every step, in nats. */
  readonly losses: readonly number[];
  /** Absent where the loss diverged (NaN). */
  readonly heldOut?: Evaluation;
  /** What `Sweep.examine` made of the trained model; absent where that is. */
  readonly found?: T;
  /** Median of the seconds per step. */
  readonly stepSeconds: number;
}
