// Recipes whose sources have steps, from the command line: cleaned and prepared in one go, or phase by phase, and one document tried.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tarOf } from "../corpus/texts/archives/tar.test.helper.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
const inside = (name: string) => join(folder, name);
const menu = "Home about us contact.";
const story = (i: number) =>
  `The llama of hill ${"abcdefghij"[i % 10]}${"klmnopqrst"[Math.floor(i / 10)]} walked to the water. It drank with the others. Then it slept.`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-clean-cli-"));
  const pages = Array.from({ length: 100 }, (_, i) => `${menu}\n${story(i)}`);
  const texts = [...pages, ...pages.slice(0, 20), "too short"];
  await writeFile(inside("pages.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  await writeFile(inside("page.txt"), `${menu}\n${story(3)}`);
  const steps = "[dedupDocuments, { dedupLines: { keep: none } }, { c4Quality: { minSentences: 3 } }]";
  await writeFile(inside("recipe.yaml"), `sources: [{ paths: pages.jsonl, steps: ${steps} }]\nheldOut: 0.1\n`);
  await cp(join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json"), inside("tokenizer.json"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cria = (...words: string[]) => runWords(words, commandRows);
const prepare = (out: string, ...more: string[]) =>
  cria("data", "prepare", inside("recipe.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside(out), ...more);

test("what steps leave is prepared, and the report says what they did", async () => {
  const made = await prepare("shards");
  expect(made.code, made.stderr).toBe(0);
  expect(made.stdout).toMatch(/text: 100 of 121 documents stay, \d+\.\d % of the text/);
  expect(made.stdout).toMatch(/dedupDocuments +101 .*\n {2}dedupLines +101 .* 100 +\S+\n {2}c4Quality +100 /);
  expect(made.stdout).toMatch(/20 dropped by dedupDocuments: copy\n {2}1 dropped by c4Quality: fewSentences/);
  const heldOut = (await readFile(join(inside("shards"), "held-out.jsonl"), "utf8")).split("\n").filter(Boolean);
  expect(heldOut.length).toBeGreaterThan(0);
  for (const line of heldOut) expect(line).not.toContain(menu);
  const { sources } = JSON.parse(await readFile(join(inside("shards"), "cleaning.json"), "utf8"));
  expect(sources[0].steps[0].reasons.copy).toMatchObject({
    documents: 20,
    examples: new Array(5).fill({ id: expect.stringMatching(/pages\.jsonl#1[01]\d$/), text: expect.stringContaining(menu) }),
  });
  expect(await readdir(folder)).not.toContain("shards.work");
  const page = await readFile(join(inside("shards"), "cleaning.html"), "utf8");
  expect(page).toContain("20 went: is a copy of an earlier document (copy)");
  expect(page).toContain("parameters, with keep: none");
  expect(page).toContain(`<del>${menu}</del>`);
  expect(page).not.toMatch(/src=|href=|url\(/);
});

test("memory is a size, and too little is refused with what is needed", async () => {
  expect(await prepare("none", "--memory", "much")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--memory is "much" but must be a size with its unit, such as 500M, 4GB or 2GiB'),
  });
  const little = await prepare("little", "--memory", "300M");
  expect(little).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /the run may take 300 MB of memory, but needs \d+ MB: 200 MB for the program, 0 B for the models of its steps, \d+ MB for a thread: .* \(--memory\)/,
    ),
  });
  // Nothing was begun, so that the same command goes with as much as is needed.
  expect((await prepare("little", "--memory", "1G")).code).toBe(0);
});

test("phases one after another, in parts, come to the same", async () => {
  const work = ["--work", inside("work")];
  const plan = JSON.parse((await prepare("apart", ...work, "--plan", "--json")).stdout);
  expect(plan.phases.map(({ kind, tasks }: { kind: string; tasks: number }) => [kind, tasks])).toEqual([
    ["pass", 1],
    ["compare", 1],
    ["pass", 1],
    ["compare", 1],
    ["pass", 1],
    ["tokens", 1],
  ]);
  expect(await readdir(inside("work"))).toEqual(["plan.json"]);
  const early = await prepare("apart", ...work, "--phase", "2");
  expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining("phase 2 needs phase 1, of which 1 of 1 tasks are not done") });
  for (const phase of ["0", "1", "2", "3", "4", "5"])
    for (const shard of ["0/2", "1/2"])
      expect(await prepare("apart", ...work, "--phase", phase, "--shard", shard)).toMatchObject({ code: 0 });
  expect(await prepare("apart", ...work)).toMatchObject({ code: 0 });
  expect(await readFile(join(inside("apart"), "text-00000.tokens"))).toEqual(await readFile(join(inside("shards"), "text-00000.tokens")));
  expect(await readdir(inside("work"))).toContain("plan.json");
  expect(await prepare("apart", ...work)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/apart is prepared data already: choose another folder for more, and remove .*work, which/),
  });
});

test("a stop says where what is done is kept, and the same command goes on from there", async () => {
  const stop = new AbortController();
  const words = ["data", "prepare", inside("recipe.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("stopped")];
  const stopped = await runWords(words, commandRows, { signal: stop.signal, progress: () => stop.abort(new Error("enough")) });
  expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining("stopped.work: the same command goes on from there\n") });
  expect(await readdir(inside("stopped.work"))).toEqual(["plan.json", "text"]);
  expect(await runWords(words, commandRows)).toMatchObject({ code: 0 });
  expect(await readFile(join(inside("stopped"), "text-00000.tokens"))).toEqual(await readFile(join(inside("shards"), "text-00000.tokens")));
  expect(await readdir(folder)).not.toContain("stopped.work");
});

test("one document's way is told step by step", async () => {
  const tried = await cria("data", "try", inside("recipe.yaml"), "--file", inside("page.txt"));
  expect(tried).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^dedupDocuments +compares documents: decided by prepare, which holds 1 hash of this one against those of the source\ndedupLines +compares documents: decided by prepare, which holds 2 hashes of .*\nc4Quality +kept\nthe document stays/,
    ),
  });
  await writeFile(inside("short.txt"), "It is short. It has {");
  const dropped = JSON.parse((await cria("data", "try", inside("recipe.yaml"), "--file", inside("short.txt"), "--json")).stdout);
  expect(dropped.steps.at(-1)).toEqual({
    step: "c4Quality",
    did: "dropped",
    reason: "fewSentences",
    because: "has few sentences in the lines that stay",
    measured: 0,
    limit: 3,
  });
});

test("every step over all documents says what it would need, and lets the document through", async () => {
  await writeFile(inside("all.yaml"), "sources: [{ paths: pages.jsonl, steps: [dedupLines, dedupDocuments, dedupNear, dedupSimhash] }]\n");
  const { steps } = JSON.parse((await cria("data", "try", inside("all.yaml"), "--file", inside("page.txt"), "--json")).stdout);
  expect(
    steps.map(({ step, needs }: { step: string; needs: string }) => [step, / holds (\d+) hash(?:es)? of this one/.exec(needs)?.[1]]),
  ).toEqual([
    ["dedupLines", "2"],
    ["dedupDocuments", "1"],
    ["dedupNear", "14"],
    ["dedupSimhash", "6"],
  ]);
});

test("a record of any form is tried with what its file says of it, by its number or its address", async () => {
  const records = [1, 2, 3].map((i) => ({ content: `text ${i}`, url: `https://host${i}.org/page` }));
  await writeFile(inside("records.jsonl"), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  await writeFile(inside("hosts.txt"), "host2.org\n");
  await writeFile(
    inside("block.yaml"),
    "sources: [{ paths: records.jsonl, field: content, steps: [{ blockUrls: { hosts: hosts.txt } }] }]\n",
  );
  const tried = (...words: string[]) => cria("data", "try", inside("block.yaml"), ...words);
  const byNumber = (record: string) => tried("--file", inside("records.jsonl"), "--record", record);
  expect((await byNumber("1")).stdout).toMatch(/^blockUrls +kept\nthe document stays, 6 of 6/);
  expect((await byNumber("2")).stdout).toMatch(/^blockUrls +dropped it, host: it is from a host of the list \(host2\.org\)/);
  expect(await byNumber("4")).toMatchObject({ code: 1, stderr: expect.stringContaining("document 4 is asked for, but it has 3") });
  const byUrl = await tried("--url", "https://host2.org/page", "--json");
  expect(JSON.parse(byUrl.stdout)).toMatchObject({ facts: { url: "https://host2.org/page" }, steps: [{ did: "dropped", reason: "host" }] });
  expect(await tried("--url", "https://none.org/")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("none of the 3 documents of source"),
  });
  expect((await tried("--file", inside("page.txt"))).stdout).toMatch(/^blockUrls +kept/);
  expect(await tried()).toMatchObject({ code: 2, stderr: expect.stringContaining("name a document by --file or by --url") });
  expect(await tried("--url", "https://a.org", "--record", "2")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--record is for"),
  });
});

test("source code in a folder and in an archive is kept by its licence, and what was left out is counted", async () => {
  const mit = await readFile(join(packageRoot, "LICENSE"), "utf8");
  const files = {
    "a/LICENSE": mit,
    "a/b.py": "print('b')\n".repeat(9),
    "a/c.py": "# SPDX-License-Identifier: GPL-2.0-only\n",
    "d/e.c": "int e;\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(inside("tree"), name)), { recursive: true });
    await writeFile(join(inside("tree"), name), text);
  }
  await writeFile(inside("tree.tar.gz"), gzipSync(tarOf(files)));
  const source = (name: string, paths: string) => `{ name: ${name}, weight: 1, paths: ${paths}, format: code, steps: [codeLicence] }`;
  await writeFile(inside("code.yaml"), `sources: [${source("folder", "tree")}, ${source("archive", "tree.tar.gz")}]\nheldOut: 0\n`);
  const made = await cria("data", "prepare", inside("code.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("code"));
  expect(made.code, made.stderr).toBe(0);
  for (const { kept, notes, steps } of JSON.parse(await readFile(join(inside("code"), "cleaning.json"), "utf8")).sources) {
    expect([kept.documents, steps[0].reasons.other.documents, steps[0].reasons.unknown.documents]).toEqual([1, 1, 1]);
    expect(notes).toMatchObject([{ kind: "left out", what: "file in no known language of code", count: 1 }]);
  }
});

test("a step of one's own is a module that the recipe names", async () => {
  const recipe = (step: string) => `sources: [{ paths: pages.jsonl, steps: [{ length: { minCharacters: 5 } }, ${step}] }]\nheldOut: 0.1\n`;
  const entry = pathToFileURL(join(packageRoot, "dist", "entries", "data.js")).href;
  const example = await readFile(join(packageRoot, "examples", "step.mjs"), "utf8");
  await writeFile(inside("step.mjs"), example.replace('"cria/data"', JSON.stringify(entry)));
  await writeFile(inside("own.yaml"), recipe("./step.mjs"));
  await writeFile(inside("loud.txt"), "THE LLAMA SLEEPS");
  const tried = await cria("data", "try", inside("own.yaml"), "--file", inside("loud.txt"));
  expect(tried.stdout).toContain("noShouting         dropped it, capitals: it is written in capitals (14)\n");
  const made = await cria("data", "prepare", inside("own.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("own"));
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/noShouting +121 /) });
  await writeFile(inside("none.mjs"), "export const a = 1;\n");
  await writeFile(inside("broken.mjs"), "export default {\n");
  await writeFile(inside("alone.mjs"), 'import "cria/data";\n');
  await writeFile(inside("typed.ts"), "export default 1 as number;\n");
  const loadsTypeScript = "typescript" in process.features && process.features.typescript !== false;
  for (const [step, message] of [
    ["./none.mjs", "exports no step by default: export documentStep"],
    ["./absent.mjs", "absent.mjs: the module cannot be loaded"],
    ["./broken.mjs", "broken.mjs: the module cannot be loaded"],
    ["./typed.ts", loadsTypeScript ? "exports no step by default" : "typed.ts --outfile="],
    ["./alone.mjs", ": install cria in its folder, npm install with the path of cria's checkout"],
  ] as const) {
    await writeFile(inside("own.yaml"), recipe(step));
    expect(await cria("data", "try", inside("own.yaml"), "--file", inside("loud.txt"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(message),
    });
  }
});

test("steps are listed with their parameters and where these are from", async () => {
  const { stdout } = await cria("data", "steps");
  for (const name of ["gopherQuality", "c4Quality", "dedupLines"]) expect(stdout).toContain(`${name} `);
  const [step] = JSON.parse((await cria("data", "steps", "gopherQuality", "--json")).stdout);
  expect(step.parameters[0]).toEqual({ name: "minWords", required: false, default: 50, help: expect.stringContaining("50 to 100,000") });
  expect((await cria("data", "steps", "language")).stdout).toMatch(/^ {2}model +required$[\s\S]*^ {2}languages +none$/m);
  expect(await cria("data", "steps", "gofer")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"gofer" is no step and no preset'),
  });
  expect(stdout).toMatch(/^c4 +C4 as its released generator makes it$/m);
  expect((await cria("data", "steps", "c4")).stdout).toContain("  - c4Quality: { minWords: 5,");
  const [preset] = JSON.parse((await cria("data", "steps", "fineweb", "--json")).stdout);
  expect(preset).toMatchObject({ preset: "fineweb", steps: expect.arrayContaining([{ dedupNear: { words: 5, bands: 14, rows: 8 } }]) });
});

test.each([
  ["a step that is none", "[dedupLine]", /source "text": steps\[0\]: "dedupLine" is no step, did you mean "dedupLines"/],
  ["a parameter that is none", "[{ dedupLines: { keeps: all } }]", /unknown key "keeps", did you mean "keep"/],
])("%s is refused before anything is written", async (_, steps, message) => {
  await writeFile(inside("bad.yaml"), `sources: [{ paths: pages.jsonl, steps: ${steps} }]\n`);
  const refused = await cria("data", "prepare", inside("bad.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("bad"));
  expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
  expect(await readdir(folder)).not.toContain("bad.work");
});
