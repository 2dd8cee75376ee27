// A run of an earlier version and copies of it, for tests that go on with them.
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const fixture = fileURLToPath(new URL("../../test/fixtures/2026-11-28", import.meta.url));

export type Resumed = Awaited<ReturnType<typeof runWords>>;

/**
 * A folder with the fixture's run, gone on with to its end in step 40, and its data as "old".
 * @param prepare is given the run's folder before it goes on
 */
export async function openRuns(prepare: (run: string) => Promise<void> = async () => undefined) {
  const root = await mkdtemp(join(tmpdir(), "cria-resume-"));
  const resume = (name: string, ...more: string[]): Promise<Resumed> =>
    runWords(["train", join(root, name, "run"), "--resume", ...more], commandRows);
  await cp(fixture, join(root, "old"), { recursive: true });
  await prepare(join(root, "old", "run"));
  const finished = await resume("old");
  return {
    root,
    /** What going on with it printed. */
    finished,
    resume,
    /** A copy of a run with its data. @returns its folder */
    async copy(name: string, from = "old"): Promise<string> {
      await cp(join(root, from), join(root, name), { recursive: true });
      return join(root, name, "run");
    },
    /** Runs to some step and dies there, without a checkpoint of it. */
    async resumeAndDie(name: string, step: number, ...more: string[]): Promise<void> {
      const progress = ({ task, done }: { task: string; done: number }) => {
        if (task === "training" && done === step) throw new Error("died here");
      };
      const died = await runWords(["train", join(root, name, "run"), "--resume", ...more], commandRows, { progress });
      expect(died.stderr).toMatch(/died here/);
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** Rows of metrics.jsonl without what differs from run to run. */
export async function rowsOf(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => {
    const { seconds: _, tokensPerSecond: __, ...row } = JSON.parse(line) as Record<string, unknown>;
    return row;
  });
}

export const changesOf = async (run: string) => (await rowsOf(run)).filter((row) => "changed" in row);

/** Two runs' metrics, weights, recipe and last checkpoint; paths may differ. */
export async function expectSameRun(run: string, other: string, checkpoint: string): Promise<void> {
  expect(await rowsOf(run)).toEqual(await rowsOf(other));
  for (const file of [
    "model.safetensors",
    "train.yaml",
    `checkpoints/${checkpoint}/optimizer.safetensors`,
    `checkpoints/${checkpoint}/state.json`,
  ])
    expect(await readFile(join(run, file), "utf8").then((text) => text.replaceAll(run.slice(0, -4), other.slice(0, -4))), file).toBe(
      await readFile(join(other, file), "utf8"),
    );
}

/** Changes a checkpoint's state as if it had been saved so. */
export async function editState(run: string, step: string, edit: (text: string) => string): Promise<void> {
  const folder = join(run, "checkpoints", step);
  const [text, sums] = await Promise.all(["state.json", "SHA256SUMS"].map((name) => readFile(join(folder, name), "utf8")));
  const sum = (content: string) => createHash("sha256").update(content).digest("hex");
  await writeFile(join(folder, "state.json"), edit(text!));
  await writeFile(join(folder, "SHA256SUMS"), sums!.replace(sum(text!), sum(edit(text!))));
}
