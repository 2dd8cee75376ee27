// Scripts of --plan, run with fake schedulers: their jobs, with the environment that the real ones set, make the bytes of one machine's run.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { schedulerScript } from "./scheduler-scripts.ts";
import { batchJobs, FakeSchedulers, kubernetesJobs, preparedHashes, type ScheduledJob, slurmJobs } from "./schedulers.test.helper.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
let words: string[];
/** Words with a space and a quote, which a script has to keep. */
const awkward = "a folder 'of' texts";
const inside = (name: string) => join(folder, awkward, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-schedulers-"));
  await mkdir(join(folder, awkward));
  for (const file of [0, 1, 2]) {
    const texts = Array.from({ length: 40 }, (_, i) => `The llama of hill ${(file * 31 + i) % 90} drank water and slept.`);
    await writeFile(inside(`${file}.jsonl`), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  }
  await writeFile(inside("recipe.yaml"), 'sources: [{ paths: "*.jsonl", steps: [dedupDocuments] }]\nheldOut: 0.1\n');
  await cp(join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json"), inside("tokenizer.json"));
  words = ["data", "prepare", inside("recipe.yaml"), "--tokenizer", inside("tokenizer.json")];
  expect(await runWords([...words, "--out", inside("alone")], commandRows)).toMatchObject({ code: 0, stderr: "" });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The script for a scheduler, run with commands that print the words of cria instead of obeying them. */
async function submitted(scheduler: string, env: Readonly<Record<string, string>>) {
  const made = [...words, "--out", inside(scheduler), "--plan", "--scheduler", scheduler, "--machines", "2"];
  const { code, stdout, stderr } = await runWords(made, commandRows);
  expect([code, stderr]).toEqual([0, ""]);
  const fake = await FakeSchedulers.make(join(folder, scheduler), "printf '%s\\0' \"$@\"");
  return { fake, calls: await fake.run(stdout, { CPUS: "1", ...env }) };
}

/** Runs every task of every job, the last ones first; each job after the one before it. */
async function runAll(fake: FakeSchedulers, jobs: readonly ScheduledJob[]): Promise<void> {
  expect(jobs.map(({ name, tasks }) => [name, tasks])).toEqual([
    ["cria-0-pass", 2],
    ["cria-1-compare", 1],
    ["cria-2-pass", 2],
    ["cria-3-tokens", 1],
    ["cria-prepare", 1],
  ]);
  for (const [i, job] of jobs.entries()) {
    expect(job.after).toBe(jobs[i - 1]?.id);
    for (let task = job.tasks - 1; task >= 0; task--) {
      const { output } = await fake.task(job, task).ended;
      expect(await withEnvironment(job.env(task), output.split("\0").slice(0, -1))).toMatchObject({ code: 0, stderr: "" });
    }
  }
}

async function withEnvironment(env: Readonly<Record<string, string>>, command: readonly string[]) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    return await runWords(command, commandRows);
  } finally {
    vi.unstubAllEnvs();
  }
}

const needsBash = { skip: process.platform === "win32" };

test("Slurm's arrays that begin at 7 in steps of 3 make the bytes of one machine", needsBash, async () => {
  const { fake, calls } = await submitted("slurm", { SBATCH_OPTIONS: "--partition=long --time=1:00:00" });
  expect(calls[1]!.words).toEqual(expect.arrayContaining(["--parsable", "--requeue", "--cpus-per-task=1", "--partition=long"]));
  await runAll(fake, slurmJobs(calls, { min: 7, step: 3 }));
  expect(await preparedHashes(inside("slurm"))).toEqual(await preparedHashes(inside("alone")));
});

test("Kubernetes' indexed jobs make the bytes of one machine, each when the one before is complete", needsBash, async () => {
  const { fake, calls } = await submitted("kubernetes", { IMAGE: "registry.example/cria:1", CLAIM: "crawl", MOUNT: "/data" });
  const jobs = kubernetesJobs(calls);
  for (const { manifest, tasks } of jobs) {
    const { spec } = manifest;
    expect(manifest).toMatchObject({ apiVersion: "batch/v1", kind: "Job" });
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: tasks, parallelism: tasks, backoffLimitPerIndex: 3 });
    expect(spec.template.spec.containers).toMatchObject([{ image: "registry.example/cria:1", volumeMounts: [{ mountPath: "/data" }] }]);
    expect(spec.template.spec.volumes).toEqual([{ name: "data", persistentVolumeClaim: { claimName: "crawl" } }]);
  }
  await runAll(fake, jobs);
  expect(await preparedHashes(inside("kubernetes"))).toEqual(await preparedHashes(inside("alone")));
});

test("AWS Batch's array jobs make the bytes of one machine", needsBash, async () => {
  const { fake, calls } = await submitted("aws-batch", { IMAGE: "cria", QUEUE: "spot", FILE_SYSTEM: "fs-1", MOUNT: "/data" });
  const { definition, jobs } = batchJobs(calls);
  expect(definition).toMatchObject({
    image: "cria",
    resourceRequirements: [
      { type: "VCPU", value: "1" },
      { type: "MEMORY", value: "30720" },
    ],
    volumes: [{ efsVolumeConfiguration: { fileSystemId: "fs-1" } }],
    mountPoints: [{ sourceVolume: "data", containerPath: "/data" }],
  });
  await runAll(fake, jobs);
  expect(await preparedHashes(inside("aws-batch"))).toEqual(await preparedHashes(inside("alone")));
});

test.each(["slurm", "kubernetes", "aws-batch"] as const)("the example for %s is what a plan prints for a whole dump", async (name) => {
  const phases = Object.entries({ pass: 72_000, compare: 33_792, "pass ": 72_000, tokens: 1105 }).map(([kind, tasks], phase) => ({
    ...{ phase, tasks },
    kind: kind.trim(),
  }));
  const places = ["--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB"];
  const plan = { phases, machines: 63, cria: "npx cria", words: ["data", "prepare", "/data/llama.yaml", ...places] };
  const example = await readFile(join(packageRoot, "examples", "many-machines", `${name}.sh`), "utf8");
  expect(example).toBe(schedulerScript(name, plan));
});

test("without a scheduler a plan is lines for one machine, which run as they are printed", () => {
  const phases = [{ phase: 0, kind: "pass", tasks: 1 }];
  const lines = schedulerScript("shell", { phases, machines: 1, cria: "cria", words: ["data", "prepare", "a b.yaml"] }).split("\n");
  const commands = lines.filter((line) => !line.startsWith("#"));
  expect(commands).toEqual(["set -e", 'cria data prepare "a b.yaml" --phase 0   # pass: 1 task', 'cria data prepare "a b.yaml"', ""]);
});

test("a plan's flags are refused where they mean nothing, and a script without its variables stops", needsBash, async () => {
  const refused = (...more: string[]) => runWords([...words, "--out", inside("none"), ...more], commandRows);
  expect(await refused("--machines", "3")).toMatchObject({ code: 2, stderr: expect.stringContaining("--machines is for --plan") });
  expect(await refused("--plan", "--machines", "3")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("name one of slurm, kubernetes"),
  });
  expect(await refused("--plan", "--scheduler", "slurm")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--machines is missing"),
  });
  expect(await refused("--plan", "--scheduler", "slrum")).toMatchObject({ code: 2, stderr: expect.stringContaining("slurm") });
  const many = await refused("--plan", "--scheduler", "aws-batch", "--machines", "10001");
  expect(many).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("machines are 10001, but an array of aws-batch has at most 10000"),
  });
  const { stdout } = await refused("--plan", "--scheduler", "kubernetes", "--machines", "3");
  const fake = await FakeSchedulers.make(join(folder, "bare"), "exit 1");
  await expect(fake.run(stdout, { IMAGE: "cria" })).rejects.toThrow(/CLAIM/);
});
