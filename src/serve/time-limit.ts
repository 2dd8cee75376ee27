// The time that a request has.
import { RequestError } from "./request-error.ts";

/** A signal that is aborted with another one, and when the time that a request has is over. */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #milliseconds: number;
  readonly #follow = () => this.#controller.abort(this.#outer.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal, milliseconds: number) {
    [this.#outer, this.#milliseconds] = [outer, milliseconds];
    if (outer.aborted) this.#follow();
    else outer.addEventListener("abort", this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time begins to run. */
  start(): void {
    if (this.#milliseconds === Number.POSITIVE_INFINITY) return;
    const over = () =>
      new RequestError("timeout", `the text took longer than the ${this.#milliseconds / 1000} s that this server allows`, {
        code: "time_limit",
      });
    this.#timer = setTimeout(() => this.#controller.abort(over()), this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#follow);
  }
}

/** Rejects with the signal's reason when it is aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
