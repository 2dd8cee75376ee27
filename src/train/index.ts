export { type ChangeKind, changeKinds, changesSince, kindOfChange, notYetAccepted } from "./changes.ts";
export { type Checkpoint, type CheckpointState, hasCheckpoints, latestCheckpoint, type Origin, type StoredTensor } from "./checkpoint.ts";
export { BadLossError, checkSteps, type LiveMetrics, type TrainJob, type TrainSummary, trainerOptions, trainRun } from "./loop.ts";
export {
  type ChangeRow,
  type EvaluationRow,
  isEvaluationRow,
  isStepRow,
  type MetricsRow,
  readMetrics,
  type StepRow,
} from "./metrics-log.ts";
export {
  type CompleteRecipe,
  completeRecipe,
  freeChanges,
  parseRecipe,
  type RecipeChange,
  readRecipe,
  recipeChanges,
  type TrainRecipe,
  trainRecipe,
  type WholeRecipe,
  writeRecipe,
} from "./recipe.ts";
export { checkUnused, findRecipe, ownTokenizer, runPaths, saveModel, startRunFolder } from "./run-folder.ts";
export { lastSegment, learningRateAt, plansAfter, type Schedule, scheduleOf } from "./schedule.ts";
export { applySettings, settingKey } from "./settings.ts";
export { bfloat16Gain, settlePrecision } from "./settle-precision.ts";
export {
  type AdamwSettings,
  type Backward,
  gatherGraph,
  type Hyper,
  hyperValues,
  stepGraph,
  type Update,
  updateGraph,
} from "./step-graphs.ts";
export { type OpenOptions, type StepResult, Trainer, type TrainerOptions } from "./trainer.ts";
export { type CheckedMemory, checkMemory, type TrainingMemory } from "./training-memory.ts";
