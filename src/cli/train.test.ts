import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Rng } from "../base/index.ts";
import { dataRecipe, prepare } from "../corpus/index.ts";
import { openFile } from "../files/index.ts";
import { hfName, readHfConfig, readSafetensors, tokenizerJson } from "../formats/index.ts";
import { parameterRows } from "../model/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import { runWords } from "./terminal.test.helper.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
let folder: string;

const recipe = `
data: data
tokenizer: tokenizer.json
model: { dim: 32, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 48, contextLength: 32 }
steps: 60
batch: 4
learningRate: 5e-3
evaluation: { every: 10, tokens: 256 }
checkpoints: { every: 7, keep: 2 }
precision: bfloat16
threads: 1
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-train-cli-"));
  vi.stubEnv("CRIA_CACHE", join(folder, "cache")); // the runs of this file, here and in other processes, compile their kernels once
  const documents = writeDocuments();
  const model = await trainTokenizer(documents, {
    kind: "bytes",
    vocabSize: 320,
    pattern: "gpt2",
    specials: { bos: "<s>", eos: "</s>" },
  });
  await writeFile(join(folder, "text.txt"), documents.join("\n\n"));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizerJson(model)));
  const source = { name: "text", paths: "text.txt", separator: "blank-lines", weight: 1 };
  const data = dataRecipe.parse({ sources: [source], heldOut: 0.1 });
  await prepare(data, createTokenizer(model), join(folder, "data"), { folder });
  await writeFile(join(folder, "recipe.yaml"), recipe);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test("a run folder is a Hugging Face folder with the recipe, metrics and checkpoints beside", async () => {
  const { code, stdout } = await cria("train", "recipe.yaml", "--out", "run", "--json");
  expect(code).toBe(0);
  const summary = JSON.parse(stdout) as Record<string, unknown>;
  expect(summary).toMatchObject({ run: "run", step: 60, steps: 60, tokens: 60 * 128, stopped: false });
  const [source] = summary.sources as { name: string; tokensSeen: number; epochs: number }[];
  expect(source).toMatchObject({ name: "text", tokensSeen: 60 * 128 });
  expect(source!.epochs).toBeGreaterThan(1);
  expect((await readdir(join(folder, "run"))).sort()).toEqual([
    ...["checkpoints", "config.json", "generation_config.json", "machine.json", "metrics.jsonl", "model.safetensors", "report.html"],
    ...["tokenizer.json", "tokenizer_config.json", "train.yaml"],
  ]);
  const { config, bosTokenId, eosTokenIds } = readHfConfig("config.json", await readFile(join(folder, "run", "config.json")));
  expect({ vocabSize: config.vocabSize, bosTokenId, eosTokenIds }).toEqual({ vocabSize: 320, bosTokenId: 318, eosTokenIds: [319] });
  const generation = JSON.parse(await readFile(join(folder, "run", "generation_config.json"), "utf8"));
  expect(generation).toMatchObject({ do_sample: true, temperature: 0.8, top_k: 0, top_p: 0.95, eos_token_id: 319 }); // cria itself samples so
  await using weights = await openFile(join(folder, "run", "model.safetensors"));
  const file = await readSafetensors(weights);
  file.expect(parameterRows(config).map(({ name, shape }) => ({ name: hfName(name), shape })));
  expect(file.metadata).toEqual({ format: "pt" });
  expect(await readFile(join(folder, "run", "train.yaml"), "utf8")).toMatch(
    /^data: \.\.\/data\ntokenizer: tokenizer\.json\n(.*\n)*warmupSteps: 3\n/,
  );
});

test("killed at any moment, again and again, and resumed, a run is bit for bit that of one piece", async () => {
  if (!existsSync(join(folder, "run"))) await trainHere("recipe.yaml", "--out", "run");
  const rng = new Rng(11);
  for (let kill = 0; kill < 3; kill++) {
    const child = kill === 0 ? start("train", "recipe.yaml", "--out", "killed") : start("train", "killed", "--resume");
    await killAfterSteps(child, join(folder, "killed", "metrics.jsonl"), 1 + rng.below(9), rng.below(8));
    expect(child.signalCode).toBe("SIGKILL");
  }
  const { code } = await trainHere("killed", "--resume");
  expect(code).toBe(0);
  expect(rowsOf("killed")).toEqual(rowsOf("run"));
  for (const file of ["model.safetensors", "checkpoints/step-000060/optimizer.safetensors"])
    expect((await readFile(join(folder, "killed", file))).equals(await readFile(join(folder, "run", file))), file).toBe(true);
  expect(await readdir(join(folder, "killed", "checkpoints"))).toEqual(await readdir(join(folder, "run", "checkpoints")));
});

test("Ctrl-C saves, says how to go on, and exits with 130; the end is that of a run of one piece", async () => {
  const child = start("train", "recipe.yaml", "--out", "stopped");
  const ended = outputOf(child);
  await until(() => lastStep(join(folder, "stopped", "metrics.jsonl")) >= 5);
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/stopped at step \d+ of 60, saved; go on with: (?:npx cria|node \S+main\.js) train stopped --resume/);
  expect((await trainHere("recipe.yaml", "--out", "stopped", "--resume")).code).toBe(0);
  expect(rowsOf("stopped")).toEqual(rowsOf("run"));
});

test("when the reader of stdout leaves, it saves, says on stderr how to go on, releases the lock and exits with 141", async () => {
  const child = start("train", "recipe.yaml", "--out", "unread");
  const ended = outputOf(child);
  await until(() => lastStep(join(folder, "unread", "metrics.jsonl")) >= 2);
  child.stdout!.destroy(); // the next evaluation is printed
  const { code, stderr } = await ended;
  expect(code).toBe(141);
  expect(stderr).toMatch(/stopped at step \d+ of 60, saved; go on with: .* train unread --resume/);
  expect((await readdir(join(folder, "unread"))).filter((name) => /lock|partial/.test(name))).toEqual([]);
  expect((await trainHere("unread", "--resume")).code).toBe(0);
  expect(rowsOf("unread")).toEqual(rowsOf("run"));
});

test("when the reader of stderr leaves, training goes on", async () => {
  const child = start("train", "recipe.yaml", "--out", "alone", "--set", "steps=3");
  child.stderr!.destroy();
  expect((await outputOf(child)).code).toBe(0);
});

test("of two that begin in one folder at once one trains, and its recipe stays", async () => {
  const seeds = [3, 4];
  const both = await Promise.all(
    seeds.map((seed) => cria("train", "recipe.yaml", "--out", "both", "--set", "steps=4", "--set", `seed=${seed}`)),
  );
  const winner = both.findIndex(({ code }) => code === 0);
  expect(both[1 - winner]).toMatchObject({ code: 1, stderr: expect.stringMatching(/trains in it|trained in it|holds a run|is not empty/) });
  expect(await readFile(join(folder, "both", "train.yaml"), "utf8")).toContain(`seed: ${seeds[winner]}\n`);
  expect(await readdir(join(folder, "both"))).not.toContain("training.lock");
});

test("one that begins while another ends making the folder meets a whole recipe, whenever that is", async () => {
  const [made, begun] = [join(folder, "meanwhile", "train.yaml"), join(folder, "meanwhile", "train.yaml.begun")];
  const other = (await readFile(join(folder, "recipe.yaml"), "utf8")).replaceAll(/(data|tokenizer): (?!\{)/g, `$1: ${folder}/`);
  for (let after = 0; after < 12; after++) {
    await mkdir(join(folder, "meanwhile"));
    await writeFile(begun, `${other}seed: 5\n`);
    const ending = sleep(after).then(() => rename(begun, made));
    const { stderr } = await trainHere("recipe.yaml", "--out", "meanwhile", "--dry-run");
    expect(stderr).toMatch(/^$|holds a run/);
    await ending;
    await rm(join(folder, "meanwhile"), { recursive: true });
  }
});

test("what was trained is never overwritten, and a resumed run keeps to its recipe unless told", async () => {
  const steps = ["--set", "steps=4"];
  expect((await trainHere("recipe.yaml", "--out", "short", ...steps)).code).toBe(0);
  const finished = await trainHere("short", "--resume");
  expect(finished).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\nall 4 steps are done: more of them go on, as --set steps=8\n/),
  });
  const again = await trainHere("recipe.yaml", "--out", "short");
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/short: it holds a run: go on with it, or choose another folder \(--resume, --out\)/),
  });
  const changed = await trainHere("recipe.yaml", "--out", "short", "--resume");
  expect(changed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/recipe changed .* steps from 4 to 60: restore it, or say --set steps=60/),
  });
  const longer = await trainHere("short", "--resume", "--set", "steps=6");
  expect(longer).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/changed: steps from 4 to 6\nlearning rate: goes on from .* in step 4, .*\ngoing on from step 4\n/),
  });
  expect(rowsOf("short").filter((row) => "loss" in row).length).toBe(6);
  await cp(join(folder, "data"), join(folder, "moved"), { recursive: true });
  const moved = await trainHere("short", "--resume", "--set", `data=${join(folder, "moved")}`, "--set", "evaluation.every=7");
  expect(moved).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/changed: data from .*data to .*moved, evaluation\.every from \d+ to 7\n/),
  });
  const kept = await readFile(join(folder, "short", "train.yaml"), "utf8");
  expect(kept).toContain("data: ../moved\n");
  expect(kept).toContain("evaluation:\n  every: 7\n");
  expect(await trainHere("short", "--resume", "--set", "tokenizer=other.json")).toMatchObject({ code: 2 });
  const wider = await trainHere("short", "--resume", "--set", "steps=8", "--set", "model.dim=64");
  expect(wider).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/model\.dim from 32 to 64: a run keeps its model, begin a new one with --out/),
  });
  const before = await readFile(join(folder, "short", "train.yaml"), "utf8");
  const shorter = await trainHere("short", "--resume", "--set", "steps=5");
  expect(shorter).toMatchObject({ code: 1, stderr: expect.stringMatching(/steps is 5 but .*step-000006 has done 6: raise steps/) });
  const larger = await trainHere("short", "--resume", "--set", "steps=8", "--set", "batch=100000000");
  expect(larger).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/training needs .* of memory .*, but .* is .* GB: the largest batch that fits is \d+/),
  });
  expect(await readFile(join(folder, "short", "train.yaml"), "utf8")).toBe(before);
  expect(rowsOf("short").filter((row) => "loss" in row).length).toBe(6);
});

test("a dry run says what would be trained and what memory it takes, and writes nothing", async () => {
  const words = ["train", join(folder, "recipe.yaml"), "--out", join(folder, "dry"), "--dry-run"];
  const said = await runWords(words, commandRows);
  expect(said.code).toBe(0);
  expect(said.stdout).toMatch(/dry: .* parameters, 60 steps of 4 × 32 tokens, in bfloat16 on cpu/);
  expect(said.stdout).toMatch(
    /memory: [\d.]+ [kM]B \(weights and optimiser [\d.]+ [kM]B, activations and gradients [\d.]+ [kM]B\); .* is [\d.]+ [MG]B/,
  );
  const { memory, ...rest } = JSON.parse((await runWords([...words, "--json"], commandRows)).stdout);
  expect(rest).toMatchObject({ dryRun: true, steps: 60, batch: 4, accumulation: 1, length: 32, precision: "bfloat16" });
  expect(memory.there.bytes).toBeGreaterThan(memory.states + memory.workspace);
  expect(existsSync(join(folder, "dry"))).toBe(false);
});

test("Ctrl-C is heard while a run is compiled: nothing was written", async () => {
  const controller = new AbortController();
  let printed = "";
  const stdout = (text: string) => {
    printed += text;
    if (text.includes("\nmemory:")) setImmediate(() => controller.abort(new Interrupted("SIGINT"))); // a signal comes in a turn of the event loop, too
  };
  const words = ["train", join(folder, "recipe.yaml"), "--out", join(folder, "early")];
  const { code } = await runWords(words, commandRows, { stdout, signal: controller.signal });
  expect([code, printed.split("\n").at(-2)]).toEqual([130, "stopped before the first step: nothing was written"]);
  expect(existsSync(join(folder, "early"))).toBe(false);
});

const bad: readonly [what: string, code: number, message: RegExp, ...words: string[]][] = [
  ["no recipe", 2, /no path is given: name texts, or one recipe/],
  ["a missing recipe", 1, /nowhere\.yaml: no such file/, "@nowhere.yaml"],
  ["prepared data in place of a recipe", 2, /data is prepared data, not text: name a recipe/, "@data"],
  ["a folder that is no run", 1, /data: there is no run to go on with: name the folder of one/, "@data", "--resume"],
  ["a misspelt key", 1, /unknown key "learningRat", did you mean "learningRate"\?/, "@recipe.yaml", "--set", "learningRat=1"],
  ["a misspelt inner key", 1, /unknown key "nlayer" in model, did you mean "nLayers"\?/, "@recipe.yaml", "--set", "model.nlayer=1"],
  ["a value of another kind", 1, /learningRate is "fast"/, "@recipe.yaml", "--set", "learningRate=fast"],
  ["no setting", 2, /"steps" is no setting: write key=value/, "@recipe.yaml", "--set", "steps"],
  ["a setting that is no YAML", 2, /setting "steps=\[1": .*write the value as in YAML/, "@recipe.yaml", "--set", "steps=[1"],
  ["a path through a number", 1, /setting steps\.x: x would stand in 60, which has no keys/, "@recipe.yaml", "--set", "steps.x=1"],
  ["heads that do not divide", 1, /dim 32 is not a multiple of nHeads 5/, "@recipe.yaml", "--set", "model.nHeads=5"],
  ["an unknown preset", 1, /no preset "5N", did you mean "5M"/, "@recipe.yaml", "--set", "model={preset: 5N}"],
  ["no sizes", 1, /neither a preset nor dim, nLayers and nHeads/, "@recipe.yaml", "--set", "model={dim: 8}"],
  ["a vocabulary too small", 1, /model\.vocabSize is 99 but the tokenizer has 320/, "@recipe.yaml", "--set", "model.vocabSize=99"],
  ["a length beyond the context", 1, /length is 64 but the model's contextLength 32/, "@recipe.yaml", "--set", "length=64"],
  ["steps and tokens", 1, /steps is 60 and tokens 99: give one of them/, "@recipe.yaml", "--set", "tokens=99"],
  ["data that is none", 1, /run: it has no manifest\.json, so it is no prepared data/, "@recipe.yaml", "--set", "data=@run"],
  [
    "a batch beyond the memory",
    1,
    /training needs .* of memory .*, but .* is .* GB: the largest batch that fits is \d+/,
    "@recipe.yaml",
    "--set",
    "batch=100000000",
  ],
  ["too many threads", 2, /threads is 1000, but an engine has from 1 to 64/, "@recipe.yaml", "--set", "threads=1000"],
  [
    "a run that is not there",
    1,
    /absent: there is no run to go on with: name the folder of one/,
    "@recipe.yaml",
    "--out",
    "@absent",
    "--resume",
  ],
];

test.each(bad)("%s is refused, and nothing is left", async (_, code, message, ...words) => {
  const out = words[0] === "@recipe.yaml" && !words.includes("--out") ? ["--out", "@refused"] : [];
  const inFolder = [...words, ...out].map((word) => word.replace(/^(data=)?@/, (_, key = "") => `${key}${folder}/`));
  const ended = await runWords(["train", ...inFolder], commandRows);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toMatch(message);
  for (const name of ["refused", "absent"]) expect(existsSync(join(folder, name))).toBe(false);
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...words: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...words], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

function cria(...words: string[]): Promise<Ended> {
  return outputOf(start(...words));
}

/** Runs `train` in this process, on a recipe or run of the folder: no program starts for it. */
function trainHere(name: string, ...words: string[]): Promise<Ended> {
  const inFolder = words.map((word, i) => (words[i - 1] === "--out" ? join(folder, word) : word));
  return runWords(["train", join(folder, name), ...inFolder], commandRows);
}

function outputOf(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  child.stderr!.on("data", (chunk) => (stderr += chunk));
  return new Promise((done) => child.on("close", (code) => done({ code, stdout, stderr })));
}

/** Kills as `kill -9` does once the run is so many steps further, and some milliseconds have passed: in a step, an evaluation or a checkpoint. */
async function killAfterSteps(child: ChildProcess, metrics: string, steps: number, milliseconds: number): Promise<void> {
  const ended = outputOf(child);
  const before = lastStep(metrics);
  await until(() => lastStep(metrics) >= before + steps || child.exitCode !== null);
  await new Promise((done) => setTimeout(done, milliseconds));
  child.kill("SIGKILL");
  await ended;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done, 1));
}

/** The step that the metrics written so far have reached; a resumed run begins by cutting some off. */
function lastStep(metrics: string): number {
  const rows = existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").slice(0, -1) : [];
  return rows.length === 0 ? 0 : (JSON.parse(rows.at(-1)!) as { step: number }).step;
}

function rowsOf(run: string): Record<string, unknown>[] {
  const lines = readFileSync(join(folder, run, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const { seconds: _, tokensPerSecond: __, ...row } = JSON.parse(line) as Record<string, unknown>;
    return row;
  });
}

/** Sentences that a grammar of a few words makes. */
function writeDocuments(): string[] {
  const rng = new Rng(3);
  const pick = (words: readonly string[]) => words[rng.below(words.length)]!;
  const sentence = () =>
    `${pick(["The", "A", "One"])} ${pick(["young", "old", "white", "quiet"])} ${pick(["llama", "cria", "shepherd", "mountain"])} ${pick(["sees", "knows", "follows"])} ${pick(["the river", "a path", "every stone", "its mother"])}.`;
  return Array.from({ length: 120 }, () => Array.from({ length: 3 + rng.below(6) }, sentence).join(" "));
}
