// Stop strings in a stream: text that may turn out to begin one is held back until it is clear.
import { check } from "./errors.ts";

/** What is certain after some more text. */
export interface StopResult {
  /** Text that is certain to come before any stop string. */
  readonly text: string;
  /** A stop string is complete: what came of it and behind it is gone. */
  readonly stopped: boolean;
}

/** Finds the first of several strings in text that arrives in pieces. */
export class StopFilter {
  readonly #stops: readonly string[];
  #held = "";
  #found: string | undefined;

  /** @throws CriaError for an empty stop string. */
  constructor(stops: readonly string[]) {
    for (const stop of stops)
      check(stop !== "", "infer", () => "a stop string is empty but must have a character: it would stop everything");
    this.#stops = stops;
  }

  /** The stop string that ended the text; undefined while none has. */
  get found(): string | undefined {
    return this.#found;
  }

  /** The stop string that is complete first ends the text, the longest where several end there: so the result never depends on the pieces. */
  push(text: string): StopResult {
    const all = this.#held + text;
    const found = this.#stops
      .map((stop) => ({ start: all.indexOf(stop), length: stop.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) => a.start + a.length - (b.start + b.length) || b.length - a.length)[0];
    const end = found?.start ?? all.length - this.#undecided(all);
    this.#held = found ? "" : all.slice(end);
    if (found !== undefined) this.#found = all.slice(found.start, found.start + found.length);
    return { text: all.slice(0, end), stopped: found !== undefined };
  }

  /** The end of the text: what was held back begins no stop string after all. */
  flush(): string {
    const text = this.#held;
    this.#held = "";
    return text;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #undecided(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--)
      if (this.#stops.some((stop) => stop.startsWith(text.slice(text.length - length)))) return length;
    return 0;
  }
}
