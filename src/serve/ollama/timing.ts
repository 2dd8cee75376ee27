// What Ollama's protocol tells of time, in nanoseconds, and of tokens.
import type { GenerationEvent } from "../generation.ts";

/** The moments of a request, from when it came. */
export class Timing {
  readonly #began = performance.now();
  #opened = 0;
  #read = 0;
  #end = 0;
  #promptTokens = 0;
  #cachedTokens = 0;
  #completionTokens = 0;

  /** The model is there, and the request checked. */
  opened(): void {
    this.#opened = performance.now();
  }

  add(event: GenerationEvent): void {
    if (event.type === "start") {
      [this.#promptTokens, this.#cachedTokens] = [event.promptTokens, event.cachedTokens];
      this.#read = performance.now();
    } else if (event.type === "end") {
      this.#completionTokens = event.completionTokens;
      this.#end = performance.now();
    }
  }

  /** Counts for the log. */
  get counts() {
    return { promptTokens: this.#promptTokens, cachedTokens: this.#cachedTokens, completionTokens: this.#completionTokens };
  }

  toJSON(): Readonly<Record<string, number>> {
    const nanoseconds = (from: number, to: number) => Math.max(0, Math.round((to - from) * 1e6));
    return {
      total_duration: nanoseconds(this.#began, performance.now()),
      load_duration: nanoseconds(this.#began, this.#opened),
      prompt_eval_count: this.#promptTokens,
      prompt_eval_duration: nanoseconds(this.#opened, this.#read),
      eval_count: this.#completionTokens,
      eval_duration: nanoseconds(this.#read, this.#end),
    };
  }
}
