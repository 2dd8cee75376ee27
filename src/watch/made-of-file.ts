// What was made of a file, kept for as long as the file is the same.
import { stat } from "node:fs/promises";

/** A value that is made of a file's content, again only where the file is another one: by its number, its size or the time of its last change. */
export class MadeOfFile<Value> {
  readonly #path: string;
  readonly #make: () => Promise<Value>;
  #made: { readonly of: string; readonly value: Value } | undefined;

  constructor(path: string, make: () => Promise<Value>) {
    this.#path = path;
    this.#make = make;
  }

  /** @throws what making throws, which is tried again when it is next asked for */
  async get(): Promise<Value> {
    const file = await stat(this.#path).catch(() => undefined);
    const of = file && `${file.ino} ${file.size} ${file.mtimeMs}`;
    if (this.#made === undefined || this.#made.of !== of) {
      const value = await this.#make();
      this.#made = of === undefined ? undefined : { of, value };
      return value;
    }
    return this.#made.value;
  }
}
