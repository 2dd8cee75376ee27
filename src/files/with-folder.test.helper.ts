// A folder for a test's files, gone when the test ends.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives `act` a new folder, and removes it with all that is in it. */
export async function withFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "cria-test-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
