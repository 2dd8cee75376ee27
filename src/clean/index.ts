export {
  applyStep,
  Chain,
  type ChainStep,
  checkedOutcome,
  type OpenedCorpusStep,
  type OpenedCutStep,
  type OpenStagesOptions,
  openStages,
  type Passage,
  type Stage,
  type StepEntries,
  stepEntries,
  stepFilesOf,
} from "./chain.ts";
export {
  type ClusterStep,
  type CorpusStep,
  type CorpusStepRow,
  corpusStepRow,
  isClusterStep,
  isKeyStep,
  isStatisticStep,
  type KeyStep,
  type MarkStep,
  type NearKeys,
  type StatisticStep,
} from "./corpus-step.ts";
export { type CutStep, type CutStepRow, cutStepRow } from "./cut-step.ts";
export { CleanDocument, type Facts } from "./document.ts";
export { parametersOf, type ToldParameter } from "./parameters.ts";
export { expandPresets, type Preset, presetSteps, presets } from "./presets.ts";
export {
  type Deed,
  type DocumentStep,
  type Dropped,
  documentStep,
  isDropped,
  type Outcome,
  type Step,
  type StepFiles,
  type StepRow,
  stepRow,
} from "./step.ts";
export { corpusStepRows, cutStepRows, rulesVersion, stepRows } from "./steps.ts";
export { type NearLimit, openNearLimit } from "./stricter.ts";
export { readCalibration } from "./text/calibration-file.ts";
export { type PerplexityPercentiles, percentilesForm, percentilesOf } from "./text/cutoffs.ts";
export { type Measure, MeasureSample, samplePlace } from "./text/document-sample.ts";
export { KeyList } from "./text/key-list.ts";
export { type MeterMark, type MeterSettings, openMeter, type PerplexityMeter } from "./text/perplexity-meter.ts";
export { linesOf, type SentenceOptions, sentenceReader } from "./text/pieces.ts";
