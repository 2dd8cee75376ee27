export { FastTextClassifier, type LabelProbability } from "./classifier.ts";
export { type FastTextModel, type FastTextSettings, type Matrix, readFastText } from "./read-model.ts";
