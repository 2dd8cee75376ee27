// Jobs of all three schedulers as processes of their own: every task twice at the same time, as where a machine was taken for lost, and some killed and
// started again, as where it was preempted.
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { batchJobs, FakeSchedulers, kubernetesJobs, preparedHashes, type ScheduledJob, slurmJobs } from "./schedulers.test.helper.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
let words: string[];
const inside = (name: string) => join(folder, name);
const rng = new Rng(14);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-machines-"));
  for (let file = 0; file < 6; file++) {
    const texts = Array.from(
      { length: 3000 },
      () => `The llama of hill ${rng.below(12_000)} drank water and slept. ${"It dreamt. ".repeat(rng.below(9))}`,
    );
    await writeFile(inside(`${file}.jsonl`), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  }
  await writeFile(inside("recipe.yaml"), 'sources: [{ paths: "*.jsonl", steps: [dedupDocuments, dedupNear] }]\nheldOut: 0.1\n');
  await cp(join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json"), inside("tokenizer.json"));
  words = ["data", "prepare", inside("recipe.yaml"), "--tokenizer", inside("tokenizer.json")];
  expect(await runWords([...words, "--out", inside("alone")], commandRows)).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a task until it ends well; a killed process is one that the scheduler starts again. @returns how often it was killed */
async function runRestarted(fake: FakeSchedulers, job: ScheduledJob, task: number): Promise<number> {
  for (let killed = 0; ; killed++) {
    const { pid, ended } = fake.task(job, task);
    const timer = killed < 2 && rng.below(2) === 0 ? setTimeout(() => process.kill(-pid!, "SIGKILL"), 200 + rng.below(800)) : undefined;
    const { code, output } = await ended;
    clearTimeout(timer);
    if (code === null) continue;
    expect({ code, output }).toMatchObject({ code: 0 });
    return killed;
  }
}

test.each(["slurm", "kubernetes", "aws-batch"])(
  "jobs of %s that run twice and are killed make the bytes of one machine",
  async (scheduler) => {
    const plan = [...words, "--out", inside(scheduler), "--plan", "--scheduler", scheduler, "--machines", "3"];
    const { stdout } = await runWords(plan, commandRows);
    await mkdir(join(folder, `${scheduler}.bin`));
    const fake = await FakeSchedulers.make(
      join(folder, `${scheduler}.bin`),
      `exec '${process.execPath}' '${join(packageRoot, "dist", "cli", "main.js")}' "$@"`,
    );
    const variables = { CPUS: "1", IMAGE: "cria", CLAIM: "c", MOUNT: "/data", QUEUE: "q", FILE_SYSTEM: "fs-1" };
    const calls = await fake.run(stdout, variables);
    const jobs = {
      slurm: () => slurmJobs(calls, { min: 1, step: 2 }),
      kubernetes: () => kubernetesJobs(calls),
      "aws-batch": () => batchJobs(calls).jobs,
    };
    const ordered = jobs[scheduler as keyof typeof jobs]();
    const early = await fake.task(ordered[3]!, 0).ended;
    expect(early).toMatchObject({
      code: 1,
      output: expect.stringMatching(/phase 3 needs phase 2, of which \d+ of \d+ tasks are not done/),
    });
    let killed = 0;
    for (const job of ordered.slice(0, -1)) {
      const tasks = Array.from({ length: 2 * job.tasks }, (_, i) => runRestarted(fake, job, i % job.tasks));
      killed += (await Promise.all(tasks)).reduce((sum, one) => sum + one, 0);
    }
    expect(killed).toBeGreaterThan(0);
    await runRestarted(fake, ordered.at(-1)!, 0);
    expect(await preparedHashes(inside(scheduler))).toEqual(await preparedHashes(inside("alone")));
  },
);
