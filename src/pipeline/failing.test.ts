// Steps that fail and threads that end: a clear stop that names the document, and the same bytes once the cause is gone.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openJob, runPhases } from "./index.ts";

/** A recipe's own step, which does something at the document that says "here". */
function step(act: string): string {
  return `export default { name: "own", summary: "", source: "", reasons: {}, deeds: [], parameters: { safeParse: (data) => ({ success: true, data }) },
    open: () => ({ apply(document) { if (document.text === "here") { ${act} } return document; } }) };`;
}

test.each([
  ["process.exit(7)", 2, /a\.jsonl#3: a thread that cleans documents has ended/],
  ["null.text", 1, /a\.jsonl#3: the step own fails: Cannot read properties of null \(reading 'text'\)/],
] as const)("a step that does %s ends the run, which has %i threads", async (act, threads, message) => {
  await withFolder(async (folder) => {
    const texts = ["one", "two", "three", "here", "four"];
    await writeFile(join(folder, "a.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    await writeFile(join(folder, "b.jsonl"), `${JSON.stringify({ text: "five" })}\n`);
    await writeFile(join(folder, "own.mjs"), step(act));
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: ["./own.mjs"] };
    const { job, sources } = await openJob([source], { folder, work: join(folder, "work") });
    await expect(runPhases(job, { threads }, sources)).rejects.toThrow(message);
  });
});

test.each([
  ["undefined", /a\.jsonl#1: the step own gives no outcome but undefined: return the document/],
  ['{ reason: "other" }', /a\.jsonl#1: the step own drops a document by the reason "other", but its reasons are twice: add a sentence/],
])("a step over all documents that gives %s ends the run", async (given, message) => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "a.jsonl"), ["one", "here"].map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const module = `export default { name: "own", summary: "", source: "", reasons: { twice: "" }, deeds: [], parameters: { safeParse: (data) => ({ success: true, data }) },
      openCorpus: () => ({ marks: "later copies", groups: 1, addKeys: ({ text }, keys) => keys.add(text.length, 0),
        decide: (document) => document.text === "here" ? ${given} : document }) };`;
    await writeFile(join(folder, "own.mjs"), module);
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: ["./own.mjs"] };
    const { job, sources } = await openJob([source], { folder, work: join(folder, "work") });
    await expect(runPhases(job, { threads: 1 }, sources)).rejects.toThrow(message);
  });
});
