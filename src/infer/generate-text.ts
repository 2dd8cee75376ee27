// Text in, text out as it comes: never half a character, never any of a stop string.
import { check, type Sliced, StopFilter, wholly } from "../base/index.ts";
import { prepareTokens } from "../grammar/index.ts";
import { StreamDecoder, type Tokenizer } from "../tokenizer/index.ts";
import { breakerIds, usualBreakers } from "./dry-breakers.ts";
import { type GeneratedToken, type GenerateTokensOptions, generateTokens, type LanguageModel } from "./generate-tokens.ts";
import { type GrammarOptions, grammarOf } from "./grammar-of.ts";
import { GrammarStep } from "./grammar-step.ts";

/** How a prompt is encoded. */
export interface PromptOptions {
  /** Special pieces spelled out in the prompt become their ids; leave it off for text that others wrote. @default false */
  readonly parseSpecial?: boolean;
}

/** How a text is continued: its length, sampling, rules, and what ends it. */
export interface GenerateTextOptions extends Omit<GenerateTokensOptions, "vocabSize" | "dryBreakers">, PromptOptions, GrammarOptions {
  /** Texts that no repetition reaches across, for DRY: tokens whose text holds one of them. Line ends, colons, quotation marks and asterisks by default. */
  readonly dryBreakers?: readonly string[];
  /** Strings that end the text and are not part of it. */
  readonly stop?: readonly string[];
  /**
   * Special tokens that are part of the text by their spelling, such as those that mark a call of a tool; a grammar may use them. None by default: they
   * are left out of a text, and a grammar's text has none.
   */
  readonly shownIds?: Iterable<number>;
}

/** What one token brought. */
export interface TextPiece extends GeneratedToken {
  /** Empty while a character is incomplete or a stop string may be beginning. */
  readonly text: string;
}

/**
 * The ids to start from: the prompt, with what the tokenizer's template puts around a text. Whether that is a begin-of-text token is the
 * model's policy: having one does not mean that it goes in front. A prompt whose own ids begin with it, as those of a rendered chat do with
 * `parseSpecial`, gets no second one.
 * @throws CriaError when there are none.
 */
export function promptIds(tokenizer: Tokenizer, prompt: string, options: PromptOptions = {}): Uint32Array {
  return wholly(promptIdsSliced(tokenizer, prompt, options));
}

/** {@link promptIds} in slices. */
export function* promptIdsSliced(tokenizer: Tokenizer, prompt: string, { parseSpecial = false }: PromptOptions = {}): Sliced<Uint32Array> {
  const ids = yield* tokenizer.encodeSliced(prompt, { template: true, parseSpecial });
  check(
    ids.length > 0,
    "infer",
    () => "the prompt is empty and the tokenizer puts no begin-of-text token in front to start from: give a prompt",
  );
  return ids;
}

/**
 * Continues `prompt`, a text or ids. The pieces' texts joined are what follows the prompt's text; a character left unfinished at the very end
 * is U+FFFD, as in decoding.
 * @throws CriaError as {@link generateTokens}, and for an empty stop string.
 */
export async function* generateText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  prompt: string | ArrayLike<number>,
  options: GenerateTextOptions = {},
): AsyncGenerator<TextPiece, void> {
  const stops = new StopFilter(options.stop ?? []);
  const ids = typeof prompt === "string" ? promptIds(tokenizer, prompt, options) : prompt;
  const stopIds = new Set(options.stopIds);
  const grammar = grammarOf(options, options.stop);
  const shown = new Set([...(options.shownIds ?? [])].filter((id) => !stopIds.has(id)));
  if (grammar !== undefined) await prepareTokens(tokenizer, options.signal);
  const steps = [...(grammar === undefined ? [] : [new GrammarStep(grammar, tokenizer, stopIds, shown)]), ...(options.steps ?? [])];
  // A grammar's text is the bytes of its pieces, whatever stands in front of them.
  const decoder = grammar === undefined ? decoderAfter(tokenizer, ids, shown) : new StreamDecoder(tokenizer, { continued: true, shown });
  const vocabSize = Math.min(tokenizer.vocabSize, model.vocabSize);
  const { dryMultiplier = 0, dryBreakers = usualBreakers, ...others } = options;
  const dry = dryMultiplier === 0 ? {} : { dryMultiplier, dryBreakers: breakerIds(tokenizer, dryBreakers) };
  for await (const token of generateTokens(model, ids, { ...others, ...dry, steps, stopIds, vocabSize })) {
    const { id, finishReason } = token;
    const isStopId = finishReason === "stop" && stopIds.has(id);
    const arrived = (isStopId ? "" : decoder.push(id)) + (finishReason === undefined ? "" : decoder.flush());
    const { text, stopped } = stops.push(arrived);
    if (stopped) {
      yield { ...token, text, finishReason: "stop" };
      return;
    }
    yield { ...token, text: finishReason === undefined ? text : text + stops.flush() };
  }
}

/** Spaces at borders depend on what came before: the decoder hears the prompt first. */
function decoderAfter(tokenizer: Tokenizer, prompt: ArrayLike<number>, shown: ReadonlySet<number>): StreamDecoder {
  const decoder = new StreamDecoder(tokenizer, { shown });
  for (const id of Array.from(prompt)) decoder.push(id);
  return decoder;
}
