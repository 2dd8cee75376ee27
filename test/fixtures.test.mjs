// What earlier builds wrote still opens, resumes and generates. test/fixtures/README.md says what the files are.
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandRows } from "../dist/cli/commands.js";
import { runWords } from "../dist/cli/terminal.test.helper.js";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const names = (await readdir(fixtures, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);

test("there are fixtures", () => expect(names).toContain("2026-11-28"));

describe.each(names)("files of %s", (name) => {
  let folder;
  let expected;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cria-fixture-"));
    await cp(join(fixtures, name), folder, { recursive: true });
    expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(["word", "sentencepiece", "bytes"])("the %s tokenizer gives the same ids", async (kind) => {
    const encoded = await json("tokenizer", "encode", join(folder, `${kind}.json`), expected.sentence);
    expect(encoded).toEqual(expected.ids[kind]);
  });

  test("the shards open", async () => {
    const stats = await json("data", "stats", join(folder, "data"));
    const manifest = JSON.parse(await readFile(join(folder, "data", "manifest.json"), "utf8"));
    expect(stats.sources.map(({ tokens }) => tokens)).toEqual(manifest.sources.map(({ tokens }) => tokens));
  });

  test("a step of the run is traced, or the data has no index of origins", async () => {
    const manifest = JSON.parse(await readFile(join(folder, "data", "manifest.json"), "utf8"));
    const traced = await runWords(["data", "trace", join(folder, "run"), "3"], commandRows);
    if (manifest.sources[0].origins === undefined)
      expect(traced).toMatchObject({ code: 1, stderr: expect.stringContaining("without the index of origins") });
    else expect(traced).toMatchObject({ code: 0, stdout: expect.stringMatching(/walks\.txt#\d+/) });
  });

  test("the run generates as it is, resumes to the same losses, and generates again", async () => {
    const run = join(folder, "run");
    const generate = () => json("generate", run, "The", "--max-tokens", "8", "--temperature", "0");
    const before = await generate();
    expect(before.text.length).toBeGreaterThan(0);
    const { step, loss, evaluation, stopped } = await json("train", run, "--resume", "--accept-changes", "target");
    expect({ step, stopped }).toEqual({ step: expected.step, stopped: false });
    // Machines differ in their last bits, which 15 steps spread.
    expect(loss).toBeCloseTo(expected.loss, 3);
    expect(evaluation.loss).toBeCloseTo(expected.heldOutLoss, 3);
    expect((await readFile(join(run, "metrics.jsonl"), "utf8")).split("\n").filter((line) => line.includes('"loss"')).length).toBe(step);
    expect((await generate()).text.length).toBeGreaterThan(0);
  });
});

async function json(...words) {
  const { code, stdout, stderr } = await runWords([...words, "--json"], commandRows);
  expect({ code, stderr }, stderr).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}
