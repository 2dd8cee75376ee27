// cria train on texts without a recipe: what people have, in a few steps each.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Rng } from "../base/index.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import type { Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const before = process.cwd();
const small = ["--set", "batch=2", "--set", "model.nLayers=1"];
const few = ["--set", "steps=8", ...small];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-train-text-"));
  vi.stubEnv("CRIA_CACHE", join(folder, "cache")); // the runs of this file compile their kernels once
  process.chdir(folder);
  await mkdir(join("notes", "more"), { recursive: true });
  await writeFile(join("notes", "one.md"), `# One\n\n${madeUp(12_000, "bdfgklmnprst", "aeiou")}`);
  await writeFile(join("notes", "more", "two.md"), `# Two\n\n${madeUp(12_000, "bdfgklmnprst", "aeiou", 2)}`);
  await writeFile(join("notes", ".hidden"), "not this");
  await mkdir("project");
  await writeFile(join("project", "train.yaml"), "data: data\n");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  process.chdir(before);
  await rm(folder, { recursive: true });
});

test("a folder becomes a run with a report and the recipes that make it again: the same tokens, the same losses", async () => {
  const { code, stdout, stderr } = await run(["notes", ...few, "--json"]);
  expect(stderr).toContain("1 hidden file");
  expect(code).toBe(0);
  const out = join("runs", "notes");
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ run: out, step: 8, steps: 8, stopped: false, report: join(out, "report.html") });
  expect(summary.evaluation.bitsPerByte).toBeGreaterThan(0);
  expect(summary.samples).toHaveLength(3);
  expect((await readdir(out)).sort()).toEqual([
    ...[
      "checkpoints",
      "config.json",
      "data",
      "data.yaml",
      "generation_config.json",
      "machine.json",
      "metrics.jsonl",
      "model.safetensors",
      "report.html",
    ],
    ...["tokenizer.json", "tokenizer_config.json", "train.yaml"],
  ]);
  expect(await readFile(join(out, "data.yaml"), "utf8")).toBe(
    "sources:\n  - paths:\n      - ../../notes\nheldOut: 0.05\nboundaries: both\n",
  );
  const prepared = ["prepare", join(out, "data.yaml"), "--tokenizer", join(out, "tokenizer.json"), "--out", "again"];
  expect((await runWords(["data", ...prepared], commandRows)).code).toBe(0);
  const manifestOf = (data: string) => readFile(join(data, "manifest.json"), "utf8");
  expect(await manifestOf("again")).toBe(await manifestOf(join(out, "data")));
  // A trace finds the documents from any folder.
  for (const [from, place] of [
    [folder, "notes/one.md#0"],
    [join(folder, "notes", "more"), "../one.md#0"],
  ] as const) {
    process.chdir(from);
    const traced = JSON.parse((await runWords(["data", "trace", join(folder, out), "1", "--json"], commandRows)).stdout);
    const places = traced.windows.flatMap(({ documents }: { documents: { place: string }[] }) => documents.map((span) => span.place));
    process.chdir(folder);
    expect(places).toContain(join(place));
  }
  expect((await run([join(out, "train.yaml"), "--out", "repeated"])).code).toBe(0);
  expect(await lossesOf("repeated")).toEqual(await lossesOf(out));
});

test("standard input is kept, so that it can be read again; a text of Chinese characters is written on in Chinese", async () => {
  const characters = Array.from({ length: 1500 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
  const text = Array.from({ length: 60 }, (_, i) => madeUp(100, characters, "的了是", i)).join("。\r\n\r\n");
  const child = spawn(process.execPath, [main, "train", "-", "--newlines", "keep", "--out", "piped", ...few], {
    cwd: folder,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [said, complained] = ["", ""];
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (complained += chunk));
  child.stdin.end(text);
  expect(await new Promise((done) => child.on("close", done)), complained).toBe(0);
  expect(said).toMatch(/generate piped "?\p{Script=Han}+/u);
  expect(said).not.toContain("Once upon a time");
  expect(await readFile(join("piped", "data.yaml"), "utf8")).toContain("- text/text.jsonl\n    field: text\n    newlines: keep\n");
  expect(await readFile(join("piped", "data", "held-out.jsonl"), "utf8")).toContain("。\\r\\n"); // the line end is kept
});

test("a column of a table, read by name, as the hint for a longer run says; a second run without --out goes beside the first", async () => {
  const rows = Array.from({ length: 120 }, (_, i) => `${i},"${madeUp(200, "bdfgklmnprst", "aeiou", i)}"`);
  await writeFile("my table.csv", `id,body\n${rows.join("\n")}\n`);
  const words = ["my table.csv", "--field", "body", "--set", "steps=2", ...small];
  const first = await run(words);
  expect(first.stdout).toContain(`saved in ${join("runs", "my table")}`);
  expect(first.stdout).toContain('train "my table.csv" --field body --set batch=2 --set model.nLayers=1 --minutes 30');
  const controller = new AbortController();
  const progress: Terminal["progress"] = () => controller.abort(new Interrupted("SIGINT"));
  const second = await run(words, { signal: controller.signal, progress });
  expect(second.stderr).toContain(`earlier runs stay as they are: this one goes to ${join("runs", "my table-2")}`);
  expect(second.code).toBe(130);
});

test("interrupted, it keeps what was done; --resume finishes it, with a report", async () => {
  const controller = new AbortController();
  const progress: Terminal["progress"] = ({ task, done }) => {
    if (task === "training" && done === 3) controller.abort(new Interrupted("SIGINT"));
  };
  const stopped = await run(["notes", "--out", "stopped", ...few], { signal: controller.signal, progress });
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toMatch(/stopped at step \d of 8, saved; go on with: npx cria train stopped --resume/);
  expect(await readdir("stopped")).not.toContain("report.html");
  expect((await run(["stopped", "--resume"])).code).toBe(0);
  expect(await readFile(join("stopped", "report.html"), "utf8")).toContain("8 steps of 2 × 128 tokens");
  expect((await lossesOf("stopped")).length).toBe(8);
});

test("interrupted before its first step, it stops at once and says how to begin", async () => {
  const controller = new AbortController();
  let printed = "";
  const stdout = (text: string) => {
    printed += text;
    if (text.startsWith("memory ")) setImmediate(() => controller.abort(new Interrupted("SIGINT")));
  };
  const { code } = await run(["notes", "--out", "early", ...few], { signal: controller.signal, stdout });
  expect([code, printed.trimEnd().split("\n").at(-1)]).toEqual([
    130,
    "stopped before the first of 8 steps; begin with: npx cria train early --resume",
  ]);
  expect(await readdir("early")).not.toContain("metrics.jsonl");
  expect((await run(["early", "--resume"])).code).toBe(0);
  expect((await lossesOf("early")).length).toBe(8);
});

test("a few pages teach nothing, and are refused with what is needed; nothing is left", async () => {
  await writeFile("short.txt", madeUp(3000, "bdfgklmnprst", "aeiou"));
  const { code, stderr } = await run(["short.txt", "--out", "short"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/the text has \d+ bytes, but a model needs at least 10000, some five pages: give it more/);
  expect(await readdir(folder)).not.toContain("short");
});

test("a text that says one word only is trained on, with the vocabulary that it gives", async () => {
  await writeFile("same.txt", Array.from({ length: 3000 }, (_, i) => `word${Math.sin(i ** 2) > 0 ? "s" : ""}`).join(" "));
  const { code, stderr } = await run(["same.txt", "--out", "same", ...few]);
  expect({ code, stderr: stderr.replaceAll(/^note: .*\n/gm, "") }).toEqual({ code: 0, stderr: "" });
});

test("time too short for packed text is said before it is read where its name tells, and once it is known where not", async () => {
  await writeFile("dense.txt.gz", Buffer.alloc(4e6)); // some 12 MB of text by its name; it is not looked into
  await writeFile("sparse.txt.gz", gzipSync("the same words again and again\n".repeat(350_000))); // 11 MB in some 30 kB
  for (const [name, tasks] of [
    ["dense.txt.gz", []],
    ["sparse.txt.gz", ["reading the text"]],
  ] as const) {
    const seen = new Set<string>();
    const progress: Terminal["progress"] = ({ task }) => seen.add(task);
    const { code, stderr } = await run([name, "--minutes", "0.3", "--out", "hasty"], { progress });
    expect(stderr).toMatch(/minutes is 0.3, but reading \d+(?:\.\d+)? MB of text, .* give at least/);
    expect(code).toBe(2);
    expect([...seen]).toEqual(tasks);
    expect(await readdir(folder)).not.toContain("hasty");
  }
});

const bad: readonly [what: string, code: number, message: RegExp, ...words: string[]][] = [
  ["too little time", 2, /minutes is 0.05, but .*give at least \d/, "notes", "--minutes", "0.05"],
  ["no time", 2, /--minutes is 0 but must be above 0/, "notes", "--minutes", "0"],
  ["two lengths", 2, /--minutes and --set both say how long it trains/, "notes", "--minutes", "1", "--set", "steps=3"],
  ["what follows from the text", 2, /--set data: it follows from the text/, "notes", "--set", "data=elsewhere"],
  ["a recipe among texts", 2, /train.yaml is a recipe, but other paths are named beside it/, "notes", "train.yaml"],
  ["prepared data", 2, /again is prepared data, not text: name a recipe that says "data: again"/, "again"],
  ["a flag of recipes", 2, /--dry-run is for recipes/, "notes", "--dry-run"],
  [
    "a flag of texts",
    2,
    /--minutes is for texts, but runs.notes is a run: leave it out/,
    join("runs", "notes"),
    "--resume",
    "--minutes",
    "3",
  ],
  ["a folder that holds a recipe", 2, /--minutes is for texts, but project is taken for a recipe or a run/, "project", "--minutes", "3"],
  ["a field that applies to none", 1, /field/, "notes", "--field", "body"],
  ["a path that names nothing", 1, /^\[train\] nowhere\/\*\.txt: no file under/, "nowhere/*.txt"],
];

test.each(bad)("%s is refused, and nothing is left", async (_, code, message, ...words) => {
  const ended = await run([...words, ...(words.includes("--resume") ? [] : ["--out", "refused"])]);
  expect(ended.stderr).toMatch(message);
  expect(ended.code).toBe(code);
  expect(await readdir(folder)).not.toContain("refused");
});

function run(words: readonly string[], more: Partial<Terminal> = {}) {
  return runWords(["train", ...words], commandRows, more);
}

async function lossesOf(path: string): Promise<unknown[]> {
  const lines = (await readFile(join(path, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).loss).filter((loss) => loss !== undefined);
}

/** Sentences of made-up words of these characters, the common ones common. */
function madeUp(length: number, first: string, second: string, seed = 1): string {
  const rng = new Rng(seed);
  const pick = (characters: string) => [...characters][rng.below([...characters].length)]!;
  const vocabulary = Array.from({ length: 400 }, () => Array.from({ length: 1 + rng.below(3) }, () => pick(first) + pick(second)).join(""));
  let made = "";
  while (made.length < length) {
    const sentence = Array.from({ length: 4 + rng.below(8) }, () => vocabulary[Math.floor(400 * rng.uniform() ** 3)]).join(" ");
    made += `${sentence}.${rng.below(6) === 0 ? "\n\n" : " "}`;
  }
  return made;
}
