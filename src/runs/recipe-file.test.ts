import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { completeRecipe, recipeChanges } from "../train/index.ts";
import { readRecipe, writeRecipe } from "./recipe-file.ts";
import { applySettings } from "./settings.ts";

test("a whole recipe means the same when it is written and read again, from wherever the folder stands", async () => {
  const root = await mkdtemp(join(tmpdir(), "cria-recipe-"));
  try {
    await mkdir(join(root, "runs", "a"), { recursive: true });
    await writeFile(
      join(root, "recipe.yaml"),
      JSON.stringify({ data: "data", tokenizer: "tokenizer.json", model: { preset: "1M" }, steps: 100 }),
    );
    const asked = await readRecipe(join(root, "recipe.yaml"), ["learningRate=3e-4", "evaluation.every=7"]);
    const recipe = { ...completeRecipe(asked, 2048), precision: "bfloat16" as const };
    expect(recipe).toMatchObject({ data: join(root, "data"), learningRate: 3e-4, evaluation: { every: 7, tokens: 32768 } });
    const path = join(root, "runs", "a", "train.yaml");
    await writeRecipe(path, recipe);
    const again = completeRecipe(await readRecipe(path), 2048);
    expect(again).toEqual(recipe);
    expect(recipeChanges(recipe, again)).toEqual([]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("counts are read as the documentation writes them, from a file and from --set", async () => {
  const root = await mkdtemp(join(tmpdir(), "cria-recipe-"));
  try {
    const path = join(root, "train.yaml");
    await writeFile(path, "data: data\ntokenizer: t.json\nmodel: { preset: 7B }\ntokens: 4_000_000\nbatch: 1e1\nseed: 7k\n");
    const recipe = await readRecipe(path, ["checkpoints.every=1_0", "evaluation.tokens=4.1k", "model.vocabSize=32_000", "warmupSteps=2k"]);
    expect(recipe).toMatchObject({
      ...{ tokens: 4_000_000, batch: 10, seed: 7000, warmupSteps: 2000, model: { preset: "7B", vocabSize: 32000 } },
      ...{ checkpoints: { every: 10 }, evaluation: { tokens: 4100 } },
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("settings are YAML at a dotted path, and touch nothing else", () => {
  const value = { a: 1, b: { c: [1], d: 2 } };
  expect(applySettings(value, ["b.c=[2, 3]", "b.e.f=yes it is", "a=1e-3", "g=null", "h=true"])).toEqual({
    a: 1e-3,
    b: { c: [2, 3], d: 2, e: { f: "yes it is" } },
    g: null,
    h: true,
  });
  expect(value).toEqual({ a: 1, b: { c: [1], d: 2 } });
  applySettings({}, ["__proto__.polluted=1"]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
