// The files of a job's steps: models, which the threads of a run share, and modules, which each thread loads.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fail } from "../base/index.ts";
import type { StepFiles } from "../clean/index.ts";
import { openFile } from "../files/index.ts";

/** The contents of files by their paths, in memory that threads share. */
export type SharedContents = ReadonlyMap<string, Uint8Array<SharedArrayBuffer>>;

/** Files from a folder on, each of which is read once. */
export class SharedStepFiles implements StepFiles {
  readonly #base: string;
  readonly #contents: Map<string, Uint8Array<SharedArrayBuffer>>;

  /** @param base where relative paths start @param contents files that another thread has read */
  constructor(base: string, contents: SharedContents = new Map()) {
    this.#base = base;
    this.#contents = new Map(contents);
  }

  /** What was read so far, for other threads. */
  get contents(): SharedContents {
    return this.#contents;
  }

  /** Bytes of what was read. */
  get bytes(): number {
    return [...this.#contents.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async read(path: string): Promise<Uint8Array> {
    const whole = resolve(this.#base, path);
    const bytes = this.#contents.get(whole) ?? (await readShared(whole));
    this.#contents.set(whole, bytes);
    return bytes;
  }

  module(path: string): Promise<unknown> {
    return moduleDefault(resolve(this.#base, path));
  }
}

/** Files of steps, from a folder on. */
export function filesFrom(folder: string): StepFiles {
  return new SharedStepFiles(folder);
}

/** Bytes that are copied at once. */
const chunkBytes = 1 << 24;

async function readShared(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  await using file = await openFile(path, "data");
  const bytes = new Uint8Array(new SharedArrayBuffer(file.size));
  for (let at = 0; at < bytes.length; at += chunkBytes) bytes.set(await file.read(at, Math.min(chunkBytes, bytes.length - at)), at);
  return bytes;
}

async function moduleDefault(path: string): Promise<unknown> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(path).href);
    return module.default;
  } catch (error) {
    const { message } = error as Error;
    const way = message.includes("package 'cria'") ? ": install cria in its folder, npm install with the path of cria's checkout" : "";
    return fail("data", `${path}: the module cannot be loaded: ${message}${way}`, { cause: error });
  }
}
