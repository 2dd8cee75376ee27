// Joins the runs of a folder into one, a few at a time, so that memory stays at a block for each of these few.
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { OnProgress } from "../../base/index.ts";
import { mergeCounts, type WordCounts } from "../../tokenizer/words/index.ts";
import { type Run, runEnding, writeRun } from "./run-file.ts";

/** Runs that are merged at a time; a block of each has up to some 600 kB. */
const fanIn = 16;

/** Options of a merge: who asks, and who is told. */
export interface MergeOptions {
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** One run that stands for all; a kill between two steps loses nothing, because a merged run names those that it replaces. */
export async function mergeRuns(runs: readonly Run[], folder: string, options: MergeOptions): Promise<Run> {
  let left = [...runs];
  while (left.length !== 1) {
    options.onProgress?.({ task: "merging counts", done: runs.length - left.length, total: runs.length, unit: "runs" });
    left = [...left.slice(fanIn), await mergeSome(left.slice(0, fanIn), folder, options)];
  }
  return left[0]!;
}

async function mergeSome(runs: readonly Run[], folder: string, { where, signal }: MergeOptions): Promise<Run> {
  const header = {
    covered: runs.flatMap((run) => run.header.covered),
    textBytes: runs.reduce((sum, run) => sum + run.header.textBytes, 0),
    replaces: runs.map(({ path }) => basename(path)),
  };
  const merged = await writeRun(join(folder, `${randomUUID()}${runEnding}`), header, stoppable(mergeCounts(runs), signal), where);
  for (const { path } of runs) await rm(path, { force: true });
  return merged;
}

function stoppable(counts: WordCounts, signal: AbortSignal | undefined): WordCounts {
  return {
    async *blocks() {
      for await (const block of counts.blocks()) {
        signal?.throwIfAborted();
        yield block;
      }
    },
  };
}
