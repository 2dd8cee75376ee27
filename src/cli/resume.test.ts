import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const fixture = fileURLToPath(new URL("../../test/fixtures/2026-11-28", import.meta.url));
let root: string;
/** What resuming the fixture's run to its end printed. */
let finished: Awaited<ReturnType<typeof resume>>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-resume-"));
  await cp(fixture, join(root, "old"), { recursive: true });
  finished = await resume("old");
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A copy of the finished run with its data. */
async function copyRun(name: string): Promise<string> {
  await cp(join(root, "old"), join(root, name), { recursive: true });
  return join(root, name, "run");
}

function resume(name: string, ...more: string[]) {
  return runWords(["train", join(root, name, "run"), "--resume", ...more], commandRows);
}

async function rowsOf(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => {
    const { seconds: _, tokensPerSecond: __, ...row } = JSON.parse(line) as Record<string, unknown>;
    return row;
  });
}

const changesOf = async (run: string) => (await rowsOf(run)).filter((row) => "changed" in row);

/** Runs to some step and dies there, without a checkpoint of it. */
async function resumeAndDie(name: string, step: number, ...more: string[]) {
  const progress = ({ task, done }: { task: string; done: number }) => {
    if (task === "training" && done === step) throw new Error("died here");
  };
  const died = await runWords(["train", join(root, name, "run"), "--resume", ...more], commandRows, { progress });
  expect(died.stderr).toMatch(/died here/);
}

/** Changes a checkpoint's state as if it had been saved so. */
async function editState(run: string, step: string, edit: (text: string) => string): Promise<void> {
  const folder = join(run, "checkpoints", step);
  const [text, sums] = await Promise.all(["state.json", "SHA256SUMS"].map((name) => readFile(join(folder, name), "utf8")));
  const sum = (content: string) => createHash("sha256").update(content).digest("hex");
  await writeFile(join(folder, "state.json"), edit(text!));
  await writeFile(join(folder, "SHA256SUMS"), sums!.replace(sum(text!), sum(edit(text!))));
}

test("a checkpoint of an earlier version is gone on from, and that it cannot be checked is said once", async () => {
  const message =
    /step-000025: it does not say on which data and machine it was trained, so whether they are the same now cannot be checked/;
  expect(finished).toMatchObject({ code: 0, stderr: expect.stringMatching(message) });
  expect(await changesOf(join(root, "old", "run"))).toEqual([]);
  await copyRun("again");
  expect(await resume("again")).toMatchObject({ code: 0, stderr: "" });
});

test("going on for twice the steps warms up again, says so, and ends with a lower held-out loss", async () => {
  const run = await copyRun("longer");
  const longer = await resume("longer", "--set", "steps=80");
  expect(longer).toMatchObject({ code: 0, stderr: "" });
  expect(longer.stdout).toMatch(
    /changed: steps from 40 to 80\nlearning rate: goes on from 0\.00102 in step 40, warms up again to 0\.0100 in 2 steps and falls to 0\.00100 in step 80\ngoing on from step 40\n/,
  );
  const rows = await rowsOf(run);
  const losses = rows.filter((row) => "heldOutLoss" in row);
  expect(losses.map(({ step }) => step)).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  expect(losses.at(-1)!.heldOutLoss).toBeLessThan((losses[3]!.heldOutLoss as number) - 0.05);
  expect(await changesOf(run)).toEqual([
    {
      step: 40,
      changed: [
        { key: "steps", before: 40, now: 80 },
        { key: "earlierPlans.0.steps", now: 40 },
        { key: "earlierPlans.0.until", now: 40 },
      ],
    },
  ]);
  const trainYaml = await readFile(join(run, "train.yaml"), "utf8");
  expect(trainYaml).toMatch(/^steps: 80\n(.*\n)*earlierPlans:\n {2}- steps: 40\n {4}until: 40\n/m);
});

test("however a longer run is stopped, its rates, losses and weights are those of one that was not", async () => {
  const whole = await copyRun("whole");
  await resume("whole", "--set", "steps=60");
  await resume("whole", "--set", "steps=70");
  const pieces = await copyRun("pieces");
  await resumeAndDie("pieces", 47, "--set", "steps=60"); // no checkpoint says 60 yet
  await resumeAndDie("pieces", 53, "--set", "threads=2");
  expect(await resume("pieces")).toMatchObject({ code: 0, stderr: "" });
  await resumeAndDie("pieces", 69, "--set", "steps=70");
  expect((await resume("pieces")).code).toBe(0);
  expect(await rowsOf(pieces)).toEqual(await rowsOf(whole));
  for (const file of [
    "model.safetensors",
    "train.yaml",
    "checkpoints/step-000070/optimizer.safetensors",
    "checkpoints/step-000070/state.json",
  ])
    expect(await readFile(join(pieces, file), "utf8").then((text) => text.replaceAll("/pieces/", "/whole/")), file).toBe(
      await readFile(join(whole, file), "utf8"),
    );
});

test("what killed programs left half written goes when a run goes on, and what living ones are at stays", async () => {
  const run = await copyRun("leftovers");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const left = [`model.safetensors.${pid}.partial`, `checkpoints/step-000041.${pid}.partial/model.safetensors`, "train.yaml.begun"];
  const living = [`tokenizer.json.${process.ppid}.partial`, `checkpoints/step-000042.${process.ppid}.partial/state.json`];
  for (const name of [...left, ...living]) {
    await mkdir(dirname(join(run, name)), { recursive: true });
    await writeFile(join(run, name), "half");
  }
  expect((await resume("leftovers", "--set", "steps=41")).code).toBe(0);
  const names = await readdir(run, { recursive: true });
  expect(names.filter((name) => /partial|begun/.test(name)).sort()).toEqual([living[0], dirname(living[1]!), living[1]].sort());
});

test("another target is refused unless it is accepted, which is logged once", async () => {
  const run = await copyRun("target");
  await editState(run, "step-000040", (text) => text.replace(/"target": "[^"]+"/, '"target": "abacus"'));
  const more = ["--set", "steps=50"];
  const refused = await resume("target", ...more);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /run was trained on abacus up to step 40 but would go on here on [\w+]+, .*, or with --accept-changes target/,
    ),
  });
  expect(await changesOf(run)).toEqual([]);
  await resumeAndDie("target", 42, ...more, "--accept-changes", "target");
  expect(await resume("target")).toMatchObject({ code: 0, stderr: "" });
  const [change, ...others] = await changesOf(run);
  expect(others).toEqual([]);
  expect((change!.changed as object[]).at(-1)).toMatchObject({ key: "target", before: "abacus" });
});

test("shards that are not those of the checkpoint are refused unless they are accepted", async () => {
  const run = await copyRun("shards");
  const path = join(root, "shards", "data", "rests-00000.tokens");
  const bytes = await readFile(path);
  bytes.writeUInt16LE(bytes.readUInt16LE(100) ^ 1, 100);
  await writeFile(path, bytes);
  const refused = await resume("shards", "--set", "steps=42");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /shards of "rests" have fingerprint [0-9a-f]{32} but had [0-9a-f]{32} when step 40 was trained: restore them, or/,
    ),
  });
  expect((await resume("shards", "--set", "steps=42", "--accept-changes", "target,data")).code).toBe(0);
  expect((await changesOf(run))[0]!.changed).toContainEqual(expect.objectContaining({ key: "data.rests" }));
  expect(await resume("shards", "--set", "steps=44")).toMatchObject({ code: 0, stderr: "" });
});

test("a train.yaml that was changed by hand is refused unless that is accepted", async () => {
  const run = await copyRun("edited");
  const path = join(run, "train.yaml");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace("learningRate: 0.01", "learningRate: 0.02").replace("steps: 40", "steps: 44"));
  const refused = await resume("edited");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /recipe changed since .*run was begun, steps from 40 to 44: restore it, or say --set steps=44, or go on with --accept-changes recipe/,
    ),
  });
  const accepted = await resume("edited", "--accept-changes", "recipe");
  expect(accepted.stdout).toMatch(
    /changed: steps from 40 to 44, learningRate from 0\.01 to 0\.02\nlearning rate: goes on from 0\.00203 in step 40, warms up again to 0\.00632 in 1 step and/,
  );
  expect((await changesOf(run)).map(({ step }) => step)).toEqual([40]);
  expect((await rowsOf(run)).at(-1)).toMatchObject({ step: 44 });
});

test.each([
  ["an unknown kind of change", ["--resume", "--accept-changes", "targt"], /--accept-changes has "targt", did you mean "target"\?/],
  ["accepted changes of a run that begins", ["--accept-changes", "data"], /--accept-changes is for a run that goes on: add --resume/],
])("%s is refused", async (_, words, message) => {
  const given = words.includes("--resume") ? join(root, "old", "run") : "recipe.yaml";
  expect(await runWords(["train", given, ...words], commandRows)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});
