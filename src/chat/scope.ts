// Names and their values. A block of a loop, a macro or a call has a scope of its own, into which it sees from inside only.
import type { Value } from "./values.ts";

/** Names and their values in a block, which sees those of the blocks around it. */
export class Scope {
  readonly #values = new Map<string, Value>();
  readonly #parent: Scope | undefined;

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  get(name: string): Value | undefined {
    const own = this.#values.get(name);
    return own !== undefined || this.#values.has(name) ? own : this.#parent?.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}
