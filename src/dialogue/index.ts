export { type AnthropicConversation, anthropicMessages } from "./anthropic-messages.ts";
export type { ArgumentsPart, CallPart } from "./call-reader.ts";
export { type Dialogue, dialogueFor } from "./dialogue.ts";
export { ollamaMessages } from "./ollama-messages.ts";
export { openAiMessages } from "./openai-messages.ts";
export type { CallFormat, ReasoningFormat } from "./output-format.ts";
export type { DialogueEnd, DialogueParser, DialoguePart } from "./parser.ts";
export type { DialogueRequest, ResponseFormat, Tool, ToolChoice } from "./request.ts";
export { factsOf, type TemplateFacts } from "./template-facts.ts";
