// What a request holds while it runs.

/** What a request holds, given back once, the last first. */
export class Releases {
  readonly #held: Disposable[] = [];

  use<T extends Disposable>(held: T): T {
    this.#held.push(held);
    return held;
  }

  release(): void {
    for (const held of this.#held.splice(0).reverse()) held[Symbol.dispose]();
  }
}
