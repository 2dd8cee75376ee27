// The door of a loaded model, wherever its files lie and wherever it computes.
export { checkArgument, checkOptions, is, type Rule } from "./check-arguments.ts";
export { LoadedLlama } from "./loaded-llama.ts";
export { loadThere, type ModelBackend, type ModelThere } from "./model-there.ts";
export type { ChatPart, DialogueOptions, OpenDialogue } from "./open-dialogue.ts";
export {
  type ChatOptions,
  type ChatPartsOptions,
  type GenerateOptions,
  type ModelOptions,
  modelRules,
  type Prompt,
  type RenderOptions,
  type RestoredText,
  type SaveOptions,
} from "./options.ts";
