// A corpus many times as large as the memory that counting may take, and programs that are killed at random moments.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { type TrainOptions, trainingRules, trainOnWords } from "../../tokenizer/index.ts";
import { openTexts } from "../texts/index.ts";
import { type CountOptions, countTexts } from "./count-texts.ts";

const options: TrainOptions = { kind: "sentencepiece", vocabSize: 2000, mayBeSmaller: true };
let folder = "";
let files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-count-long-"));
  const rng = new Rng(1);
  const word = () => Math.floor(1e6 / (1 + rng.below(1e6))).toString(36) + ["", "s", "é", "ши", "日本", "🦙"][rng.below(6)];
  const line = () => Array.from({ length: 12 }, word).join(" ");
  const lines = (count: number) => Array.from({ length: count }, line);
  files = ["a.txt", "b.jsonl", "c.txt.gz"].map((name) => join(folder, name));
  await writeFile(files[0]!, lines(200_000).join("\n"));
  await writeFile(
    files[1]!,
    lines(50_000)
      .map((text) => `${JSON.stringify({ text })}\n`)
      .join(""),
  );
  await writeFile(files[2]!, gzipSync(lines(100_000).join("\n\n")));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

async function trained(countOptions: CountOptions): Promise<string> {
  await using texts = await openTexts(files);
  const counted = await countTexts(texts, trainingRules(options), countOptions);
  const model = await trainOnWords(counted, options);
  await counted.remove();
  return createHash("sha256").update(JSON.stringify(model)).digest("hex");
}

let whole = "";
beforeAll(async () => {
  whole = await trained({ threads: 1 });
}, 120_000);

test("a limit of a fortieth of the corpus gives the same tokenizer", async () => {
  await using texts = await openTexts(files);
  for (const threads of [1, 2]) expect(await trained({ threads, memory: texts.textBytes / 40 })).toBe(whole);
}, 300_000);

const pace = { stretchBytes: 1 << 20, runMs: 150, worthKeepingMs: 0 };

function start(kept: string, threads: number): ChildProcess {
  const script = `
    const { countTexts, openTexts } = await import(${JSON.stringify(new URL("../index.js", import.meta.url).href)});
    const options = ${JSON.stringify({ folder: kept, threads, pace, memory: 4e6 })};
    await countTexts(await openTexts(${JSON.stringify(files)}), ${JSON.stringify(trainingRules(options))}, options);`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "pipe"] });
}

test.each([1, 2, 3, 4])(
  "killed at random moments and run again, the tokenizer is the same, seed %i",
  async (seed) => {
    const kept = join(folder, `killed-${seed}`);
    const rng = new Rng(seed);
    for (let kills = 0; kills < 12; kills++) {
      const child = start(kept, 1 + rng.below(3));
      let errors = "";
      child.stderr!.on("data", (chunk) => {
        errors += chunk;
      });
      const exited = once(child, "exit");
      const timer = setTimeout(() => child.kill(rng.below(4) === 0 ? "SIGTERM" : "SIGKILL"), 300 + rng.below(4000));
      await exited;
      clearTimeout(timer);
      expect(errors).toBe("");
    }
    expect((await readdir(kept)).length).toBeGreaterThan(1);
    expect(await trained({ folder: kept, pace })).toBe(whole);
  },
  300_000,
);
