// A thread that hashes files one after another, so that the thread that started it can do something else: see hash-aside.ts.
import { parentPort, workerData } from "node:worker_threads";
import { hashFile } from "./hash-file.ts";

const { paths, where } = workerData as { paths: readonly string[]; where: string };
const hashes: string[] = [];
for (const path of paths) hashes.push(await hashFile(path, where));
parentPort!.postMessage(hashes);
