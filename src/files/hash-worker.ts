// A thread that hashes files one after another, so that the thread that started it can do something else: see hash-aside.ts.
import { parentPort, workerData } from "node:worker_threads";
import type { CriaError } from "../base/index.ts";
import { hashFile } from "./hash-file.ts";

/** Threads send no classes, so an error goes as its parts: the message without its place, and the system's code of what caused it. */
export type HashReport = { readonly hashes: readonly string[] } | { readonly problem: string; readonly code: string | undefined };

const { paths, where } = workerData as { paths: readonly string[]; where: string };
parentPort!.postMessage(await hashAll());

async function hashAll(): Promise<HashReport> {
  try {
    const hashes: string[] = [];
    for (const path of paths) hashes.push(await hashFile(path, where));
    return { hashes };
  } catch (error) {
    const { message, cause } = error as CriaError;
    return { problem: message.replace(`[${where}] `, ""), code: (cause as NodeJS.ErrnoException | undefined)?.code };
  }
}
