// A run small enough for tests, in a folder of its own.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "../backend/index.ts";
import { openCpuBackend } from "../host/index.ts";
import type { WholeRecipe } from "../train/index.ts";
import { patternTokens, tinyBatches } from "../train/tiny-run.test.helper.ts";
import type { TrainJob } from "./train-job.ts";

/** A backend and an empty folder, gone with the scope. */
export async function tinyScope(open: () => Backend | Promise<Backend> = () => openCpuBackend({ threads: 1 })) {
  const folder = await mkdtemp(join(tmpdir(), "cria-train-"));
  const backend = await open();
  const job = (recipe: WholeRecipe, more: Partial<TrainJob> = {}): TrainJob => ({
    ...{ backend, recipe, folder, batches: tinyBatches(recipe) },
    heldOut: { tokens: patternTokens(200, 3), bytes: 150 },
    ...more,
  });
  const close = async () => {
    await backend.dispose();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, backend, job, [Symbol.asyncDispose]: close };
}

/** The rows of a run without what no two runs share. */
export async function metricsOf(folder: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(folder, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => {
    const { seconds: _, tokensPerSecond: __, ...row } = JSON.parse(line) as Record<string, unknown>;
    return row;
  });
}
