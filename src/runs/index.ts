export { type ChangeKind, changeKinds, changesSince, kindOfChange, notYetAccepted } from "./changes.ts";
export { type Checkpoint, type CheckpointState, hasCheckpoints, latestCheckpoint, type Origin } from "./checkpoint.ts";
export { type FinishedRun, readFinishedRuns, type UnfinishedRun } from "./finished-runs.ts";
export {
  type ChangeRow,
  type EvaluationRow,
  isEvaluationRow,
  isStepRow,
  type MetricsRow,
  readMetrics,
  type StepRow,
} from "./metrics-log.ts";
export { readRecipe, recipeFrom, writeRecipe } from "./recipe-file.ts";
export { checkUnused, findRecipe, ownTokenizer, runPaths, saveModel, startRunFolder } from "./run-folder.ts";
export { applySettings, settingKey } from "./settings.ts";
export { checkSteps, type TrainJob, type TrainSummary, trainRun } from "./train-run.ts";
