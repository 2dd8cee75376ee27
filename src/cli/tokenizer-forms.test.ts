// A unigram tokenizer.model, which no tokenizer.json can say, through every command that takes a tokenizer.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/sentencepiece-models.golden.json", import.meta.url));
let folder: string;
const at = (name: string) => join(folder, name);

const recipe = (tokenizer: string) => `
data: data
tokenizer: ${tokenizer}
model: { dim: 16, nLayers: 1, nHeads: 2, nKvHeads: 1, hiddenDim: 24, contextLength: 16 }
steps: 3
batch: 2
learningRate: 1e-3
evaluation: { every: 3, tokens: 32 }
checkpoints: { every: 2, keep: 2 }
precision: float32
threads: 1
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-forms-"));
  const { models } = JSON.parse(await readFile(goldens, "utf8")) as { models: { name: string; file: string }[] };
  const { file } = models.find(({ name }) => name === "unigram, bytes, extra spaces go")!;
  await writeFile(at("tokenizer.model"), gunzipSync(Buffer.from(file, "base64")));
  await writeFile(
    at("text.txt"),
    Array.from({ length: 60 }, (_, i) => `the owl and llama ${i} sat in the sun of day ${i * 7}`).join("\n\n"),
  );
  await writeFile(at("data.yaml"), "sources: [{ name: text, paths: text.txt, separator: blank-lines, weight: 1 }]\nheldOut: 0.2\n");
  await writeFile(at("recipe.yaml"), recipe("tokenizer.model"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const run = async (...words: string[]) => {
  const result = await runWords(words, commandRows);
  expect(result.code, result.stderr).toBe(0);
  return result.stdout;
};

test("data, train, resume, generate, inspect and tokenizer take it, and a run keeps it", async () => {
  await run("data", "prepare", at("data.yaml"), "--tokenizer", at("tokenizer.model"), "--out", at("data"));
  await run("train", at("recipe.yaml"), "--out", at("run"));
  const names = await readdir(at("run"));
  expect(names).toContain("tokenizer.model");
  expect(names).not.toContain("tokenizer.json");
  expect(await readFile(at("run/train.yaml"), "utf8")).toMatch(/^tokenizer: tokenizer\.model$/m);
  await run("train", at("run"), "--resume", "--set", "steps=5");
  expect(await readFile(at("run/train.yaml"), "utf8")).toMatch(/^tokenizer: tokenizer\.model$/m);
  expect(JSON.parse(await run("generate", at("run"), "the owl", "--max-tokens", "3", "--json")).tokens).toHaveLength(3);
  expect(JSON.parse(await run("inspect", at("run"), "--json")).tokenizer).toMatchObject({ kind: "unigram", bos: 1, eos: 2 });
  expect(await run("tokenizer", "compare", at("tokenizer.model"), at("run"), at("text.txt"), "--template")).toMatch(/^the same ids/);
  expect(await run("tokenizer", "inspect", at("run"))).toMatch(/^kind +unigram\n[\s\S]*normaliser +sentencepiece\n/);
});
