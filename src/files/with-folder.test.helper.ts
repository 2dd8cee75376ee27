// Folders for tests' files, gone when the test ends, or all tests of a file.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** Gives `act` a new folder, and removes it with all that is in it. */
export async function withFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "cria-test-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes a folder in front of all tests of a file, lets `fill` write into it, and removes it behind them. @returns its path, once the tests run */
export function folderForAll(fill: (folder: string) => Promise<void>): () => string {
  let made = "";
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "cria-test-"));
    await fill(made);
  });
  afterAll(() => rm(made, { recursive: true }));
  return () => made;
}
