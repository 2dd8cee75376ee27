// Debian's spm_encode (SentencePiece 0.1.97) as the judge of tokenizer.model on megabytes of text in all scripts.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Tokenizer } from "../tokenizer/index.ts";
import { openAnyTokenizer } from "./index.ts";
import { sharedData } from "./shared-data.test.helper.ts";

const models = sharedData("conformance");
const languages = sharedData("langid/lingua");
const texts = sharedData("text");
const isJudged =
  models !== undefined && languages !== undefined && texts !== undefined && spawnSync("spm_encode", ["--help"]).error === undefined;

/** Sentences of 75 languages, novels in English and Japanese, code and formulas in LaTeX. */
function lines(): string[] {
  const sentences = readdirSync(languages!).map((name) => join(languages!, name, "testdata/sentences.txt"));
  const others = [
    "tinyshakespeare/input.txt",
    "sentencepiece-data/wagahaiwa_nekodearu.txt",
    "latex/hott-book/basics.tex",
    "war-and-peace/war-and-peace.txt",
  ];
  const files = [...sentences.filter((path) => !path.includes("LICENSE")), ...others.map((name) => join(texts!, name))];
  return files.flatMap((path) => readFileSync(path, "utf8").split(/\r?\n/)).filter((line) => !line.includes("\r") && !line.includes("\0"));
}

/** The ids of every line. */
function spmEncode(model: string, input: readonly string[]): string[] {
  const { stdout, status } = spawnSync("spm_encode", [`--model=${model}`, "--output_format=id"], {
    input: `${input.join("\n")}\n`,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  expect(status).toBe(0);
  return stdout.split("\n").slice(0, -1);
}

const settings = { timeout: 1_800_000 };

test.skipIf(!isJudged)("OpenLLaMA's byte pair encoding: every id of every line", settings, async () => {
  const model = join(models!, "openllama-tokenizer/tokenizer.model");
  const tokenizer = await openAnyTokenizer(model);
  const input = lines();
  const theirs = spmEncode(model, input);
  expect(theirs.length).toBe(input.length);
  input.forEach((line, i) => {
    if (tokenizer.encode(line).join(" ") !== theirs[i]) expect([...tokenizer.encode(line)].join(" "), JSON.stringify(line)).toBe(theirs[i]);
  });
});

test.skipIf(!isJudged).each(["test_model", "test_ja_model"])("%s, unigram: every line, but for ways of one sum", settings, async (name) => {
  const model = join(models!, `sentencepiece/python/test/${name}.model`);
  const tokenizer = await openAnyTokenizer(model);
  const input = lines();
  const theirs = spmEncode(model, input);
  let differing = 0;
  input.forEach((line, i) => {
    const ids = [...tokenizer.encode(line)];
    if (ids.join(" ") === theirs[i]) return;
    differing++;
    // That version compares sums before it rounds them, so that two ways may change places which differ by a rounding.
    const other = theirs[i]!.split(" ").map(Number);
    expect(Math.abs(scoreOf(tokenizer, ids) - scoreOf(tokenizer, other)), JSON.stringify(line)).toBeLessThan(1e-3);
  });
  expect(differing).toBeLessThan(input.length / 200);
});

function scoreOf({ model }: Tokenizer, ids: readonly number[]): number {
  const scores = model.kind === "unigram" ? model.scores : [];
  return ids.reduce((sum, id) => sum + scores[id]!, 0);
}
