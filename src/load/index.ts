export { type ModelFormat, type OpenModel, openModel } from "./open-model.ts";
export { openTokenizerJson } from "./open-tokenizer.ts";
