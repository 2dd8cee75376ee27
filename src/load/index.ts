export { type OpenModel, type OpenModelOptions, type OpenTokenizerOptions, openAnyTokenizer, openChat, openModel } from "./load.ts";
