// The ids that end a turn of a chat.
import type { Tokenizer } from "../tokenizer/index.ts";

/** Special pieces that end a turn or a text wherever they are known: those of LLaMA 3 and 4, ChatML, Gemma, Phi, DeepSeek, Cohere, Mistral. */
const pieces = [
  ...["<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|end_of_text|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<|endoftext|>"],
  ...["<|return|>", "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<|end_of_turn|>", "</s>", "<EOT>", "<|EOT|>"],
];

/**
 * All ids that end a turn: those that the model's files name (generation_config.json's and config.json's eos_token_id, GGUF's eot and eom), the
 * tokenizer's end-of-text, and special or added pieces known by their spelling. An id is there once, in that order.
 * @param named by the model's files
 * @param modelSize tokens of the model; an id that it lacks cannot come
 */
export function endOfTurnIds(tokenizer: Tokenizer, named: readonly number[], modelSize: number = tokenizer.vocabSize): readonly number[] {
  const { eosId, model } = tokenizer;
  const apart = new Set([...model.specials, ...(model.added ?? [])]);
  const known = pieces.flatMap((piece) => tokenizer.pieceToId(piece) ?? []).filter((id) => apart.has(id));
  const all = [...named, ...(eosId === undefined ? [] : [eosId]), ...known];
  return [...new Set(all)].filter((id) => id < modelSize);
}
