// The door `cria/train`, for Node: a recipe becomes a run in its folder, or a trainer goes step by step.
export type { Backend } from "../backend/index.ts";
export { CriaError, type OnProgress, type ProgressEvent, UsageError } from "../base/index.ts";
export { type Batch, type BatchSource, joinDocuments, Mixture, memoryTokens } from "../batches/index.ts";
export type { Evaluation, HeldOutEvaluator, HeldOutText } from "../eval/index.ts";
export { type CpuOptions, openCpuBackend } from "../host/index.ts";
export { type LlamaConfig, type LlamaSizes, llamaConfig, parameterCount, preset, presets } from "../model/index.ts";
export {
  compressionBaselines,
  meansFor,
  measureMatmul,
  measureStep,
  type PlannedRun,
  planRun,
  type RunFacts,
  type RunWish,
  raiseTokenizer,
  surveyText,
  TimeBudget,
  type TimedJob,
  trainInTime,
  writeRunReport,
} from "../raise/index.ts";
export {
  type Checkpoint,
  type FinishedRun,
  isEvaluationRow,
  isStepRow,
  latestCheckpoint,
  type MetricsRow,
  readFinishedRuns,
  readMetrics,
  readRecipe,
  runPaths,
  startRunFolder,
  type TrainJob,
  type TrainSummary,
  trainRun,
} from "../runs/index.ts";
export { type Report, reportHtml, type Section, type Study, type StudyContext, type StudyText, studies } from "../study/index.ts";
export {
  BadLossError,
  checkMemory,
  completeRecipe,
  learningRateAt,
  llamaAdamw,
  type Position,
  parseRecipe,
  type Schedule,
  type StepMetrics,
  scheduleOf,
  settlePrecision,
  Trainer,
  type TrainerOptions,
  type TrainRecipe,
  trainerOptions,
  trainSteps,
  type WholeRecipe,
} from "../train/index.ts";
export { beginRun, type RunOptions, resumeRun } from "./recipe-run.ts";
