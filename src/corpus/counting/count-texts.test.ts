import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { type WordCounts, type WordRules, WordTable, wordCutter } from "../../tokenizer/index.ts";
import { openTexts } from "../texts/index.ts";
import { type CountOptions, countTexts } from "./count-texts.ts";

const where = "here";
const rules: WordRules = { kind: "bytes", pattern: "llama3", splitDigits: false };
/** Small enough that a small corpus has many parts and, with little memory, many runs. */
const pace = { stretchBytes: 10_000, runMs: 60_000, worthKeepingMs: 0 };

let folder = "";
let files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-count-"));
  const rng = new Rng(7);
  const line = () =>
    Array.from({ length: 8 }, () => ["w", "é", "日", "🦙", " ", ""][rng.below(6)]! + rng.below(1 + rng.below(4000)).toString(36)).join(" ");
  const lines = (count: number) => Array.from({ length: count }, line);
  files = ["a.txt", "b.jsonl", "c.txt.gz"].map((name) => join(folder, name));
  await writeFile(files[0]!, lines(2000).join("\n"));
  await writeFile(
    files[1]!,
    lines(1000)
      .map((text) => `${JSON.stringify({ text })}\n`)
      .join(""),
  );
  await writeFile(files[2]!, gzipSync(lines(500).join("\n\n")));
  for (const file of files) await utimes(file, changed, changed);
});
/** When all files were changed last. */
const changed = new Date("2026-01-02T03:04:05Z");
afterAll(() => rm(folder, { recursive: true }));

async function listed(counts: WordCounts): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for await (const { bytes, ends, counts: each } of counts.blocks())
    each.forEach((count, i) => found.push([Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!)).toString(), count]));
  return found;
}

async function count(options: CountOptions, wordRules = rules) {
  await using texts = await openTexts(files, {}, { where });
  const counted = await countTexts(texts, wordRules, { where, pace, ...options });
  const words = await listed(counted);
  await counted.remove();
  return { words, textBytes: counted.textBytes };
}

/** What one thread counts by the first of the rules, counted once for all tests: a thread takes as long to start as to count these texts. */
let countedWhole: ReturnType<typeof count> | undefined;
const wholeCount = () => {
  countedWhole ??= count({ threads: 1 });
  return countedWhole;
};

/** The slow meaning: one table in this thread. Lines end parts of files, and no word of these rules and texts reaches across one. */
async function naive(wordRules: WordRules) {
  await using texts = await openTexts(files, {}, { where });
  const table = new WordTable();
  const cut = wordCutter(wordRules);
  for await (const text of texts.documents()) for (const line of text.split(/(?<=\n)/)) cut(line, table);
  return listed(table);
}

test("every number of threads and every limit of memory gives the same counts", async () => {
  const whole = await wholeCount();
  expect(whole.words.length).toBeGreaterThan(2000);
  for (const [threads, memory] of [
    [2, 1e9],
    [3, 200_000],
  ] as const)
    expect(await count({ threads, memory })).toEqual(whole);
});

test.each<[WordRules]>([
  [{ kind: "word" }],
  [{ kind: "sentencepiece", splitDigits: true, splitByUnicodeScript: true, reserved: [], boundary: "\u001f" }],
])("threads with little memory count the words that one table in this thread has: %j", async (wordRules) => {
  const { words } = await count({ threads: 3, memory: 200_000 }, wordRules);
  expect(words).toEqual(await naive(wordRules));
  expect(words.length).toBeGreaterThan(2000);
});

/** Work that is stopped again and again, each time a little further on, gives what work without a stop gives. */
test("Ctrl-C keeps what was counted, and the same call goes on behind it", async () => {
  const kept = join(folder, "stopped");
  const notices: string[] = [];
  const seen: number[] = [];
  for (let stops = 0; stops < 3; stops++) {
    const stop = new AbortController();
    const options: CountOptions = {
      ...{ folder: kept, threads: 2, signal: stop.signal },
      onNotice: (notice) => notices.push(notice),
      onProgress: ({ done }) => {
        seen.push(done);
        stop.abort(new Error("enough"));
      },
    };
    await expect(count(options)).rejects.toThrow("enough");
  }
  expect(seen[0]).toBeLessThan(seen.at(-1)!);
  expect(notices.filter((notice) => notice.includes("what was counted is kept there"))).toHaveLength(3);
  expect(notices.filter((notice) => /: \d+\.\d % of the texts were counted before/.test(notice))).toHaveLength(2);
  expect(await count({ folder: kept, threads: 1 })).toEqual(await wholeCount());
  await expect(readdir(kept)).rejects.toThrow("ENOENT"); // it was removed when it was no longer needed
});

const door = new URL("../index.js", import.meta.url).href;

/** A program of its own that counts into `kept`, a run for every piece, and is killed when so many runs are there. */
async function killed(kept: string, runs: number): Promise<void> {
  const script = `
    const { countTexts, openTexts } = await import(${JSON.stringify(door)});
    const pace = ${JSON.stringify({ ...pace, runMs: 0 })};
    await countTexts(await openTexts(${JSON.stringify(files)}), ${JSON.stringify(rules)}, { folder: ${JSON.stringify(kept)}, threads: 2, pace });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  const isRun = (name: string) => name.endsWith(".words");
  while (child.exitCode === null && (await readdir(kept).catch(() => [])).filter(isRun).length < runs)
    await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill("SIGKILL");
  await exited;
}

test("a program that is killed loses what it had not written, and nothing else", async () => {
  const kept = join(folder, "killed");
  await killed(kept, 3);
  await killed(kept, 6);
  const notices: string[] = [];
  expect(await count({ folder: kept, onNotice: (notice) => notices.push(notice) })).toEqual(await wholeCount());
  expect(notices).toEqual([expect.stringMatching(/^.*killed: \d+\.\d % of the texts were counted before$/)]);
});

test("what a folder keeps is refused for other texts and rules, by name", async () => {
  const kept = join(folder, "refused");
  await killed(kept, 2);
  const manifest = await readFile(join(kept, "manifest.json"), "utf8");
  const refused = async (message: RegExp, options: CountOptions = {}, wordRules = rules) => {
    // What a killed program was writing may go.
    const there = async () => (await readdir(kept)).filter((name) => !name.endsWith(".partial"));
    const before = await there();
    await expect(count({ folder: kept, ...options }, wordRules)).rejects.toThrow(message);
    expect(await there()).toEqual(before);
  };
  await refused(
    /pattern is "gpt2", but the words there were counted with "llama3": give the same again, or remove the folder/,
    {},
    {
      ...{ kind: "bytes", pattern: "gpt2", splitDigits: false },
    },
  );
  await refused(/stretchBytes is 30000, but/, { pace: { ...pace, stretchBytes: 30_000 } });
  const others = files;
  files = others.slice(1);
  await refused(/b\.jsonl stands where .*a\.txt stood/);
  files = others.slice(0, 2);
  await refused(/c\.txt\.gz, whose words were counted there, is not among the files/);
  files = others;
  await utimes(files[0]!, changed, new Date(changed.getTime() + 5000));
  await refused(/a\.txt was changed at .*, but the words were counted as of/);
  await utimes(files[0]!, changed, changed);
  const living = manifest.replace(/"pid": \d+,\s*"started": "\d+"/, `"pid": ${process.ppid}`);
  await writeFile(join(kept, "manifest.json"), living);
  await refused(new RegExp(`process ${process.ppid} counts words there: wait for its end`));
  await writeFile(join(kept, "manifest.json"), manifest);
  for (const other of ["", "{}", manifest.replace('"files"', '"others"'), manifest.replace('"version": 1', '"version": 2')]) {
    await writeFile(join(kept, "manifest.json"), other);
    await refused(/manifest\.json: it says nothing that this version knows: remove the folder .*refused to count anew/);
  }
  await writeFile(join(kept, "manifest.json"), manifest);
  const run = (await readdir(kept)).find((name) => name.endsWith(".words"))!;
  await truncate(join(kept, run), 500);
  await refused(/these counts of words are not whole: remove the folder refused to count anew/);
});

test("a text that is damaged is named with its line, also when a thread reads a part of it", async () => {
  const bad = join(folder, "bad.jsonl");
  await writeFile(bad, `${'{"text":"a"}\n'.repeat(10_000)}no JSON\n`);
  await using texts = await openTexts([bad], {}, { where });
  await expect(countTexts(texts, rules, { where, pace })).rejects.toThrow(/^\[here\] .*bad\.jsonl:10001: the line is not JSON/);
});
