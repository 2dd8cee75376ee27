import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { explainWorker } from "./missing-worker.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-missing-worker-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What this version of Node says of a worker that fails. */
async function failing(name: string, text?: string): Promise<unknown> {
  if (text !== undefined) writeFileSync(join(folder, name), text);
  const [error] = await once(new Worker(pathToFileURL(join(folder, name))), "error");
  return error;
}

test("a worker's missing file is explained, and nothing else that goes wrong in one", async () => {
  const said = explainWorker("files", await failing("hash-worker.js"));
  expect(String(said)).toContain("[files] the file of a worker thread is not beside the module that starts it");
  expect(String(said)).toContain("leave cria out of the bundle");
  for (const other of [
    await failing("importing-worker.mjs", 'import "./other-worker.js";'),
    await failing("throwing-worker.mjs", 'throw new Error("enough");'),
  ])
    expect(explainWorker("files", other)).toBe(other);
});
