export { type ModelFormat, type OpenModel, openModel } from "./open-model.ts";
export { type OnWarning, openTokenizerJson } from "./open-tokenizer.ts";
