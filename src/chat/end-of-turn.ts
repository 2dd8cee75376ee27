// The ids that end a turn of a chat.
import { CriaError } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { encodeChat } from "./encode.ts";
import type { ChatTemplate } from "./template.ts";

/** Special pieces that end a turn or a text wherever they are known: those of LLaMA 3 and 4, ChatML, Gemma, Phi, DeepSeek, Cohere, Mistral. */
export const turnEndPieces = [
  ...["<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|end_of_text|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<|endoftext|>"],
  ...["<|return|>", "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<|end_of_turn|>", "</s>", "<EOT>", "<|EOT|>"],
];

/** What the ids that end a turn are found from, beside the tokenizer. */
export interface EndOfTurnOptions {
  /** Ids that the model's files name. */
  readonly named?: readonly number[];
  readonly templates?: readonly ChatTemplate[];
  /** Tokens of the model; an id that it lacks cannot come. @default as many as the tokenizer has */
  readonly modelSize?: number;
}

/**
 * All ids that end a turn: those that the model's files name (generation_config.json's and config.json's eos_token_id, GGUF's eot and eom), the
 * tokenizer's end-of-text, the piece that a template writes behind the assistant's message, and special or added pieces known by their spelling. An
 * id is there once, in that order.
 */
export function endOfTurnIds(
  tokenizer: Tokenizer,
  { named = [], templates = [], modelSize = tokenizer.vocabSize }: EndOfTurnOptions = {},
): readonly number[] {
  const { eosId } = tokenizer;
  const isApart = pieceCheck(tokenizer);
  const written = templates.flatMap((template) => endOf(template, tokenizer) ?? []).filter(isApart);
  const known = turnEndPieces.flatMap((piece) => tokenizer.pieceToId(piece) ?? []).filter(isApart);
  const all = [...named, ...(eosId === undefined ? [] : [eosId]), ...written, ...known];
  return [...new Set(all)].filter((id) => id < modelSize);
}

function pieceCheck({ model }: Tokenizer): (id: number) => boolean {
  const apart = new Set([...model.specials, ...(model.added ?? [])]);
  return (id) => apart.has(id);
}

/** The first id that a template writes behind an answer, white space left out; undefined where it writes nothing there, or refuses the chat. */
function endOf(template: ChatTemplate, tokenizer: Tokenizer): number | undefined {
  try {
    const { segments } = encodeChat(
      tokenizer,
      template,
      [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
      ],
      { addGenerationPrompt: false },
    );
    const behind = segments.slice(segments.findLastIndex(({ origin }) => origin?.from === "message" && origin.message === 1) + 1);
    const text = behind.map((segment) => (segment.origin === undefined ? segment.text : "")).join("");
    return behind.length === segments.length ? undefined : tokenizer.encode(text.trimStart(), { parseSpecial: true })[0];
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}
