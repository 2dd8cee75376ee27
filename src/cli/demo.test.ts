// The whole demo on a short text: every stage, a second start, and what it refuses.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Rng } from "../base/index.ts";
import { readMetrics } from "../runs/index.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import type { Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
let text: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-demo-"));
  vi.stubEnv("CRIA_CACHE", join(folder, "cache")); // the runs of this file compile their kernels once
  text = join(folder, "text.txt");
  await writeFile(text, madeUpText(24_000));
});
afterAll(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true });
});

test("raises, measures, saves and writes; a second run into the same folder is refused", async () => {
  const out = join(folder, "run");
  const words = ["demo", "--steps", "20", "--text", text, "--out", out];
  const first = await run(words);
  expect(first.stderr).toMatch(/^note: source "text" has few documents: .*\n$/);
  expect(first.code).toBe(0);
  for (const part of [
    "GFLOP/s",
    "bytes per token",
    "parameters",
    "held-out text",
    "gzip -9",
    "this model",
    "what it writes",
    `generate ${out}`,
  ])
    expect(first.stdout).toContain(part);
  const ours = Number(/this model +([\d.]+) bits per byte/.exec(first.stdout)?.[1]);
  const gzip = Number(/gzip -9 +([\d.]+) bits per byte/.exec(first.stdout)?.[1]);
  expect(ours).toBeGreaterThan(0);
  expect(gzip).toBeGreaterThan(0);
  const files = [
    "checkpoints",
    "config.json",
    "metrics.jsonl",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "report.html",
    "train.yaml",
  ];
  expect(await readdir(out)).toEqual(expect.arrayContaining(files));
  const report = await readFile(join(out, "report.html"), "utf8");
  for (const part of ["<svg", "held out", "bits per byte", "gzip -9", "What it writes", "steps: 20", "avx|wasm"])
    expect(report).toMatch(new RegExp(part));
  expect(report.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/(?:src|href)=|https?:|@import|url\(|<script|NaN|undefined/);
  expect(first.stdout).toContain(`npm start -- --text ${text} --minutes 30`);
  const advised = /npx cria (train .* --resume --set steps=40)/.exec(first.stdout)![1]!.split(" ");
  expect((await runWords(advised, commandRows)).code).toBe(0);
  const heldOut = (await readMetrics(join(out, "metrics.jsonl"))).flatMap((row) => ("heldOutLoss" in row ? [row] : []));
  const [before, after] = [20, 40].map((step) => heldOut.findLast((row) => row.step === step)!.heldOutLoss);
  expect(after).toBeLessThan(before!); // training on, as it advises, is worth it
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("40 steps of 4");
  const second = await run(words);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/it holds a run: go on with it, or choose another folder \(--out\)/);
});

test("in a terminal, one watches it in a page and writes with it there until Ctrl-C", async () => {
  const controller = new AbortController();
  const words = ["demo", "--steps", "20", "--text", text, "--out", join(folder, "watched"), "--no-open"];
  const answers: string[] = [];
  let stdout = "";
  const ask = async (path: string) => {
    const url = /^watch it +(http:\/\/127\.0\.0\.1:\d+)$/m.exec(stdout)?.[1];
    answers.push(await (await fetch(`${url}/page/${path}`)).text());
  };
  const asked: Promise<void>[] = [];
  const terminal: Partial<Terminal> = {
    signal: controller.signal,
    isTerminal: true,
    stdout: (said) => {
      stdout += said;
      if (said.includes("write with it")) asked.push(ask("model?name=watched").then(() => controller.abort()));
    },
    progress: ({ task, done }) => {
      if (task === "training" && done === 5) asked.push(ask("model?name=watched"), ask("series?run=."));
    },
  };
  expect((await runWords(words, commandRows, terminal)).code).toBe(0);
  await Promise.all(asked);
  expect(answers[0]).toContain("watched is still being trained: it answers when it is saved");
  expect(JSON.parse(answers[1] ?? "").steps).toBeGreaterThanOrEqual(5);
  expect(JSON.parse(answers[2] ?? "")).toMatchObject({ name: "watched", hasTemplate: false });
});

test("interrupted before the first step, it leaves nothing", async () => {
  const controller = new AbortController();
  const out = join(folder, "early");
  const progress: Terminal["progress"] = ({ task }) => {
    if (task === "preparing") controller.abort(new Interrupted("SIGINT"));
  };
  const { code, stderr } = await run(["demo", "--steps", "20", "--text", text, "--out", out], { signal: controller.signal, progress });
  expect(code).toBe(130);
  expect(stderr).toContain("nothing was trained yet");
  expect(await readdir(folder)).not.toContain("early");
});

test("interrupted in training, it saves and says how to go on", async () => {
  const controller = new AbortController();
  const out = join(folder, "stopped");
  const progress: Terminal["progress"] = ({ task, done }) => {
    if (task === "training" && done === 3) controller.abort(new Interrupted("SIGINT"));
  };
  const { code, stdout } = await run(["demo", "--steps", "20", "--text", text, "--out", out], { signal: controller.signal, progress });
  expect(code).toBe(130);
  expect(stdout).toContain(`npx cria train ${out} --resume`);
  expect(await readdir(join(out, "checkpoints"))).toHaveLength(1);
});

test("minutes too short for anything are refused before any work, with minutes that would do", async () => {
  const out = join(folder, "hasty");
  const tasks = new Set<string>();
  const { code, stdout, stderr } = await run(["demo", "--minutes", "0.1", "--out", out], { progress: ({ task }) => tasks.add(task) });
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^\[demo\] minutes is 0.1, but reading [\d.]+ MB of text, .* take about \d+ s beside training: give at least \d+(?:\.\d)?\n$/,
  );
  expect(stdout).toBe("");
  expect([...tasks]).toEqual([]);
  expect(await readdir(folder)).not.toContain("hasty");
});

test("time that ran out before training is refused before training, and leaves nothing", async () => {
  const out = join(folder, "late");
  const began = performance.now() - 50_000;
  let trained = false;
  const progress: Terminal["progress"] = ({ task }) => {
    if (task === "training") trained = true;
  };
  const { code, stderr } = await run(["demo", "--minutes", "1", "--text", text, "--out", out], { began, progress });
  expect({ code, trained }).toEqual({ code: 2, trained: false });
  expect(stderr).toMatch(/minutes is 1, but/);
  expect(await readdir(folder)).not.toContain("late");
});

test.each([
  [["--minutes", "0"], "--minutes is 0 but must be above 0"],
  [["--minutes", "3", "--steps", "3"], "--minutes and --steps both say how long it trains"],
  [["--steps", "0"], "--steps is 0 but must be an integer, at least 1"],
])("%j is wrong usage", async (words, message) => {
  const { code, stderr } = await run(["demo", ...words]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test("a text too short to learn from is refused, and leaves nothing", async () => {
  const short = join(folder, "short.txt");
  await writeFile(short, "too short");
  const { code, stderr } = await run(["demo", "--text", short, "--out", join(folder, "short")]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/has 9 bytes, but a model needs at least 10000/);
  expect(await readdir(folder)).not.toContain("short");
});

function run(words: readonly string[], more: Partial<Terminal> = {}) {
  return runWords(words, commandRows, more);
}

/** Sentences of made-up words, the common ones common. */
function madeUpText(length: number): string {
  const rng = new Rng(3);
  const syllable = () => "bdfgklmnprst"[rng.below(12)]! + "aeiou"[rng.below(5)]!;
  const vocabulary = Array.from({ length: 400 }, () => Array.from({ length: 1 + rng.below(4) }, syllable).join(""));
  let made = "";
  while (made.length < length) {
    const sentence = Array.from({ length: 4 + rng.below(8) }, () => vocabulary[Math.floor(400 * rng.uniform() ** 3)]).join(" ");
    made += `${sentence}.${rng.below(6) === 0 ? "\n\n" : " "}`;
  }
  return made;
}
