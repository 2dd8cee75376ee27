// The recipes that come with cria are recipes: their keys are known, and their steps are steps with parameters of theirs.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { presetSteps, presets, stepFilesOf } from "../dist/clean/index.js";
import { commandRows } from "../dist/cli/commands.js";
import { stepsYaml } from "../dist/cli/data-steps.js";
import { dataRecipe, readYaml } from "../dist/corpus/index.js";

const folder = fileURLToPath(new URL("../recipes/", import.meta.url));

test("every recipe is read, and every step in it is one", async () => {
  const names = await readdir(folder);
  expect(names).toEqual(["demo.yaml", "llama.yaml", "sample.yaml"]);
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

test("every flag of a command in a recipe's comments is one of that command", async () => {
  let flags = 0;
  for (const name of await readdir(folder))
    for (const [, group, command, rest] of (await readFile(folder + name, "utf8")).matchAll(
      /\bcria (data|tokenizer) ([a-z]+)([^;,)\n]*)/g,
    )) {
      const { commands } = await commandRows.find((row) => row.name === group).load();
      const row = commands.find((one) => one.name === command);
      expect(row, `${name}: cria ${group} ${command}`).toBeDefined();
      const known = (await row.load()).flags;
      for (const [, flag] of rest.matchAll(/ --([a-z-]+)/g)) {
        expect(
          known.map((one) => one.name),
          `${name}: cria ${group} ${command}`,
        ).toContain(flag);
        flags++;
      }
      const required = rest.includes(" --") ? known.filter((one) => one.required) : [];
      for (const { name: flag } of required) expect(rest, `${name}: cria ${group} ${command}`).toContain(` --${flag} `);
    }
  expect(flags).toBeGreaterThan(10);
});

test("the guide shows every preset as it is", async () => {
  const guide = await readFile(new URL("../docs/guide/data.md", import.meta.url), "utf8");
  for (const preset of presets) expect(guide).toContain(`# - preset: ${preset.name}\n${stepsYaml(presetSteps(preset))}`);
});

test("sample.yaml cleans, mixes and reports what is installed here", async () => {
  const out = await mkdtemp(join(tmpdir(), "cria-sample-"));
  const cria = async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "..", "dist", "cli", "main.js"), ...args, "--json"]);
    return JSON.parse(stdout);
  };
  try {
    // One book, the pages of docs/ and one package in the place of all: the steps and the mixture are the sample's.
    const whole = await readFile(`${folder}sample.yaml`, "utf8");
    const narrower = [
      ["gutenberg/*.txt\n    separator", "gutenberg/carroll-alice.txt\n    separator"],
      ["[../node_modules/**/*.md, ../docs/**/*.md]", "../docs/**/*.md"],
      ["{hono,yaml,zod}/**", "{yaml,zod}/dist/schema/**"],
    ];
    for (const [path] of narrower) expect(whole).toContain(path);
    const short = narrower.reduce((text, [path, less]) => text.replace(path, less), whole);
    await writeFile(join(out, "short.yaml"), short.replaceAll("../", `${join(folder, "..")}/`));
    const tokenizer = join(folder, "..", "test", "fixtures", "2026-11-28", "bytes.json");
    const prepared = await cria("data", "prepare", join(out, "short.yaml"), "--tokenizer", tokenizer, "--out", join(out, "data"));
    expect(prepared.sources.map(({ name }) => name)).toEqual(["books", "pages", "code"]);
    const { sources } = JSON.parse(await readFile(join(out, "data", "cleaning.json"), "utf8"));
    for (const { name, read, kept, steps } of sources) {
      expect(kept.documents, name).toBeGreaterThan(0);
      expect(kept.documents, name).toBeLessThan(read.documents + (name === "code" ? 1 : 0));
      expect(steps.length, name).toBeGreaterThan(2);
    }
    const page = await readFile(join(out, "data", "cleaning.html"), "utf8");
    for (const part of ["gopherQuality", "tokens for training", "Throughput"]) expect(page).toContain(part);
    const { sources: mix } = await cria("data", "mix", join(out, "data"), "--tokens", "1M");
    expect(mix.map(({ share }) => share)).toEqual([0.6, 0.25, 0.15]);
  } finally {
    await rm(out, { recursive: true });
  }
});
