// Whether a template, a tokenizer and a model belong together.
import { CriaError, check } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { encodeChat } from "./encode.ts";
import type { ChatTemplate } from "./template.ts";

/** How special pieces of chats are written; in a template's own text they are meant as one token. */
const spelt = /<[|｜][^<>|｜\s]+[|｜]>/g;

/**
 * Renders a short chat, so that what a template only might use disturbs nobody.
 * @param modelSize tokens of the model
 * @throws CriaError naming a special piece that the template writes and the tokenizer lacks, or a token that the model lacks
 */
export function checkChatFits(template: ChatTemplate, tokenizer: Tokenizer, modelSize: number): void {
  const chat = shortChat(template, tokenizer);
  if (chat === undefined) return;
  const own = chat.segments.filter(({ origin }) => origin === undefined).map(({ text }) => text);
  const missing = own.flatMap((text) => text.match(spelt) ?? []).find((piece) => tokenizer.pieceToId(piece) === undefined);
  check(
    missing === undefined,
    "chat",
    () => `${template.name}: it writes ${missing}, which the tokenizer has not: the two do not belong together`,
  );
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
