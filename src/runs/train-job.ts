// What training in a run folder is given, and what it came to.
import type { Backend } from "../backend/index.ts";
import type { OnProgress } from "../base/index.ts";
import type { BatchSource } from "../batches/index.ts";
import type { Evaluation, HeldOutText } from "../eval/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CheckedMemory, StepMetrics, WholeRecipe } from "../train/index.ts";
import type { Checkpoint, Origin } from "./checkpoint.ts";
import type { SamplesRow } from "./metrics-log.ts";

/** A run that is to be trained, and who is told what. */
export interface TrainJob {
  readonly backend: Backend;
  readonly recipe: WholeRecipe;
  /** The run folder, as `startRunFolder` makes it. */
  readonly folder: string;
  /** Training batches of the recipe's size, from the first one on. */
  readonly batches: BatchSource<unknown>;
  /** What the run is evaluated on; it is not evaluated where this is left out. */
  readonly heldOut?: HeldOutText | undefined;
  /** What the recipe's samples are written with; only a recipe without them needs none. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Where to go on; from the start when absent. Where it is damaged, the newest one before it that is not takes its place. */
  readonly checkpoint?: Checkpoint | undefined;
  /** What the numbers come from beside the recipe: checkpoints keep it, and a change since the one that is gone on from is logged. */
  readonly origin?: Origin | undefined;
  /** Stops behind the step that is running, and saves, unless the last losses were bad. Before the first step it stops at once and nothing is written. */
  readonly signal?: AbortSignal | undefined;
  /** Operations per second of a large matrix product on this machine, for who watches the run; absent where none was measured. */
  readonly matmulRate?: number | undefined;
  /** Is told the memory that training needs and has, before any of it is taken. */
  readonly onMemory?: ((memory: CheckedMemory) => void) | undefined;
  /** Called when the model stands in memory, the checkpoint fits it and the folder is locked, before anything else is written. */
  readonly onReady?: () => Promise<void>;
  readonly onStep?: (metrics: StepMetrics) => void;
  readonly onEvaluation?: (step: number, evaluation: Evaluation) => void;
  readonly onSamples?: ((row: SamplesRow) => void) | undefined;
  readonly onCheckpoint?: (step: number, path: string) => void;
  /** Is told, in words for people, what was found amiss and what is done about it. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Evaluations and saving; steps come by `onStep`. */
  readonly progress?: OnProgress | undefined;
}

/** What a call of training has done, and where the run stands. */
export interface TrainSummary {
  /** The step that this call went on from; 0 when it began the run. */
  readonly started: number;
  /** Steps done since the run began, and all that it has. */
  readonly step: number;
  readonly steps: number;
  readonly tokens: number;
  /** Loss of the last step; undefined when none was done. */
  readonly loss: number | undefined;
  /** The evaluation after the last step; undefined when the run was stopped before it, or nothing is held out. */
  readonly evaluation: Evaluation | undefined;
  /** Whether the signal stopped it before the last step or the evaluation after it. */
  readonly stopped: boolean;
  /** The newest checkpoint; undefined when the run was stopped before the first one, before a step or while its losses were bad. There is no model then. */
  readonly checkpoint: string | undefined;
  /** The steps in it, 0 without one: fewer than `step` when the run was stopped while its losses were bad. */
  readonly savedStep: number;
  /** Seconds that this call took. */
  readonly seconds: number;
}
