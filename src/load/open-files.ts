// Files of one model: opened one by one, closed together.
import { type FileSource, openFile } from "../files/index.ts";

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
