// Tokens of one text while it is written: how many, of what kind, and when each came.
import type { DialoguePart } from "../dialogue/index.ts";
import type { TextEnd } from "./generation.ts";
import type { PaceMark, PrefillPace } from "./prefill-pace.ts";

/** Who is told when tokens come. */
export interface TextWatch {
  /** A text's first token, or its next one so many seconds after the one before. */
  tokenWritten(seconds: number | undefined): void;
}

/** Counts the tokens of one text. */
export class TextProgress implements Disposable {
  readonly #pace: PrefillPace;
  readonly #watch: TextWatch;
  #tokens = 0;
  #reasoning = 0;
  #isReasoning = false;
  #last: PaceMark | undefined;
  #paced: Disposable | undefined;

  constructor(pace: PrefillPace, watch: TextWatch) {
    [this.#pace, this.#watch] = [pace, watch];
  }

  [Symbol.dispose](): void {
    this.#paced?.[Symbol.dispose]();
  }

  get counts(): Pick<TextEnd, "completionTokens" | "reasoningTokens"> {
    return { completionTokens: this.#tokens, reasoningTokens: this.#reasoning };
  }

  /** @param parts what the next token brought; one that brings none is of the kind of the one before */
  count(parts: readonly DialoguePart[]): void {
    const now = this.#pace.mark(performance.now() / 1000);
    this.#watch.tokenWritten(this.#last === undefined ? undefined : now.seconds - this.#last.seconds);
    if (this.#last !== undefined) this.#pace.next(this.#last, now);
    this.#paced ??= this.#pace.begin();
    this.#last = now;
    const kind = parts.at(-1)?.type;
    if (kind !== undefined) this.#isReasoning = kind === "reasoning";
    this.#tokens++;
    if (this.#isReasoning) this.#reasoning++;
  }
}
