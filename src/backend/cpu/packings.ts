// What is made of a weight once: other bytes of it, as some kernel wants them, filled by a small program of their own.
import type { Executor } from "./executor.ts";
import type { Calls } from "./lower.ts";

/** One form of a weight. */
export class Packing {
  readonly address: number;
  readonly #executor: Executor;
  readonly #calls: Calls;
  #program: Promise<number> | undefined;
  #isCurrent = false;

  constructor(executor: Executor, bytes: number, lowerPacking: (packed: number) => Calls) {
    this.#executor = executor;
    this.address = executor.allocate(bytes);
    this.#calls = lowerPacking(this.address);
  }

  /** Loads the program that fills it, once; a load that failed is tried again. */
  async load(): Promise<void> {
    this.#program ??= this.#executor.load(this.#calls.kernels, this.#calls.phases);
    try {
      await this.#program;
    } catch (error) {
      this.#program = undefined;
      throw error;
    }
  }

  /** Fills it, unless it is what the weight now says. */
  async refresh(): Promise<void> {
    if (this.#isCurrent) return;
    await this.load();
    await this.#executor.run(await this.#program!);
    this.#isCurrent = true;
  }

  outdate(): void {
    this.#isCurrent = false;
  }

  dispose(): void {
    void this.#program?.then((program) => this.#executor.unload(program)).catch(() => undefined);
    this.#executor.free(this.address);
  }
}

/** The forms of one weight, by name; they live as long as its buffer. */
export class Packings {
  readonly #executor: Executor;
  readonly #forms = new Map<string, Packing>();

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  get(form: string, bytes: number, lowerPacking: (packed: number) => Calls): Packing {
    const packing = this.#forms.get(form) ?? new Packing(this.#executor, bytes, lowerPacking);
    this.#forms.set(form, packing);
    return packing;
  }

  /** After the weight was written. */
  outdate(): void {
    for (const packing of this.#forms.values()) packing.outdate();
  }

  dispose(): void {
    for (const packing of this.#forms.values()) packing.dispose();
    this.#forms.clear();
  }
}
