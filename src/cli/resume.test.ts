import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandRows } from "./commands.ts";
import { cutEverywhere } from "./cut-short.test.helper.ts";
import { changesOf, editState, expectSameRun, openRuns, rowsOf } from "./resume.test.helper.ts";
import { runWords } from "./terminal.test.helper.ts";

let runs: Awaited<ReturnType<typeof openRuns>>;
/** What a program that still runs is writing. */
const living = [`tokenizer.json.${process.ppid}.partial`, `checkpoints/step-000042.${process.ppid}.partial/state.json`];

beforeAll(async () => {
  runs = await openRuns(async (run) => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    const left = [`model.safetensors.${pid}.partial`, `checkpoints/step-000041.${pid}.partial/model.safetensors`, "train.yaml.begun"];
    for (const name of [...left, ...living]) {
      await mkdir(dirname(join(run, name)), { recursive: true });
      await writeFile(join(run, name), "half");
    }
  });
});
afterAll(() => runs.close());

test("a checkpoint of an earlier version is gone on from, and that it cannot be checked is said", async () => {
  const message =
    /step-000025: it does not say on which data and machine it was trained, so whether they are the same now cannot be checked/;
  expect(runs.finished).toMatchObject({ code: 0, stderr: expect.stringMatching(message) });
  expect(await changesOf(join(runs.root, "old", "run"))).toEqual([]);
});

test("what killed programs left half written goes when a run goes on, and what living ones are at stays", async () => {
  const names = await readdir(join(runs.root, "old", "run"), { recursive: true });
  expect(names.filter((name) => /partial|begun/.test(name)).sort()).toEqual([living[0], dirname(living[1]!), living[1]].sort());
});

test("going on for twice the steps warms up again, says so, and ends with a lower held-out loss", async () => {
  const run = await runs.copy("longer");
  const longer = await runs.resume("longer", "--set", "steps=80");
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

test("a longer run that is killed and gone on with has the rates, losses and weights of one that was not", async () => {
  const pieces = await runs.copy("pieces");
  await runs.resumeAndDie("pieces", 47, "--set", "steps=80"); // no checkpoint says 80 yet
  expect(await runs.resume("pieces")).toMatchObject({ code: 0, stderr: "" });
  await expectSameRun(pieces, join(runs.root, "longer", "run"), "step-000080");
});

test("another target and other shards are refused, each until it is accepted, which is logged once", async () => {
  const run = await runs.copy("origin");
  await editState(run, "step-000040", (text) => text.replace(/"target": "[^"]+"/, '"target": "abacus"'));
  const path = join(runs.root, "origin", "data", "rests-00000.tokens");
  const bytes = await readFile(path);
  bytes.writeUInt16LE(bytes.readUInt16LE(100) ^ 1, 100);
  await writeFile(path, bytes);
  const more = ["--set", "steps=44", "--accept-changes"];
  for (const [accepted, message] of [
    ["data", /run was trained on abacus up to step 40 but would go on here on [\w+]+, .*, or with --accept-changes target/],
    [
      "target",
      /shards of "rests" have fingerprint [0-9a-f]{32} but had [0-9a-f]{32} when step 40 was trained: restore them, or go on with --accept-changes data/,
    ],
  ] as const)
    expect(await runs.resume("origin", ...more, accepted)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  expect(await changesOf(run)).toEqual([]);
  await runs.resumeAndDie("origin", 42, ...more, "target,data");
  expect(await runs.resume("origin")).toMatchObject({ code: 0, stderr: "" });
  const [change, ...others] = await changesOf(run);
  expect(others).toEqual([]);
  expect(change!.changed).toContainEqual(expect.objectContaining({ key: "data.rests" }));
  expect(change!.changed).toContainEqual(expect.objectContaining({ key: "target", before: "abacus" }));
});

test("a train.yaml that was changed by hand is refused unless that is accepted", async () => {
  const run = await runs.copy("edited");
  const path = join(run, "train.yaml");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace("learningRate: 0.01", "learningRate: 0.02").replace("steps: 40", "steps: 44"));
  const refused = await runs.resume("edited");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /recipe changed since .*run was begun, steps from 40 to 44: restore it, or say --set steps=44, or go on with --accept-changes recipe/,
    ),
  });
  const accepted = await runs.resume("edited", "--accept-changes", "recipe");
  expect(accepted.stdout).toMatch(
    /changed: steps from 40 to 44, learningRate from 0\.01 to 0\.02\nlearning rate: goes on from 0\.00203 in step 40, warms up again to 0\.00632 in 1 step and/,
  );
  expect((await changesOf(run)).map(({ step }) => step)).toEqual([40]);
  expect((await rowsOf(run)).at(-1)).toMatchObject({ step: 44 });
});

test("where a run is cut short while its folder is made, the same command goes on, and so does --resume", async () => {
  expect(await cutEverywhere(8, false)).toBeGreaterThan(3);
});

test.each([
  ["an unknown kind of change", ["--resume", "--accept-changes", "targt"], /--accept-changes has "targt", did you mean "target"\?/],
  ["accepted changes of a run that begins", ["--accept-changes", "data"], /--accept-changes is for a run that goes on: add --resume/],
])("%s is refused", async (_, words, message) => {
  const given = words.includes("--resume") ? join(runs.root, "old", "run") : "recipe.yaml";
  expect(await runWords(["train", given, ...words], commandRows)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});
