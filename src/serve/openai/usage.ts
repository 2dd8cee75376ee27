// Counts of tokens as OpenAI's protocol has them.
import type { LogNotes } from "../context.ts";
import type { GenerationEvent } from "../generation.ts";

/** Tokens of a request, summed over its prompts and texts. A token that ends a text counts: it was written, though it is not shown. */
export class UsageCount {
  promptTokens = 0;
  cachedTokens = 0;
  completionTokens = 0;
  reasoningTokens = 0;

  add(event: GenerationEvent): void {
    if (event.type === "start") {
      this.promptTokens += event.promptTokens;
      this.cachedTokens += event.cachedTokens;
    } else if (event.type === "end") {
      this.completionTokens += event.completionTokens;
      this.reasoningTokens += event.reasoningTokens;
    }
  }

  /** Tells the log. */
  note(notes: LogNotes, model: string): void {
    const { promptTokens, cachedTokens, completionTokens } = this;
    Object.assign(notes, { model, promptTokens, cachedTokens, completionTokens });
  }

  toJSON(): unknown {
    return {
      prompt_tokens: this.promptTokens,
      completion_tokens: this.completionTokens,
      total_tokens: this.promptTokens + this.completionTokens,
      prompt_tokens_details: { cached_tokens: this.cachedTokens },
      completion_tokens_details: { reasoning_tokens: this.reasoningTokens },
    };
  }
}
