export {
  type OpenModel,
  type OpenModelOptions,
  type OpenTokenizerOptions,
  openAnyTokenizer,
  openChat,
  openConfig,
  openModel,
} from "./load.ts";
