// Several texts that follow the same prompt, written at the same time and drawn apart.
import { check } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { keptTokens, slid } from "./context-end.ts";
import { type GenerateTextOptions, generateText, promptIds, type TextPiece } from "./generate-text.ts";
import { allowedTokens, type LanguageModel } from "./generate-tokens.ts";
import { SharedPrompt } from "./shared-prompt.ts";

/** A token of one of several texts. */
export interface ChoicePiece extends TextPiece {
  /** Which text it is of, from 0. */
  readonly choice: number;
}

/**
 * Writes `count` texts behind one prompt, which is read once. Text i is what {@link generateText} writes with the same seed and choice i. Pieces come as
 * they are drawn.
 * @throws CriaError as {@link generateText} does
 */
export async function* generateChoices(
  model: LanguageModel,
  tokenizer: Tokenizer,
  prompt: string | ArrayLike<number>,
  count: number,
  options: GenerateTextOptions = {},
): AsyncGenerator<ChoicePiece, void> {
  check(Number.isSafeInteger(count) && count >= 1, "infer", () => `${count} texts are asked for, but it must be an integer, at least 1`);
  const ids = typeof prompt === "string" ? promptIds(tokenizer, prompt, options) : prompt;
  const { seed = Math.floor(Math.random() * 2 ** 32), choice: first = 0 } = options;
  allowedTokens(model, ids.length, options);
  const keep = keptTokens(options, model.contextLength);
  const read = options.contextEnd === "slide" ? slid(Array.from(ids), keep, model.contextLength) : ids;
  using shared = await SharedPrompt.read(model, read, options);
  const writers = Array.from({ length: count }, (_, i) => generateText(shared, tokenizer, ids, { ...options, seed, choice: first + i }));
  try {
    yield* merged(writers);
  } finally {
    await Promise.allSettled(writers.map((writer) => writer.return()));
  }
}

/** What all give, as soon as one of them does. */
async function* merged(writers: readonly AsyncGenerator<TextPiece, void>[]): AsyncGenerator<ChoicePiece, void> {
  const waiting = new Map(writers.map((writer, choice) => [choice, nextOf(writer, choice)]));
  while (waiting.size > 0) {
    const { choice, result } = await Promise.race(waiting.values());
    if (result.done) waiting.delete(choice);
    else {
      waiting.set(choice, nextOf(writers[choice]!, choice));
      yield { ...result.value, choice };
    }
  }
}

async function nextOf(writer: AsyncGenerator<TextPiece, void>, choice: number) {
  return { choice, result: await writer.next() };
}
