export { type OpenChat, type OpenChatOptions, openChat } from "./open-chat.ts";
export { type ModelFormat, type OpenModel, openModel } from "./open-model.ts";
export { findTokenizer, type OnWarning, type OpenTokenizerOptions, openAnyTokenizer, tokenizerForms } from "./open-tokenizer.ts";
