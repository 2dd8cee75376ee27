// Tokens by tasks against tokens in one go: the same ones in the same order, whatever the parts, machines and stops.
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteTokenizer as bytes } from "../batches/byte-tokenizer.test.helper.ts";
import type { TextTokenizer } from "../batches/index.ts";
import { type DataRecipe, PreparedData, parseDataRecipe, prepare, verifyPrepared } from "../corpus/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { cleanRecipe, openRecipeJob, prepareRecipe, runPhases, TokenPhase } from "./index.ts";

/** The same pieces, but capitals are made small. */
const small: TextTokenizer = { ...bytes, encode: (text, marks) => bytes.encode(text.toLowerCase(), marks) };

/** Three files that are cleaned, and two that are not. */
async function writeRecipe(folder: string): Promise<DataRecipe> {
  const rng = new Rng(21);
  const document = (name: string) => `The ${name} of ${rng.below(1e6)} walked to the water, and ${rng.below(1e6)} others with it.`;
  await mkdir(join(folder, "plain"));
  for (const file of ["a", "b", "c"]) {
    const texts = Array.from({ length: 150 }, () => (rng.below(4) === 0 ? "short" : document("Llama")));
    await writeFile(join(folder, `${file}.jsonl`), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  }
  for (const file of ["d", "e"])
    await writeFile(join(folder, "plain", `${file}.txt`), Array.from({ length: 80 }, () => document("goat")).join("\n\n"));
  return parseDataRecipe({
    sources: [
      { name: "web", weight: 2, paths: "*.jsonl", steps: [{ length: { minCharacters: 20 } }, "dedupDocuments"] },
      { name: "plain", weight: 1, paths: "plain/*.txt", separator: "blank-lines" },
    ],
    heldOut: 0.1,
    shardTokens: 5000,
  });
}

/** Every token and every origin, source by source, and the held-out part. */
async function contents(folder: string) {
  await using data = await PreparedData.open(folder);
  const tokens = await Promise.all(
    [...data.sources.map((source) => source.tokens), data.heldOut!].map(async (store) => [...(await store.read(0, store.length))]),
  );
  const origins = await Promise.all(
    data.manifest.sources.flatMap(({ origins }) => origins!.files).map((name) => readFile(join(folder, name), "latin1")),
  );
  const lines = origins.flatMap((text) => text.match(/\{.*\}/g) ?? []);
  return { tokens, origins: lines, heldOut: await readFile(join(folder, "held-out.jsonl"), "utf8") };
}

async function files(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "base64")])));
}

test("tokens by tasks are those in one go, and the same bytes for any machines, also where two do the same at once", async () => {
  await withFolder(async (folder) => {
    const recipe = await writeRecipe(folder);
    const { recipe: ready } = await cleanRecipe(recipe, { folder, work: join(folder, "once") });
    await prepare(ready, bytes, join(folder, "in-one-go"), { folder });
    const places = (work: string) => ({ folder, work: join(folder, work), partBytes: 5_000 });
    await prepareRecipe(recipe, bytes, join(folder, "by-tasks"), places("alone"));
    expect(await contents(join(folder, "by-tasks"))).toEqual(await contents(join(folder, "in-one-go")));

    const shared = (await openRecipeJob(recipe, places("shared")))!;
    const open = () => TokenPhase.open(recipe, shared, bytes, places("shared"));
    await using early = await open();
    await expect(early.run()).rejects.toThrow(/phase 3 needs phase 2, of which 3 of 3 tasks are not done/);
    await runPhases(shared.job);
    const machines = [await open(), await open(), await open()];
    expect(machines[0]!.parts.map(({ source }) => source)).toEqual([0, 0, 0, 1, 1]);
    await expect(machines[0]!.join(join(folder, "shards"))).rejects.toThrow(
      /5 of 5 tasks that make tokens are not done: run their phase first/,
    );
    const shard = (index: number) => ({ index, count: 2 });
    await Promise.all([machines[0]!.run(shard(1)), machines[1]!.run(shard(0)), machines[2]!.run(shard(0))]);
    await machines[0]!.join(join(folder, "shards"));
    for (const machine of machines) await machine[Symbol.asyncDispose]();
    expect(await files(join(folder, "shards"))).toEqual(await files(join(folder, "by-tasks")));
    expect(await verifyPrepared(join(folder, "shards"))).toMatchObject({ hasChecksums: true });
    expect((await stat(join(folder, "shards", "web-00000.tokens"))).nlink).toBe(2); // Not copied, where there are links.
  });
});

test("what a stop left of the tokens is gone on with, and tokens of another tokenizer are not taken for it", async () => {
  await withFolder(async (folder) => {
    const recipe = await writeRecipe(folder);
    const places = { folder, work: join(folder, "work"), partBytes: 5_000 };
    const make = (tokenizer: TextTokenizer, out: string) => prepareRecipe(recipe, tokenizer, join(folder, out), places);
    await make(bytes, "whole");
    const paths = (await readdir(places.work, { recursive: true })).filter((path) => /tokens-.*json$/.test(path)).sort();
    expect(paths.map((path) => basename(path))).toEqual(["00000.json", "00001.json", "00000.json", "00001.json", "00002.json"]);
    const tasks = paths.map((path) => join(places.work, path));
    const times = async () => Promise.all(tasks.map(async (task) => (await stat(task).catch(() => undefined))?.mtimeMs));
    await rm(tasks[2]!);
    const before = await times();
    await make(bytes, "again");
    const after = await times();
    expect(after[2]).toBeGreaterThan(0);
    expect(after.with(2, undefined)).toEqual(before);
    expect(await files(join(folder, "again"))).toEqual(await files(join(folder, "whole")));
    await make(small, "small");
    expect((await contents(join(folder, "small"))).tokens[0]).not.toContain("L".charCodeAt(0) + 2);
    expect((await contents(join(folder, "again"))).tokens[0]).toContain("L".charCodeAt(0) + 2);
    await writeFile(tasks[1]!, "{");
    await expect(make(bytes, "damaged")).rejects.toThrow(/00001\.json.*: remove it, and run the command again/);
    expect(await readdir(folder)).not.toContain("damaged");
  });
});

test("a source of which no document stays is refused with the reasons", async () => {
  await withFolder(async (folder) => {
    const recipe = await writeRecipe(folder);
    const sources = recipe.sources.map((source) => (source.steps ? { ...source, steps: [{ length: { minCharacters: 1000 } }] } : source));
    const prepared = prepareRecipe({ ...recipe, sources }, bytes, join(folder, "out"), { folder, work: join(folder, "work") });
    await expect(prepared).rejects.toThrow(/source "web": none of its 450 documents stays: length\.short dropped 450: change its steps/);
  });
});
