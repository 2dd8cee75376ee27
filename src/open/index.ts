export { type FilePlace, type ModelFiles, type OpenedSource, pathOf, sourceFiles } from "./model-files.ts";
export { type OpenChat, type OpenChatOptions, openChat, type RenderByNameOptions, type RenderedConversation } from "./open-chat.ts";
export { readConfig } from "./open-folder.ts";
export { type ModelFormat, type OpenModel, type OpenModelOptions, openModel } from "./open-model.ts";
export { findTokenizer, type OnWarning, type OpenTokenizerOptions, openTokenizer, tokenizerForms } from "./open-tokenizer.ts";
export { understood } from "./understood.ts";
