export { type ModelFormat, type OpenModel, openModel } from "./open-model.ts";
export { findTokenizer, type OnWarning, type OpenTokenizerOptions, openAnyTokenizer, tokenizerForms } from "./open-tokenizer.ts";
