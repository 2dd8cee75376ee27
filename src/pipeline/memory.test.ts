// A run in little memory makes what one in much memory makes, and takes no more than it may.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { KeyList } from "../clean/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { slicesOf } from "./compare.ts";
import { cleanedTexts, openJob, openSources, phasesOf, runPhases } from "./index.ts";
import { findKeys, KeyWriter } from "./keys.ts";
import { MarkStream, writeMarks } from "./marks.ts";
import { joinBytesOf, tableBytesOf, taskBytesOf, threadsWithin } from "./memory.ts";
import { mergePairs, PairWriter, pairRunsOf } from "./pairs.ts";
import { fileOf, gatheredFileOf } from "./phases.ts";
import { runTask } from "./run-task.ts";

const steps = [{ dedupLines: { keep: "first" } }, "dedupNear", { dedupLines: { keep: "none" } }];

/** Documents of short lines, most of which stand elsewhere, too, and copies with a word more. */
function someDocuments(count: number): string[] {
  const rng = new Rng(7);
  const documents: string[] = [];
  while (documents.length < count) {
    const earlier = documents[rng.below(4 * documents.length + 1)];
    documents.push(
      earlier === undefined ? Array.from({ length: 1 + rng.below(60) }, () => rng.below(3000).toString(36)).join("\n") : `${earlier} again`,
    );
  }
  return documents.map((text) => text.replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? ""));
}

async function cleanedIn(folder: string, work: string, taskBytes: number) {
  const source = { name: "web", weight: 1, paths: "*.jsonl", steps };
  const { job } = await openJob([source], { folder, work: join(folder, work), taskBytes });
  await runPhases(job, { threads: 1 });
  const [cleaned] = await cleanedTexts(job);
  const files = await Promise.all((cleaned?.files ?? []).map((file) => readFile(file, "utf8")));
  return { job, text: files.join("") };
}

test("what memory holds changes no document that stays", async () => {
  await withFolder(async (folder) => {
    const documents = someDocuments(600);
    await writeFile(join(folder, "a.jsonl"), documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const usual = await cleanedIn(folder, "usual", taskBytesOf());
    expect(usual.text.split("\n").length).toBeGreaterThan(10);
    const little = await cleanedIn(folder, "little", 12_000);
    expect(little.text).toBe(usual.text);
    // There were several runs of keys, and more keys in a partition than a table has room for.
    const [opened] = await openSources(little.job);
    const [pass] = phasesOf([opened!]);
    const path = gatheredFileOf(fileOf(little.job, pass!, opened!.source, 0), opened!.stages[0]!.behind);
    const keys = await findKeys(path, 0, { partitions: opened!.partitions, bands: 0, partitionBits: 32 });
    expect(keys.runs.length).toBeGreaterThan(3);
    expect(slicesOf(keys.count, 9, 6000).slices).toBeGreaterThan(1);
    // A run is written behind the document that fills it.
    const [mostKeys, mostLines] = [12_000 / 32, Math.max(...documents.map((text) => text.split("\n").length))];
    for (const { keys: count } of keys.runs) expect(count).toBeLessThanOrEqual(mostKeys + mostLines);
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps };
    await expect(openJob([source], { folder, work: join(folder, "little"), memory: 640e6 })).rejects.toThrow(
      /its tasks take 40 MB of memory each, but took 12 kB when it was begun by a run of other memory: undo that/,
    );
  });
});

test("threads are as many as memory is for, and what is too little is refused with what is needed", () => {
  expect(taskBytesOf()).toBe(taskBytesOf(64e9));
  for (const memory of [1e9, 2 ** 30]) expect(taskBytesOf(memory)).toBe(taskBytesOf());
  expect(taskBytesOf(320e6)).toBe(20e6);
  expect(taskBytesOf(1)).toBe(2 ** 20);
  const need = { memory: 1e9, taskBytes: taskBytesOf(1e9), models: 0 };
  expect(threadsWithin(1, need)).toBe(1);
  const most = threadsWithin(64, need);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(64);
  expect(threadsWithin(64, { ...need, models: 300e6 })).toBeLessThan(most);
  expect(() => threadsWithin(2, { ...need, models: 1e9 })).toThrow(
    /the run may take 1 GB of memory, but needs 1\.\d+ GB: \d+ MB for the program, 1 GB for the models of its steps, \d+ MB for a thread: allow that much/,
  );
});

test("marks of other keys than a task's are refused, and are not taken for its own", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "x.marks");
    const rng = new Rng(5);
    const isMarked = Array.from({ length: 5000 }, () => rng.below(2) === 1);
    const bits = new Uint8Array(3 + 625);
    for (const [i, mark] of isMarked.entries()) if (mark) bits[3 + (i >> 3)]! |= 1 << (i & 7);
    await writeMarks(path, { counts: Uint32Array.of(17, 5000), bits });
    const marks = await MarkStream.open(path, 1, 16);
    expect(isMarked.map(() => marks.take())).toEqual(isMarked);
    marks.end();
    expect(() => marks.take()).toThrow(/x\.marks: it has marks for 5000 keys of a task, which has more: files of different runs are mixed/);
    const few = await MarkStream.open(path, 0, 16);
    few.take();
    expect(() => few.end()).toThrow(/it has marks for 17 keys of a task, which has 1: files of different runs are mixed/);
    await expect(MarkStream.open(path, 2, 16)).rejects.toThrow(
      /its numbers of marks have the CRC-32 \w{8}, but were written with \w{8}: remove it/,
    );
  });
});

test("pairs of many runs come in one order, each once", async () => {
  await withFolder(async (folder) => {
    const rng = new Rng(11);
    const expected = new Set<bigint>();
    const runs = [];
    for (const name of ["a", "b", "c"]) {
      await using writer = await PairWriter.open(join(folder, name), 800);
      for (let i = 0; i < 1000; i++) {
        const [earlier, later] = [rng.below(40), 2 ** 32 - 1 - rng.below(40)];
        writer.add(earlier, later);
        await writer.settle();
        expected.add((BigInt(earlier) << 32n) | BigInt(later));
      }
      await writer.finish();
      runs.push(...(await pairRunsOf(join(folder, name))));
    }
    expect(runs.length).toBe(30);
    const merged: bigint[] = [];
    for await (const some of mergePairs(runs, 7)) merged.push(...some);
    expect(merged).toEqual([...expected].sort((a, b) => (a < b ? -1 : 1)));
  });
});

test("what is given up leaves no file of keys", async () => {
  await withFolder(async (folder) => {
    const keys = new KeyList();
    keys.add(1, 2);
    {
      await using writer = await KeyWriter.open(join(folder, "x.keys"), { partitions: 1, bands: 0, partitionBits: 32 });
      await writer.writeRun(keys);
    }
    await expect(findKeys(join(folder, "x.keys"), 0, { partitions: 1, bands: 0, partitionBits: 32 })).rejects.toThrow(/no such file/);
  });
});

test("joining takes no more than the program, the models and all threads leave", async () => {
  const need = { memory: 2e9, taskBytes: taskBytesOf(), models: 3e8 };
  expect(joinBytesOf(4, need)).toBe(2e9 - 3e8 - 200e6 - 4 * 180e6 - need.taskBytes);
  expect(joinBytesOf(0, need)).toBe(joinBytesOf(1, need));
  expect(joinBytesOf(64, need)).toBe(0);
  await withFolder(async (folder) => {
    const documents = Array.from(
      { length: 100 },
      (_, i) => `${"one text of some words which stands here ".repeat(3)}${i % 2 === 0 ? "twice" : i}`,
    );
    await writeFile(join(folder, "a.jsonl"), documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupNear"] };
    const { job, sources } = await openJob([source], { folder, work: join(folder, "work") });
    const phases = phasesOf(sources);
    for (let phase = 0; phases[phase]!.kind !== "join"; phase++) await runPhases(job, { threads: 1, phase }, sources);
    const phase = phases.find(({ kind }) => kind === "join")!;
    const joined = (joinBytes: number) => runTask(job, sources[0]!, { phase, task: phase.tasks[0]!, tableBytes: 1e6, joinBytes });
    await expect(joined(400)).rejects.toThrow(
      /source "web": joining 100 documents that are like others, of 100, takes 843 B, but .* leave 400 B: allow 443 B more, or fewer threads/,
    );
    await joined(843);
  });
});

test("hash tables take what the run has left, and never less than a task's share", () => {
  const taskBytes = taskBytesOf();
  const need = (memory: number) => ({ memory, taskBytes, models: 1e9 });
  expect(tableBytesOf(16, need(2e9))).toBe(taskBytes / 2);
  expect(tableBytesOf(16, need(32e9))).toBe(Math.floor(((32e9 - 1e9 - 200e6) / 16 - 180e6) / 2));
  // A group of a thirty-third of a dump has 16 million lines in each of 1,024 partitions: nine bytes per place.
  expect(slicesOf(16e6, 9, tableBytesOf(16, need(2e9))).slices).toBeGreaterThan(4);
  expect(slicesOf(16e6, 9, tableBytesOf(16, need(32e9))).slices).toBe(1);
});
