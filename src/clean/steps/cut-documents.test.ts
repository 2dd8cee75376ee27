// Documents that are cut are whole together, each knows where it began, and the steps behind see the parts alone.
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { CleanDocument, openStages } from "../index.ts";

test("parts are never too long, stand where they say, and are all of the text but for white space", async () => {
  const [stage] = await openStages([{ cutDocuments: { maxCharacters: 100 } }]);
  const rng = new Rng(1);
  for (let round = 0; round < 300; round++) {
    const words = ["a", "bcdef ", " ", "\n", "\n\n", "𝒳", "ghi jkl", "    indented\n", "m".repeat(rng.below(250))];
    const text = Array.from({ length: rng.below(120) }, () => words[rng.below(words.length)]).join("");
    const parts = [...(stage?.cut?.step.parts(new CleanDocument(text, { url: "u" })) ?? [])];
    expect(
      parts
        .map((part) => part.text)
        .join("")
        .replace(/\s/g, ""),
    ).toBe(text.replace(/\s/g, ""));
    for (const { text: part, facts } of parts) {
      expect(part.length).toBeLessThanOrEqual(Math.max(100, text.length <= 100 ? text.length : 0));
      expect(part).not.toMatch(/\p{Surrogate}/u);
      expect(text.startsWith(part, Number(facts.at ?? 0))).toBe(true);
      expect(facts.url).toBe("u");
    }
  }
});

test("a part of a part counts from the document, and the first line's indentation stays", async () => {
  const [stage] = await openStages(["cutDocuments"]);
  const document = new CleanDocument(`${"x".repeat(7000)}\n\n    y${"z".repeat(4000)}`, { at: 50 });
  const parts = [...(stage?.cut?.step.parts(document) ?? [])];
  expect(parts.map(({ text, facts }) => [text.slice(0, 5), text.length, facts.at])).toEqual([
    ["xxxxx", 7000, 50],
    ["    y", 4005, 7052],
  ]);
});

test("a cut begins a pass, but for one that is first", async () => {
  const shape = async (...steps: string[]) =>
    (await openStages(steps)).map(({ cut, before, chain, behind }) =>
      [cut?.row.name, before?.row.name, chain.steps.length, behind?.row.name].map((part) => part ?? "-").join(" "),
    );
  expect(await shape("cutDocuments", "length")).toEqual(["cutDocuments - 1 -"]);
  expect(await shape("length", "cutDocuments", "length")).toEqual(["- - 1 -", "cutDocuments - 1 -"]);
  expect(await shape("dedupDocuments", "cutDocuments", "dedupLines")).toEqual([
    "- - 0 dedupDocuments",
    "- dedupDocuments 0 -",
    "cutDocuments - 0 dedupLines",
    "- dedupLines 0 -",
  ]);
});
