// Lines sorted into numbered groups in bounded memory: what does not fit goes to files of a temporary folder, which is removed in the end.
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainIo } from "../../files/index.ts";

/** UTF-16 units of lines that are usually held before they are written. */
const usualHeld = 1 << 25;

/** Groups of lines. Dispose of it to remove its files. */
export class Spill implements AsyncDisposable {
  readonly #where: string;
  readonly #mostHeld: number;
  readonly #held = new Map<number, string[]>();
  readonly #written = new Set<number>();
  #length = 0;
  #folder: string | undefined;

  /** @param mostHeld UTF-16 units of lines that are held before they are written */
  constructor(where: string, mostHeld = usualHeld) {
    [this.#where, this.#mostHeld] = [where, mostHeld];
  }

  /** Adds a line without its end to a group. @throws CriaError when the disk is full */
  async add(group: number, line: string): Promise<void> {
    const lines = this.#held.get(group);
    if (lines === undefined) this.#held.set(group, [line]);
    else lines.push(line);
    this.#length += line.length;
    if (this.#length > this.#mostHeld) await this.#write();
  }

  /** The lines of one group after another, by their numbers, in the order in which they were added. Memory: a group. */
  async *groups(): AsyncGenerator<readonly string[]> {
    const numbers = [...new Set([...this.#written, ...this.#held.keys()])].sort((a, b) => a - b);
    for (const number of numbers) {
      const written = this.#written.has(number) ? await this.#read(number) : [];
      yield [...written, ...(this.#held.get(number) ?? [])];
      this.#held.delete(number);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(): Promise<void> {
    const folder = this.#folder ?? join(tmpdir(), "cria-spill-");
    try {
      this.#folder ??= await mkdtemp(folder);
      for (const [number, lines] of this.#held) {
        await appendFile(join(this.#folder, String(number)), lines.map((line) => `${line}\n`).join(""));
        this.#written.add(number);
      }
    } catch (error) {
      throw explainIo(this.#where, folder, error);
    }
    this.#held.clear();
    this.#length = 0;
  }

  async #read(number: number): Promise<string[]> {
    const path = join(this.#folder ?? "", String(number));
    const text = await readFile(path, "utf8").catch((error) => Promise.reject(explainIo(this.#where, path, error)));
    return text.split("\n").slice(0, -1);
  }
}
