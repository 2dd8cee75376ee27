// Files of one model: opened one by one, closed together.
import type { ModelFiles, OpenedSource } from "./model-files.ts";

/** Opens files of one model, and closes all that it opened. */
export class OpenedSources {
  readonly #files: ModelFiles;
  readonly #open: Promise<OpenedSource>[] = [];

  constructor(files: ModelFiles) {
    this.#files = files;
  }

  open(file: string): Promise<OpenedSource> {
    const source = this.#files.open(file);
    this.#open.push(source);
    return source;
  }

  /** Closes those, too, that are still being opened: of files that are opened together one may have failed. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.splice(0));
    await Promise.all(opened.map((one) => (one.status === "fulfilled" ? one.value.close?.() : undefined)));
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
