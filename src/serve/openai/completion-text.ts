// One text of /v1/completions with its log-probabilities, the prompt's own in front where it is echoed.

import { StreamDecoder, type Tokenizer } from "../../tokenizer/index.ts";
import type { LoggedToken } from "../generation.ts";
import { tokenText } from "../token-text.ts";

/** What a text is told with. */
export interface CompletionTextOptions {
  /** The prompt, where it is part of the text; "" where it is not. */
  readonly echo: string;
  readonly hasLogprobs: boolean;
}

/** Log-probabilities in the form of the older protocol: lists over tokens. */
interface Logprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Readonly<Record<string, number>> | null)[];
  /** Characters (code points) of the text in front of each token. */
  readonly text_offset: number[];
}

/** A text while it grows: what has come since it was last taken. */
export class CompletionText {
  readonly #tokenizer: Tokenizer;
  readonly #index: number;
  readonly #hasLogprobs: boolean;
  readonly #decoder: StreamDecoder;
  #text: string;
  #logprobs = emptyLogprobs();
  #offset = 0;
  /** Characters that begin in tokens whose text the decoder still holds back. */
  #held = 0;
  #finishReason: string | null = null;

  constructor(tokenizer: Tokenizer, index: number, { echo, hasLogprobs }: CompletionTextOptions) {
    [this.#tokenizer, this.#index, this.#text, this.#hasLogprobs] = [tokenizer, index, echo, hasLogprobs];
    this.#decoder = new StreamDecoder(tokenizer);
  }

  /** The prompt's tokens, before anything else comes. */
  echo(tokens: readonly LoggedToken[]): void {
    for (const token of tokens) this.#log(token);
  }

  push(text: string, logged: LoggedToken | undefined): void {
    this.#text += text;
    if (logged !== undefined) this.#log(logged);
  }

  end(finishReason: string): void {
    this.#finishReason = finishReason;
  }

  get hasNews(): boolean {
    return this.#text !== "" || this.#logprobs.tokens.length > 0 || this.#finishReason !== null;
  }

  /** The choice as the protocol has it. What was taken does not come again. */
  take(): unknown {
    const logprobs = this.#hasLogprobs ? this.#logprobs : null;
    const choice = { text: this.#text, index: this.#index, logprobs, finish_reason: this.#finishReason };
    this.#text = "";
    this.#logprobs = emptyLogprobs();
    return choice;
  }

  #log({ id, told }: LoggedToken): void {
    const { tokens, token_logprobs, top_logprobs, text_offset } = this.#logprobs;
    tokens.push(tokenText(this.#tokenizer, id));
    token_logprobs.push(told?.logProbability ?? null);
    top_logprobs.push(told === undefined ? null : this.#topOf(told.top));
    text_offset.push(this.#offset + this.#held);
    const more = [...this.#decoder.push(id)].length;
    this.#offset += more;
    this.#held = more > 0 ? 0 : this.#held + this.#charactersOf(id);
  }

  #charactersOf(id: number): number {
    if (this.#tokenizer.isSpecial(id)) return 0;
    return this.#tokenizer.pieceBytes(id).filter((byte) => (byte & 0xc0) !== 0x80).length;
  }

  /** Keyed by the tokens' texts; of two tokens with one text the more probable is told. */
  #topOf(top: readonly { readonly id: number; readonly logProbability: number }[]): Readonly<Record<string, number>> {
    const told: Record<string, number> = {};
    for (const { id, logProbability } of top) told[tokenText(this.#tokenizer, id)] ??= logProbability;
    return told;
  }
}

function emptyLogprobs(): Logprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
}
