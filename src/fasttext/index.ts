export { type Calibration, calibrated, fitCalibration, type Quality, qualityOf, type Verdict } from "./calibration.ts";
export { FastTextClassifier, type LabelProbability } from "./classifier.ts";
export { type Explanation, FastTextExplainer, type NgramPart } from "./explain.ts";
export { narrowModel } from "./narrow-model.ts";
export { type FastTextModel, type FastTextSettings, type Matrix, type ReadFastTextOptions, readFastText } from "./read-model.ts";
export { FastTextTrainer, type FastTextTrainerOptions, type TrainedFastText } from "./trainer.ts";
export type { WordList } from "./word-list.ts";
export { writeFastText } from "./write-model.ts";
