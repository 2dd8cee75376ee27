// A recipe that changes while its work folder is there: what does not depend on the change is kept, the result is that of a fresh folder, and runs by two
// recipes never mix.
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteTokenizer } from "../batches/byte-tokenizer.test.helper.ts";
import { parseDataRecipe } from "../corpus/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openRecipeJob, phasesOf, prepareRecipe, runPhases } from "./index.ts";

interface Row {
  readonly name: string;
  readonly weight: number;
  readonly steps?: readonly object[];
}

const [dedup, fewer] = [{ dedupDocuments: {} }, { length: { minCharacters: 60 } }];
const [books, web, wiki]: readonly [Row, Row, Row] = [
  { name: "books", weight: 1, steps: [dedup] },
  { name: "web", weight: 2, steps: [dedup] },
  { name: "wiki", weight: 1 },
];

async function writeTexts(folder: string): Promise<void> {
  const rng = new Rng(71);
  for (const { name } of [books, web, wiki]) {
    await mkdir(join(folder, name));
    const texts = Array.from({ length: 30 }, () => `${name} has ${"a llama and ".repeat(1 + rng.below(4))}${rng.below(50)} goats.`);
    await writeFile(join(folder, name, "a.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  }
}

const recipeOf = (...sources: readonly Row[]) =>
  parseDataRecipe({ sources: sources.map((source) => ({ paths: `${source.name}/*.jsonl`, ...source })), heldOut: 0.2 });

/** Prepares a recipe. @returns what was told of the change, and the bytes of the prepared folder */
async function prepared(folder: string, work: string, ...sources: readonly Row[]) {
  const told: string[] = [];
  const [out, onChange] = [join(folder, `${work}.out`), (sentence: string) => told.push(sentence)];
  await rm(out, { recursive: true, force: true });
  await prepareRecipe(recipeOf(...sources), byteTokenizer, out, { folder, work: join(folder, work), threads: 1, onChange });
  const names = (await readdir(out)).sort();
  const bytes = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(out, name), "base64")])));
  return { told: told.map((sentence) => sentence.replaceAll(join(folder, work), "WORK").replace(/[0-9a-f]{12}/g, "ID")), bytes };
}

/** When each file of a work folder was written, but for the plan. */
async function times(work: string): Promise<Readonly<Record<string, number>>> {
  const entries = (await readdir(work, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => !path.endsWith("plan.json"));
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(work.length + 1), (await stat(path)).mtimeMs])));
}

const sourcesOf = (paths: readonly string[]) => [...new Set(paths.map((path) => path.split("/")[0]))].sort();

test("only what depends on a change is made anew, to the bytes of a fresh folder", async () => {
  await withFolder(async (folder) => {
    await writeTexts(folder);
    const work = join(folder, "work");
    let fresh = 0; // counts changes, every third of which is held against a fresh folder
    let before = {};
    /** Prepares a changed recipe in the same folder. @returns what was told, and the sources of which files are new */
    const change = async (...sources: readonly Row[]) => {
      const { told, bytes } = await prepared(folder, "work", ...sources);
      if (fresh++ % 3 === 1) expect(bytes).toEqual((await prepared(folder, `fresh-${fresh}`, ...sources)).bytes);
      const after = await times(work);
      expect(after).toMatchObject(before); // what was done stays as it is
      const made = Object.keys(after).filter((path) => !(path in before));
      before = after;
      return { told, made: sourcesOf(made), tokensOnly: made.every((path) => path.includes("/tokens-")) };
    };
    expect(await change(books, web, wiki)).toMatchObject({ told: [], made: ["books", "web", "wiki"] });

    const stricter = { ...web, steps: [dedup, fewer] };
    const changed = await change(books, stricter, wiki);
    expect(changed.made).toEqual(["web"]);
    expect(changed.told).toEqual([
      'WORK: the steps of source "web" changed since it was begun: it is made anew; what was made of it before stays in WORK/web/ID until you remove it',
      "WORK: what is done of the other sources is kept: books",
    ]);

    expect(await change({ ...books, weight: 5 }, stricter, wiki)).toMatchObject({ told: [], made: [] });

    const without = await change(stricter, wiki);
    expect(without).toMatchObject({ made: [] });
    expect(without.told).toContain(
      'WORK: source "books" is not in the recipe any more; what was made of it before stays in WORK/books/ID until you remove it',
    );
    const back = await change(wiki, web, books);
    expect(back).toMatchObject({ made: [] });
    expect(back.told[0]).toMatch(/the steps of source "web" changed .*: what was done of it as it is now is taken up again; what was made/);
    expect(back.told[1]).toBe('WORK: source "books" is new since it was begun: what was done of it as it is now is taken up again');

    await writeFile(join(folder, "wiki", "b.jsonl"), '{"text":"one more, which has no steps"}\n');
    expect(await change(wiki, web, books)).toMatchObject({ told: [], made: ["wiki"] });
    await writeFile(join(folder, "books", "b.jsonl"), '{"text":"one more, which has steps"}\n');
    const longer = await change(wiki, web, books);
    expect(longer.made).toEqual(["books"]);
    expect(longer.told[0]).toMatch(/books\/b\.jsonl of source "books" is new, gone or changed since it was begun: it is made anew; what/);
  });
});

test("a machine of many does the work as it was begun or refuses, and a run whose folder another one takes over stops", async () => {
  await withFolder(async (folder) => {
    await writeTexts(folder);
    const places = { folder, work: join(folder, "work") };
    const [first, other] = [recipeOf(books, web), recipeOf(books, { ...web, steps: [fewer] })];
    const begun = (await openRecipeJob(first, places))!;
    const ofMany = { ...places, isOneOfMany: true };
    await expect(openRecipeJob(other, ofMany)).rejects.toThrow(
      /work: the steps of source "web" changed since it was begun: undo that, or, when no machine does the work as it was begun any more/,
    );
    await expect(openRecipeJob(recipeOf(books), ofMany)).rejects.toThrow(/source "web" is not in the recipe any more/);
    await expect(openRecipeJob(recipeOf(web, books), ofMany)).rejects.toThrow(/its sources stand in another order/);
    await expect(openRecipeJob(recipeOf(books, web, { ...wiki, steps: [] }), ofMany)).rejects.toThrow(/source "wiki" is new/);

    const running = { threads: 1, phase: 0, shard: { index: 0, count: 1 } };
    const taken: unknown[] = [];
    const takeOver = async () => taken.push(await openRecipeJob(other, places));
    // Another run takes the folder over when this one has done its first task.
    const progress = () => void (taken.length === 0 && taken.push(takeOver()));
    const sources = await Promise.all(begun.sources);
    await runPhases(begun.job, { ...running, progress }, sources).catch(() => undefined);
    await Promise.all(taken);
    await expect(runPhases(begun.job, running, sources)).rejects.toThrow(
      /work: another run has taken the folder over, and by its recipe the steps of source "web" changed since it was begun: what this run has done/,
    );
    const { job, sources: now } = (await openRecipeJob(other, ofMany))!;
    for (const phase of phasesOf(now).keys()) await runPhases(job, { ...running, phase }, now);
    await rm(join(places.work, "plan.json"));
    await expect(runPhases(job, running, now)).rejects.toThrow(/plan\.json: no such file/);
  });
});
