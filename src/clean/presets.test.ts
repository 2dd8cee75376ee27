// Presets: what they expand to is what the corpora's own programs do, and a recipe may name them.
import { expect, test } from "vitest";
import type { z } from "zod";
import {
  CleanDocument,
  expandPresets,
  isDropped,
  isStatisticStep,
  KeyList,
  openStages,
  presetSteps,
  presets,
  stepFilesOf,
} from "./index.ts";

const namesIn = (entries: ReturnType<typeof expandPresets>) =>
  entries.map((entry) => (typeof entry === "string" ? entry : Object.keys(entry)[0]));

test("a preset stands among steps, and its files are those of its steps", async () => {
  const entries = ["length", { preset: "c4", languageModel: "lid.bin", badWords: "words.txt" }, "maskPersonal"];
  expect(namesIn(expandPresets(entries))).toEqual([
    ...["length", "c4Quality", "dedupLines", "c4Quality", "language", "blockWords", "maskPersonal"],
  ]);
  expect(await stepFilesOf(entries)).toEqual(["lid.bin", "words.txt"]);
  expect(namesIn(expandPresets([{ preset: "c4", languageModel: "lid.bin" }]))).not.toContain("blockWords");
});

test("every parameter of a preset has a sentence", () => {
  for (const { name, parameters } of presets)
    for (const [key, schema] of Object.entries(parameters.shape)) expect((schema as z.ZodType).description, `${name}.${key}`).toBeTruthy();
});

test("every preset's steps are steps with parameters of theirs", async () => {
  expect(presets.map(({ name }) => name)).toEqual(["redpajama", "c4", "c4-datatrove", "gopher", "fineweb"]);
  for (const preset of presets) expect(await stepFilesOf(presetSteps(preset), { name: preset.name })).toBeInstanceOf(Array);
});

const story = "The llamas of the hill have walked to the water with their young. They drank of it and slept. That is what they do.";

async function through(steps: readonly (string | Record<string, unknown>)[], text: string): Promise<string> {
  let document = new CleanDocument(text);
  for (const { chain } of await openStages(steps)) {
    const { outcome } = chain.apply(document);
    if (isDropped(outcome)) return outcome.reason;
    document = outcome;
  }
  return document.text;
}

test("C4's generator and datatrove differ in what they keep of a page", async () => {
  const [generator, datatrove] = ["c4", "c4-datatrove"].map((name) =>
    presetSteps(presets.find((one) => one.name === name)!).filter((entry) => !/blockWords|language/.test(JSON.stringify(entry))),
  );
  expect(await through(generator!, story)).toBe(story);
  expect(await through(datatrove!, story)).toBe("fewSentences");
  // Four words and a citation are five to datatrove alone, and a quotation mark of one stroke ends a line there.
  const cited = `${story}\nFour words are [1] here.\nHe said 'so they do'`;
  expect(await through(generator!, cited)).toBe(story);
  const long = `${story} ${story}`;
  expect(await through(datatrove!, `${long}\nHe said 'so they do'`)).toBe(`${long}\nHe said 'so they do'`);
  expect(await through(generator!, "x".repeat(190_001))).toBe("manyCharacters");
});

test("the lines of C4's generator are compared in small letters, digits as they are", async () => {
  const [stage] = await openStages([{ dedupLines: { keep: "first", compares: "small letters" } }]);
  const keyOf = (line: string) => {
    const { step } = stage!.behind!;
    if (isStatisticStep(step)) throw new Error("lines have keys");
    const keys = new KeyList();
    step.addKeys(new CleanDocument(line), keys);
    return keys.halves.slice(0, 2).join();
  };
  expect(keyOf(" Llama 42, ")).toBe(keyOf("llama 42,"));
  expect(new Set(["llama 42,", "llama 43,", "llama 42", "llama  42"].map(keyOf)).size).toBe(4);
});

test.each([
  [{ preset: "c5" }, '[data] r.yaml: steps[0]: "c5" is no preset, did you mean "c4"?'],
  [{ preset: "pile" }, /"pile" is no preset: presets are redpajama, c4,/],
  [{ preset: "c4" }, /r\.yaml: steps\[0\], preset c4: .*languageModel/],
  [{ preset: "gopher", model: "x" }, /preset gopher: unknown key "model"/],
])("a preset that is wrong is named: %j", async (entry, message) => {
  await expect(openStages([entry], { name: "r.yaml" })).rejects.toThrow(message);
});
