// The files of a job's steps: models, which the threads of a run share, and modules, which each thread loads.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, isObject } from "../base/index.ts";
import type { StepFiles } from "../clean/index.ts";
import { openFile } from "../files/index.ts";

/** What files hold by their paths, and what was made of files, in memory that threads share. */
export type SharedContents = ReadonlyMap<string, unknown>;

/** Files from a folder on, each of which is read once. */
export class SharedStepFiles implements StepFiles {
  readonly #base: string;
  readonly #contents: Map<string, unknown>;
  /** The last file that is read: one after another, so that memory never holds the bytes of two that become something smaller. */
  #last: Promise<unknown> = Promise.resolve();
  #mostBytes = 0;

  /** @param base where relative paths start @param contents what another thread has read */
  constructor(base: string, contents: SharedContents = new Map()) {
    this.#base = base;
    this.#contents = new Map(contents);
  }

  /** What was read so far, for other threads. */
  get contents(): SharedContents {
    return this.#contents;
  }

  /** Bytes of what was read or made, which threads share. */
  get bytes(): number {
    return sharedBytes([...this.#contents.values()]);
  }

  /** The most bytes that there were at the same time, with those of a file that became something else. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  async read(path: string): Promise<Uint8Array> {
    const whole = resolve(this.#base, path);
    return this.#once(whole, whole, (bytes) => bytes);
  }

  async made<T>(path: string, kind: string, make: (bytes: Uint8Array) => T): Promise<T> {
    const whole = resolve(this.#base, path);
    return this.#once(`${kind} ${whole}`, whole, make);
  }

  /** What is kept by a key, or is made of a file now. */
  #once<T>(key: string, path: string, make: (bytes: Uint8Array) => T): Promise<T> {
    const found = this.#last.then(async () => {
      if (!this.#contents.has(key)) {
        const bytes = await readShared(path);
        this.#contents.set(key, make(bytes));
        this.#mostBytes = Math.max(this.#mostBytes, sharedBytes([bytes, ...this.#contents.values()]));
      }
      return this.#contents.get(key) as T;
    });
    this.#last = found.catch(() => undefined);
    return found;
  }

  module(path: string): Promise<unknown> {
    return moduleDefault(resolve(this.#base, path));
  }
}

/** Files of steps, from a folder on. */
export function filesFrom(folder: string): StepFiles {
  return new SharedStepFiles(folder);
}

/** Bytes of the shared memory that arrays lie in, those of objects by their fields. */
function sharedBytes(values: readonly unknown[]): number {
  const found = new Set<SharedArrayBuffer>();
  const find = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof SharedArrayBuffer) found.add(value.buffer);
    } else if (isObject(value)) Object.values(value).forEach(find);
  };
  values.forEach(find);
  return [...found].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

async function readShared(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  await using file = await openFile(path, "data");
  const bytes = new Uint8Array(new SharedArrayBuffer(file.size));
  await file.readInto(bytes, 0);
  return bytes;
}

async function moduleDefault(path: string): Promise<unknown> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(path).href);
    return module.default;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const way = message.includes("package 'cria'")
      ? ": install cria in its folder, npm install with the path of cria's checkout"
      : code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? typeScriptWay(path)
        : "";
    return fail("data", `${path}: the module cannot be loaded: ${message}${way}`, { cause: error });
  }
}

/** What to do where this version of Node loads no TypeScript. */
function typeScriptWay(path: string): string {
  const made = path.replace(/ts$/, "mjs").replace(/\.[cm]mjs$/, ".mjs");
  return `: Node ${process.versions.node} loads no TypeScript, which 22.18 and later versions do: make JavaScript of it, npx esbuild ${path} --outfile=${made}, and name that in the recipe`;
}
