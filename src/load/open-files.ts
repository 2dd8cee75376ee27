// Files of one model: opened one by one, closed together; small ones are read whole.
import { readFile } from "node:fs/promises";
import { explainIo, type FileSource, openFile } from "../files/index.ts";

export class OpenFiles {
  readonly #open: FileSource[] = [];

  async open(path: string): Promise<FileSource> {
    const file = await openFile(path, "model");
    this.#open.push(file);
    return file;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((file) => file.close()));
  }
}

/** @throws CriaError when the file is missing or unreadable. */
export async function readWhole(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => {
    throw explainIo("model", path, error);
  });
}
