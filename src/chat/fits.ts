// Whether a template, a tokenizer and a model belong together.
import { CriaError, check } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { encodeChat } from "./encode.ts";
import type { ChatTemplate } from "./template.ts";

/**
 * Renders a short chat, so that what a template only might use disturbs nobody. A piece that looks special and is none of the tokenizer's is
 * text: published models were trained so.
 * @param modelSize tokens of the model
 * @throws CriaError naming a token that the template writes and the model lacks
 */
export function checkChatFits(template: ChatTemplate, tokenizer: Tokenizer, modelSize: number): void {
  const chat = shortChat(template, tokenizer);
  if (chat === undefined) return;
  const id = chat.ids.find((one) => one >= modelSize);
  check(
    id === undefined,
    "chat",
    () =>
      `${template.name}: it uses token ${id} (${tokenizer.idToPiece(id ?? 0)}), but the model has ${modelSize} tokens: the two do not belong together`,
  );
}

/** Undefined where the template refuses it, for want of tools for instance. */
function shortChat(template: ChatTemplate, tokenizer: Tokenizer) {
  try {
    return encodeChat(tokenizer, template, [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
    ]);
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}
