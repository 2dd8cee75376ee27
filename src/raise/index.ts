export { type Means, mostEpochs } from "./choose-model.ts";
export { claimFolder, type FolderWish, giveUpFolder, isSecondChoice } from "./claim-folder.ts";
export { type Compression, compressionBaselines } from "./compression.ts";
export { measureMatmul } from "./measure-matmul.ts";
export { measureStep } from "./measure-step.ts";
export { meansFor, type PlannedRun, planRun, type RunWish, raiseTokenizer } from "./plan-run.ts";
export { type RunFacts, type Sample, writeRunReport } from "./run-report.ts";
export { checkTime, TimeBudget, trainingSeconds, writingSeconds } from "./time-budget.ts";
export { type TimedJob, trainInTime } from "./train-in-time.ts";
