export { type ChangeKind, changeKinds, changesSince, kindOfChange, notYetAccepted } from "./changes.ts";
export { type Checkpoint, type CheckpointState, hasCheckpoints, latestCheckpoint, type Origin } from "./checkpoint.ts";
export { askedOf, askRun, type ControlRequest, requests, takeBack } from "./control.ts";
export { type FinishedRun, readFinishedRuns, type UnfinishedRun } from "./finished-runs.ts";
export { type RunMachine, readMachine } from "./machine-file.ts";
export {
  type EvaluationRow,
  isEvaluationRow,
  isSamplesRow,
  isStepRow,
  type MetricsRow,
  readMetrics,
  type SamplesRow,
  type StepRow,
  type WrittenText,
} from "./metrics-log.ts";
export { readRecipe, recipeFrom, writeRecipe } from "./recipe-file.ts";
export { checkUnused, findRecipe, ownTokenizer, runPaths, saveModel, startRunFolder } from "./run-folder.ts";
export { isTraining, lockRun } from "./run-lock.ts";
export { applySettings, settingKey } from "./settings.ts";
export type { TrainJob, TrainSummary } from "./train-job.ts";
export { checkSteps, trainRun } from "./train-run.ts";
