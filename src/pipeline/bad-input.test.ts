// Recipes whose files are not there, vanish or change while a job runs, and plans that are cut: each is a clear stop that names the file. Damaged intermediate
// files are in bad-input.long.test.ts.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDataRecipe } from "../corpus/index.ts";
import { writeCheckedJson } from "../files/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { cleanedTexts, openJob, openRecipeJob, phasesOf, runPhases } from "./index.ts";

const web = { name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupDocuments"] };

async function written(folder: string): Promise<string> {
  const path = join(folder, "a.jsonl");
  await writeFile(path, '{"text":"a llama"}\n{"text":"a llama"}\n{"text":"another"}\n');
  return path;
}

const jobIn = (folder: string) => openJob([web], { folder, work: join(folder, "work") });

test.each([
  [{ sources: [{ paths: "*.jsonl", step: ["length"] }] }, /unknown key "step" in sources\[0\], did you mean "steps"/],
  [
    { sources: [{ paths: "*.jsonl", steps: [{ length: { minCharacter: 3 } }] }] },
    /steps\[0\]\.length: unknown key "minCharacter".*minCharacters/,
  ],
  [{ sources: [{ paths: "nothing/*.jsonl", steps: ["length"] }] }, /nothing\/\*\.jsonl/],
  [{ sources: [{ paths: "gone.jsonl", steps: ["length"] }] }, /gone\.jsonl.*no such file/],
  [
    { sources: [{ paths: "*.jsonl", steps: [{ blockWords: { list: "gone.txt" } }] }] },
    /steps name what is not there: .*gone\.txt \(source/,
  ],
  [{ sources: [{ paths: "*.jsonl", steps: ["./gone.mjs"] }] }, /gone\.mjs/],
])("a recipe that is wrong is refused with its place: %j", async (recipe, message) => {
  await withFolder(async (folder) => {
    await written(folder);
    const open = async () => openRecipeJob(parseDataRecipe(recipe), { folder, work: join(folder, "work") });
    await expect(open()).rejects.toThrow(message);
    await expect(readFile(join(folder, "work", "plan.json"))).rejects.toThrow("ENOENT");
  });
});

test("all files of steps that are not there are named at once, before any text is looked for", async () => {
  await withFolder(async (folder) => {
    const list = (file: string) => [{ blockWords: { list: file } }];
    const source = { weight: 1, paths: "none/*.jsonl" };
    const sources = [
      { ...source, name: "one", steps: list("a.txt") },
      { ...source, name: "two", steps: list("b.txt") },
    ];
    await expect(openJob(sources, { folder, work: join(folder, "work") })).rejects.toThrow(
      `steps name what is not there: ${join(folder, "a.txt")} (source "one"), ${join(folder, "b.txt")} (source "two"): put it there`,
    );
  });
});

test("a file that vanishes or changes before it is read stops the run, and one that was read is needed no more", async () => {
  await withFolder(async (folder) => {
    const path = await written(folder);
    const { job, sources } = await jobIn(folder);
    await writeFile(path, '{"text":"other"}\n');
    await expect(runPhases(job)).rejects.toThrow(
      /a\.jsonl: it has 17 bytes of .*, but had 57 of .* when the work was begun: bring it back/,
    );
    await rm(path);
    await expect(runPhases(job)).rejects.toThrow(/a\.jsonl: no such file/);
    await expect(cleanedTexts(job)).rejects.toThrow(/no such file/);
    await rm(join(folder, "work"), { recursive: true });
    await written(folder);
    const { job: again } = await jobIn(folder);
    await runPhases(again, { phase: 0 });
    await rm(path);
    for (let phase = 1; phase < phasesOf(sources).length; phase++) await runPhases(again, { phase });
    const [cleaned] = await cleanedTexts(again);
    expect(cleaned?.report).toMatchObject({ read: { documents: 3 }, kept: { documents: 2 } });
  });
});

test("a plan that is cut, changed or of other JSON is refused", async () => {
  await withFolder(async (folder) => {
    await written(folder);
    await jobIn(folder);
    const path = join(folder, "work", "plan.json");
    const whole = await readFile(path, "utf8");
    for (const content of ["", "{}", "[1]", whole.slice(0, whole.length >> 1), whole.replace(/"bytes": 57/, '"bytes": 58')]) {
      await writeFile(path, content);
      await expect(jobIn(folder)).rejects.toThrow(
        /plan\.json: (it does not begin and end as|its bytes have).*: remove the folder to begin anew/,
      );
    }
    await writeCheckedJson(path, [1]);
    await expect(jobIn(folder)).rejects.toThrow(/plan\.json: it says nothing that this version knows: remove the folder to begin anew/);
    await writeFile(path, whole);
    await jobIn(folder);
  });
});
