// A text that is nothing but content, up to a stop string.
import { StopFilter } from "../base/index.ts";
import type { DialogueEnd, DialogueParser, DialoguePart } from "../dialogue/index.ts";

/** Reads a text in which nothing is looked for but stop strings. */
export class PlainParser implements DialogueParser {
  readonly #stops: StopFilter;
  #isStopped = false;

  /** @throws CriaError for an empty stop string */
  constructor(stop: readonly string[]) {
    this.#stops = new StopFilter(stop);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get stopString(): string | undefined {
    return this.#stops.found;
  }

  push(text: string): readonly DialoguePart[] {
    const { text: certain, stopped } = this.#stops.push(text);
    this.#isStopped ||= stopped;
    return contentOf(certain);
  }

  end(): DialogueEnd {
    return { parts: this.#isStopped ? [] : contentOf(this.#stops.flush()), finishReason: "stop" };
  }
}

function contentOf(text: string): readonly DialoguePart[] {
  return text === "" ? [] : [{ type: "content", text }];
}
