// Files of one model: opened one by one, closed together.
import type { ModelFiles, OpenedSource } from "./model-files.ts";

/** Opens files of one model, and closes all that it opened. */
export class OpenedSources {
  readonly #files: ModelFiles;
  readonly #open: OpenedSource[] = [];

  constructor(files: ModelFiles) {
    this.#files = files;
  }

  async open(file: string): Promise<OpenedSource> {
    const source = await this.#files.open(file);
    this.#open.push(source);
    return source;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((source) => source.close?.()));
  }
}

/** What `act` makes of a file that is open for as long. */
export async function withSource<T>(files: ModelFiles, file: string, act: (source: OpenedSource) => Promise<T>): Promise<T> {
  const source = await files.open(file);
  try {
    return await act(source);
  } finally {
    await source.close?.();
  }
}
