// One line per request. It has no prompt and no text unless that is asked for.
import type { LogNotes } from "./context.ts";

/** What the server knows of a request when it is over. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number;
  /** Whether the client took the whole answer. */
  readonly isWhole: boolean;
}

/** Writes down what was asked. */
export class RequestLog {
  readonly #write: (line: string) => void;
  readonly #withPrompts: boolean;

  constructor(write: (line: string) => void, withPrompts: boolean) {
    this.#write = write;
    this.#withPrompts = withPrompts;
  }

  request({ method, path, status, seconds, isWhole }: LoggedRequest, notes: LogNotes): void {
    const { model, promptTokens, cachedTokens, completionTokens, prompt, error } = notes;
    const said = [
      `${method} ${printable(path)} ${status} ${(1000 * seconds).toFixed(1)} ms`,
      ...(isWhole ? [] : ["the client left"]),
      ...(model === undefined ? [] : [printable(model)]),
      ...(promptTokens === undefined ? [] : [`${promptTokens} tokens read, ${cachedTokens ?? 0} of them from memory`]),
      ...(completionTokens === undefined ? [] : [`${completionTokens} written`]),
      ...(error === undefined ? [] : [printable(error)]),
      ...(this.#withPrompts && prompt !== undefined ? [JSON.stringify(prompt)] : []),
    ];
    this.#write(said.join(" · "));
  }
}

/** A client's own text in a log of lines: no line ends, no codes of terminals. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
