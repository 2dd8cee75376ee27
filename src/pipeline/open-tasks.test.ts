// What the start of a phase asks of the file system: one listing per folder of a hundred tasks, whatever their number.
import fs from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { openStages } from "../clean/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import { checkDoneBefore, openTasks } from "./open-tasks.ts";
import { fileOf, type OpenedSource, phasesOf } from "./phases.ts";
import { SharedStepFiles } from "./step-files.ts";

/** A job of so many files, which are nowhere. */
async function jobOf(folder: string, files: number): Promise<{ readonly job: PipelineJob; readonly sources: readonly OpenedSource[] }> {
  const parts = Array.from({ length: files }, (_, file) => ({ file, bytes: 1 }));
  const source: JobSource = { name: "web", id: "ab12", paths: [], files: [], text: {}, parts, steps: ["dedupDocuments"], stepFiles: [] };
  const job: PipelineJob = { rules: 1, folder, base: folder, stretchBytes: 1, taskBytes: 1, sources: [source] };
  const stages = await openStages(source.steps);
  return { job, sources: [{ source, stages, partitions: 1, taskBytes: 1, files: new SharedStepFiles(folder) }] };
}

/** Runs an action and counts what it asks of the file system. */
async function asked(action: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const names = ["readdir", "stat", "lstat", "open", "readFile", "access"] as const;
  const originals = names.map((name) => fs.promises[name]);
  for (const [i, name] of names.entries())
    Object.assign(fs.promises, {
      [name]: (...args: never[]) => {
        counts[name] = (counts[name] ?? 0) + 1;
        return (originals[i] as (...args: never[]) => unknown)(...args);
      },
    });
  syncBuiltinESMExports();
  try {
    await action();
    return counts;
  } finally {
    for (const [i, name] of names.entries()) Object.assign(fs.promises, { [name]: originals[i] });
    syncBuiltinESMExports();
  }
}

test("a phase of 500 files asks for five folders, and never for a file", async () => {
  await withFolder(async (folder) => {
    const opened = await jobOf(folder, 500);
    const phases = phasesOf(opened.sources);
    const [pass] = phases;
    const paths = pass!.tasks.map(({ index }) => fileOf(opened.job, pass!, opened.sources[0]!.source, index));
    for (const made of new Set(paths.map(dirname))) await mkdir(made, { recursive: true });
    await Promise.all(paths.slice(0, 490).map((path) => writeFile(path, "")));
    const open = await openTasks(opened, pass!);
    expect(open.map(({ index }) => index)).toEqual(Array.from({ length: 10 }, (_, i) => 490 + i));
    expect((await openTasks(opened, pass!, { index: 3, count: 7 })).map(({ index }) => index)).toEqual([493]);
    await expect(checkDoneBefore(opened, phases, 2, [0])).rejects.toThrow(/phase 2 needs phase 1, of which 1 of 1 tasks/);
    for (const path of paths.slice(490)) await writeFile(path, "");
    expect(await asked(() => checkDoneBefore(opened, phases, 1, [0]))).toEqual({ readdir: 5 });
    // The pass behind a comparison needs that alone: nobody looks at 500 files again.
    const compared = fileOf(opened.job, phases[1]!, opened.sources[0]!.source, 0);
    await mkdir(dirname(compared), { recursive: true });
    await writeFile(compared, "");
    expect(await asked(() => checkDoneBefore(opened, phases, 2, [0]))).toEqual({ readdir: 1 });
    expect(join(folder, "web", "ab12", "pass-0", "004", "00499.jsonl")).toBe(paths.at(-1));
  });
});
