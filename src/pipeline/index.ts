export { type CleanedRecipe, cleanRecipe, hasSteps, openRecipeJob } from "./clean-recipe.ts";
export { type CleanedTexts, cleanedTexts } from "./cleaned.ts";
export type { JobFile, JobSource, PipelineJob } from "./job.ts";
export { type CleanedSource, type OpenedJob, type OpenJobOptions, openJob } from "./open-job.ts";
export { openSources, type Phase, phasesOf, type Task } from "./phases.ts";
export type { SourceReport } from "./report.ts";
export { type RunOptions, runPhases, type Shard } from "./run-phases.ts";
export { parseShard } from "./shard.ts";
export { type TriedStep, tryDocument } from "./try-document.ts";
