import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { madeUpText } from "../study/made-up.test.helper.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import type { Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
let text: string;

beforeAll(async () => {
  vi.stubEnv("CRIA_THREADS", "1");
  folder = await mkdtemp(join(tmpdir(), "cria-study-"));
  vi.stubEnv("CRIA_CACHE", join(folder, "cache")); // the runs of this file compile their kernels once
  text = join(folder, "text.txt");
  const documents = [];
  for await (const document of madeUpText(200).documents) documents.push(document);
  await writeFile(text, documents.join("\n\n"));
});
afterAll(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true });
});

const study = (words: readonly string[], more: Partial<Terminal> = {}) => runWords(["study", ...words], commandRows, more);
const tiny = (out: string) => ["rope", "--steps", "2", "--seeds", "1", "--text", text, "--out", join(folder, out)];

test("says what it found and writes a page and its data; --json prints the data; the same steps give the same losses", async () => {
  const first = await study(tiny("report"));
  expect(first.stderr).toBe("");
  expect(first.code).toBe(0);
  expect(first.stdout).toContain("The score of a query and a key depends on their distance only: SHOWN");
  expect(first.stdout).toContain(join(folder, "report", "report.html"));
  expect((await readdir(join(folder, "report"))).sort()).toEqual(["report.html", "report.json"]);
  const stored = JSON.parse(await readFile(join(folder, "report", "report.json"), "utf8"));
  expect(stored).toMatchObject({ study: "rope", steps: 2, seeds: [1], stopped: false });
  expect(stored.text).toContain(text);
  const second = JSON.parse((await study([...tiny("report"), "--json"])).stdout);
  expect(second).toEqual(JSON.parse(await readFile(join(folder, "report", "report.json"), "utf8")));
  expect(second.sections).toEqual(stored.sections);
});

test("time that does not suffice for runs that say something is refused before any of them, and leaves no report", async () => {
  const tasks = new Set<string>();
  const words = ["rope", "--minutes", "0.5", "--seeds", "1", "--text", text, "--out", join(folder, "hasty")];
  const { code, stderr } = await study(words, { began: performance.now() - 60_000, progress: ({ task }) => tasks.add(task) });
  expect(stderr).toMatch(
    /^\[study\] the time leaves 0 s, but 4 runs of 30 steps, the fewest that say something, take \d+ s here: give it more time \(--minutes\)\n$/,
  );
  expect(code).toBe(2);
  expect([...tasks]).not.toContain("training");
  expect(await readdir(folder)).not.toContain("hasty");
});

test("stopped in training, it reports what was done", async () => {
  const controller = new AbortController();
  const progress: Terminal["progress"] = ({ task, done }) => {
    if (task === "training" && done === 1) controller.abort(new Interrupted("SIGINT"));
  };
  const { code, stdout } = await study(tiny("stopped"), { signal: controller.signal, progress });
  expect(code).toBe(130);
  expect(stdout).toContain("stopped before everything was done");
  expect(JSON.parse(await readFile(join(folder, "stopped", "report.json"), "utf8")).stopped).toBe(true);
});

test.each([
  [[], "name a study:\n  norm"],
  [["rop"], 'there is no study "rop", did you mean "rope"?'],
  [["rope", "more"], '"more" follows the study\'s name'],
  [["rope", "--minutes", "0"], "--minutes is 0 but must be at least 0.5"],
  [["rope", "--seeds", "0"], "--seeds is 0 but must be an integer, at least 1"],
  [["rope", "--seed", "1.5"], "--seed is 1.5 but must be an integer"],
  [["rope", "--steps", "-3"], "--steps is -3 but must be an integer, at least 1"],
  [["rope", "--trace", "low"], "--trace is for the study bpe"],
  [["bpe", "--trace", "  "], '--trace is "  " but must have a word in it'],
  [["rope", "--steps", "3", "--minutes", "1"], "--minutes and --steps both say how long the runs are"],
])("%j is wrong usage", async (words, message) => {
  const { code, stderr } = await study(words);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test("a folder that cannot be written to is refused before any work", async () => {
  const [code, said] = await study(["rope", "--out", join(text, "inside")]).then((ended) => [ended.code, ended.stderr] as const);
  expect(said).toContain("which cannot be a folder");
  expect(code).toBe(2);
  expect((await study(["rope", "--out", text])).stderr).toContain("which is a file");
});

test("scaling leaves runs to go on with; without --out it takes a folder that is free", async () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const words = ["scaling", "--steps", "8", "--seeds", "1", "--text", text];
    const first = await study(words);
    expect(first.stdout).toContain(`the runs are in ${join("studies", "scaling", "runs")}`);
    expect((await readdir(join("studies", "scaling"))).sort()).toEqual(["data", "report.html", "report.json", "runs", "text.jsonl"]);
    expect(await readdir(join("studies", "scaling", "runs"))).toHaveLength(13);
    const controller = new AbortController();
    const stop: Terminal["progress"] = ({ task }) => {
      if (task === "training") controller.abort(new Interrupted("SIGINT"));
    };
    const second = await study(words, { signal: controller.signal, progress: stop });
    expect(second.stdout).toContain(`what there is so far lies in ${join("studies", "scaling-2")}`);
    expect((await study([...words, "--out", join("studies", "scaling")])).stderr).toContain(
      "where an earlier study left its data and runs",
    );
    expect((await study(["scaling", "--steps", "7", "--out", "seven", "--text", text])).stderr).toContain(
      "steps is 7 but scaling needs at least 8",
    );
  } finally {
    process.chdir(before);
  }
});

test("a small text of one document is cut, so that something is held out; a person's own text is traced in the terminal", async () => {
  const small = join(folder, "small.txt");
  await writeFile(small, (await readFile(text, "utf8")).replaceAll("\n", " ").slice(0, 40_000));
  const words = ["bpe", "--trace", "low lower lowest", "--steps", "1", "--seeds", "1", "--text", small, "--out", join(folder, "small")];
  const { code, stdout, stderr } = await study(words);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).not.toContain("NaN");
  expect(stdout).toMatch(/merges in order\n +step +pair +count +symbols of the text +words\n +1 +l \+ o +3 +\d+ +lo w/);
});

test("a text that is too short is an error, and leaves no report", async () => {
  const short = join(folder, "short.txt");
  await writeFile(short, "too short");
  const { code, stderr } = await study(["rope", "--steps", "2", "--text", short, "--out", join(folder, "short")]);
  expect(code).toBe(1);
  expect(stderr).toContain("give it more");
  expect(await readdir(folder)).not.toContain("short");
});
