// Recipes, plans and intermediate files that are wrong, gone, cut or changed: each is a clear error that names the file, or what was damaged is not asked for
// and the result is the same. Nothing is lost without a word.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { openTexts } from "../corpus/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { cleanedTexts, openJob, runPhases } from "./index.ts";

const steps = [{ dedupLines: { keep: "first" } }, "dedupNear", { c4Quality: { minSentences: 1, minWords: 2 } }];

/** Documents of a few sentences, of which every third is an earlier one with more behind it. */
function someLines(count: number): string {
  const rng = new Rng(51);
  const word = () => Array.from({ length: 2 + rng.below(7) }, () => String.fromCharCode(0x61 + rng.below(26))).join("");
  const sentence = () => `${Array.from({ length: 12 }, word).join(" ")}.`;
  const texts: string[] = [];
  while (texts.length < count)
    texts.push(texts.length % 3 === 2 ? `${texts.at(-2)}\nand ${word()} more.` : Array.from({ length: 8 }, sentence).join("\n"));
  return texts.map((text) => `${JSON.stringify({ text })}\n`).join("");
}

async function jobIn(folder: string) {
  const web = { name: "web", weight: 1, paths: "*.jsonl", steps };
  return (await openJob([web], { folder, work: join(folder, "work"), stretchBytes: 8000 })).job;
}

/** Runs what is not done. @returns the cleaned documents, as their reader finds them, and how many there are */
async function result(folder: string): Promise<string> {
  const job = await jobIn(folder);
  await runPhases(job, { threads: 1 });
  const [cleaned] = await cleanedTexts(job);
  await using texts = await openTexts(cleaned?.files ?? [], { format: "jsonl" });
  const found: string[] = [];
  for await (const text of texts.documents()) found.push(text);
  return `${found.join("\n\n")}${JSON.stringify(cleaned?.report.kept)}`;
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** "pass-0 .keys" and the like. */
function kindOf(path: string, work: string): string {
  const [, , , phase = ""] = path.slice(work.length).split("/");
  return `${phase} ${path.slice(path.indexOf(".", work.length))}`;
}

const damages: readonly (readonly [name: string, change: (bytes: Buffer) => Buffer])[] = [
  ["emptied", () => Buffer.alloc(0)],
  ["cut in half", (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ["cut by a byte", (bytes) => bytes.subarray(0, -1)],
  ["cut to its first line", (bytes) => bytes.subarray(0, bytes.indexOf("\n") + 1)],
  ["longer", (bytes) => Buffer.concat([bytes, Buffer.from("x")])],
  ["of other bytes", (bytes) => Buffer.alloc(bytes.length, 0xff)],
  ["another JSON", () => Buffer.from("[1]\n")],
  ["another JSON in its first line", (bytes) => Buffer.concat([Buffer.from("[1]"), bytes.subarray(Math.max(0, bytes.indexOf("\n")))])],
];

const phases = ["pass-0", "compare-0", "pass-1", "compare-1", "join-1", "pass-2"];

test("intermediate files that are damaged are named, or change nothing", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "a.jsonl"), someLines(60));
    const whole = await result(folder);
    const work = join(folder, "work");
    // One file of each kind and phase.
    const paths = [...new Map((await filesUnder(work)).sort().map((path) => [kindOf(path, work), path])).values()];
    expect(paths.length).toBeGreaterThan(15);
    const wrong: string[] = [];
    for (const path of paths) {
      const bytes = await readFile(path);
      const phase = phases.findIndex((name) => path.includes(`/${name}/`));
      let told = 0;
      for (const [name, change] of damages) {
        // What was made of the file is made again.
        for (const later of phases.slice(phase + 1))
          await rm(join(path.slice(0, path.indexOf(`/${phases[phase]}/`)), later), { recursive: true, force: true });
        await writeFile(path, change(bytes));
        const found = await result(folder).catch((error: unknown) => error);
        if (found instanceof CriaError) told++;
        else if (found !== whole)
          wrong.push(`${path.slice(work.length)} ${name}: ${found instanceof Error ? found.stack : "other documents"}`);
        await writeFile(path, bytes);
      }
      if (told < 4) wrong.push(`${path.slice(work.length)}: told ${told} times of ${damages.length}`);
      await result(folder);
    }
    expect(wrong).toEqual([]);
  });
});
