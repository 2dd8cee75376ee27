// The recipes that come with cria are recipes: their keys are known, and their steps are steps with parameters of theirs.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { presetSteps, presets, stepFilesOf } from "../dist/clean/index.js";
import { stepsYaml } from "../dist/cli/data-steps.js";
import { dataRecipe, readYaml } from "../dist/corpus/index.js";

const folder = fileURLToPath(new URL("../recipes/", import.meta.url));

test("every recipe is read, and every step in it is one", async () => {
  const names = await readdir(folder);
  expect(names).toContain("llama.yaml");
  for (const name of names)
    for (const source of (await readYaml(folder + name, dataRecipe, "test")).sources)
      expect(await stepFilesOf(source.steps ?? [], { name: `${name}: ${source.name}` })).toBeInstanceOf(Array);
});

test("llama.yaml has the proportions of the paper's table 1", async () => {
  const { sources } = await readYaml(`${folder}llama.yaml`, dataRecipe, "test");
  expect(sources.map(({ name, weight }) => [name, weight])).toEqual([
    ["common-crawl", 67],
    ["c4", 15],
    ["github", 4.5],
    ["wikipedia", 4.5],
    ["books", 4.5],
    ["arxiv", 2.5],
    ["stackexchange", 2],
  ]);
});

test("the guide shows every preset as it is", async () => {
  const guide = await readFile(new URL("../docs/guide/data.md", import.meta.url), "utf8");
  for (const preset of presets) expect(guide).toContain(`# - preset: ${preset.name}\n${stepsYaml(presetSteps(preset))}`);
});
