// The door of a loaded model, wherever its files lie and wherever it computes.
export { checkArgument, checkOptions, is, type Rule } from "./check-arguments.ts";
export {
  type ChatOptions,
  type ChatPartsOptions,
  type GenerateOptions,
  LoadedLlama,
  loadThere,
  type ModelBackend,
  type ModelOptions,
  type ModelThere,
  modelRules,
  type Prompt,
  type RenderOptions,
} from "./loaded-llama.ts";
export type { ChatPart, DialogueOptions, OpenDialogue } from "./open-dialogue.ts";
