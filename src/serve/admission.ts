// Which requests run: as many as the pool has pages for, those of each key in turn, and a bounded queue of the others.
import { RequestError } from "./request-error.ts";

/** What a request takes while it runs. */
export interface Need {
  /** Sequences that are written at the same time. */
  readonly sequences: number;
  /** Pages of the pool. */
  readonly pages: number;
}

/** What there is of it, and how many requests may wait. */
export interface AdmissionLimits extends Need {
  readonly queue: number;
}

/** A place, in the queue first. Giving it back twice is harmless. */
export interface Place extends Disposable {
  /** Resolves when the request may run. */
  readonly granted: Promise<void>;
}

interface Waiting {
  readonly key: string;
  readonly need: Need;
  grant(): void;
}

/** Lets requests run by what they need. One that needs more than there is runs alone, and the scheduler of the model's rows does what it can. */
export class Admission {
  readonly #limits: AdmissionLimits;
  /** Waiting requests by key; the key whose turn it is comes first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #running = new Set<Waiting>();
  /** Seconds that a request took, as an average of the last ones. */
  #seconds = 1;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    let count = 0;
    for (const list of this.#waiting.values()) count += list.length;
    return count;
  }

  /** @throws RequestError where the queue is full: when to ask again follows from how long requests took */
  enter(key: string, need: Need): Place {
    if (this.waiting >= this.#limits.queue && !this.#hasRoom(need)) throw this.#full();
    let began: number | undefined;
    const { promise: granted, resolve } = withResolver();
    const entry: Waiting = {
      ...{ key, need },
      grant: () => {
        began = performance.now();
        resolve();
      },
    };
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), entry]);
    this.#admit();
    return { granted, [Symbol.dispose]: () => this.#leave(entry, began) };
  }

  #full(): RequestError {
    const rounds = Math.ceil((this.waiting + 1) / Math.max(1, this.#running.size));
    const retryAfter = Math.max(1, Math.ceil(rounds * this.#seconds));
    return new RequestError(
      "overloaded",
      `${this.waiting} requests wait already, as many as may (${this.#limits.queue}): ask again in ${retryAfter} s`,
      { code: "queue_full", retryAfter },
    );
  }

  #leave(entry: Waiting, began: number | undefined): void {
    if (this.#running.delete(entry) && began !== undefined) this.#seconds += ((performance.now() - began) / 1000 - this.#seconds) / 8;
    const list = this.#waiting.get(entry.key)?.filter((other) => other !== entry) ?? [];
    if (list.length > 0) this.#waiting.set(entry.key, list);
    else this.#waiting.delete(entry.key);
    this.#admit();
  }

  /** Lets the first of the key whose turn it is run, and puts the key behind the others; a large request is not overtaken by small ones. */
  #admit(): void {
    for (;;) {
      const [turn] = this.#waiting;
      const first = turn?.[1][0];
      if (turn === undefined || first === undefined || !this.#hasRoom(first.need)) return;
      const [key, [, ...others]] = turn;
      this.#waiting.delete(key);
      if (others.length > 0) this.#waiting.set(key, others);
      this.#running.add(first);
      first.grant();
    }
  }

  #hasRoom({ sequences, pages }: Need): boolean {
    if (this.#running.size === 0) return true;
    let [usedSequences, usedPages] = [0, 0];
    for (const { need } of this.#running) {
      usedSequences += need.sequences;
      usedPages += need.pages;
    }
    return usedSequences + sequences <= this.#limits.sequences && usedPages + pages <= this.#limits.pages;
  }
}

function withResolver(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
