// Lines that were typed in earlier chats, kept for this user alone.
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { atomicWriteJson, readTextFile } from "../../files/index.ts";
import { codeFolderPath } from "../../host/index.ts";

const where = "chat";
/** Lines that are kept. */
export const mostLines = 500;

/** Where they are kept: beside compiled kernels, in the user's own folder for caches; nowhere where that is off. */
export function historyPath(folder = codeFolderPath()): string | undefined {
  return folder && join(dirname(folder), "chat-history.json");
}

/** The lines, the newest first; none where there are none, or they cannot be read. */
export async function readHistory(path: string | undefined): Promise<string[]> {
  if (path === undefined) return [];
  try {
    const lines: unknown = JSON.parse(await readTextFile(path, where));
    return Array.isArray(lines) ? lines.filter((line): line is string => typeof line === "string").slice(0, mostLines) : [];
  } catch {
    return []; // a convenience, which never stands in the way of a chat
  }
}

/** Keeps lines, for this user alone to read. */
export async function writeHistory(path: string | undefined, lines: readonly string[]): Promise<void> {
  if (path === undefined) return;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await atomicWriteJson(path, lines.slice(0, mostLines), where);
    await chmod(path, 0o600);
  } catch {
    // The chat has ended all the same.
  }
}
