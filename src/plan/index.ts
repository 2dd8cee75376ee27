export { type Accelerator, type Arithmetic, accelerator, accelerators, peakOf, type Utilisation } from "./accelerators.ts";
export { amount, bytes, digits, exponent, flopRate, short } from "./amount.ts";
export { computationFor, computationUtilisation } from "./computation.ts";
export { carbonOf, energyOf, flopsIn, hoursFor, powerUsageEffectiveness, tonnesPerMegawattHour } from "./cost.ts";
export { type FitOptions, type Freedom, fitLaw, type Interval, type LawFit, predictLoss, type RunPoint } from "./fit-law.ts";
export { attentionFlopsPerToken, servingFlopsPerToken, trainingFlopsPerToken, utilisationOf } from "./flops.ts";
export { type Judgement, judgeFit, judgePrediction, refuted } from "./judge-fit.ts";
export {
  type Allocation,
  laws,
  lossOf,
  optimumForCompute,
  optimumForLoss,
  optimumForParameters,
  optimumForTokens,
  parametersForLoss,
  rootRuleForCompute,
  type ScalingLaw,
  servingFlops,
  tokensForLoss,
  tokensPerParameter,
  trainingFlops,
} from "./law.ts";
export { type Cluster, type Job, type Layout, layouts, type Sharding } from "./layout.ts";
export { llamaBatchTokens, llamaTokensPerSecond, type PublishedRun, publishedRuns } from "./llama-runs.ts";
export { example, given, type Machine, type MachineAsked, namedMachine } from "./machine.ts";
export {
  activationBytes,
  type Kept,
  keptActivations,
  kvCacheBytes,
  layerActivations,
  type StateBytes,
  servingPrecisions,
  type TrainingPrecision,
  trainingPrecisions,
  trainingStateBytes,
  weightBytes,
} from "./memory.ts";
export { askNext, type NamedRun, type RunsFit } from "./next-run.ts";
export { type Asked, type Budget, lengthFor } from "./question.ts";
export { buildReport, type PlanReport, type ServingReport } from "./report.ts";
export type { LayoutsReport, RunOn, RunReport } from "./run-on.ts";
export { type BreakEven, breakEven, life, lifeOf, type ServingPlan, servingOptimum, servingOptimumForCompute } from "./serving.ts";
export type { Chosen, Origin } from "./settle.ts";
export { shapeFor, shapeSizes } from "./shape.ts";
export { type Given, type Solution, solve } from "./solve.ts";
