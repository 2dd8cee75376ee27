import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { openAnyTokenizer } from "../load/index.ts";
import { randomText, variedTexts } from "../tokenizer/conformance.ts";
import type { CommandIo, Flags } from "./command.ts";
import { tokenizerCommand } from "./tokenizer.ts";

let folder = "";
const at = (name: string) => join(folder, name);
const rng = new Rng(3);
const other = Array.from({ length: 300 }, () => ["любовь", "ехать", "lower", "newest", randomText(rng, 5)][rng.below(5)]).join(" ");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-extend-"));
  await writeFile(at("corpus.txt"), variedTexts.join("\n").replaceAll("\0", "").repeat(20));
  await writeFile(at("other.txt"), other);
  await writeFile(at("noise.txt"), Array.from({ length: 5000 }, () => rng.below(2 ** 31).toString(36)).join(" "));
  await run("train", [at("corpus.txt")], { kind: "sentencepiece", "vocab-size": 600, out: at("spm.json") });
  await run("train", [at("corpus.txt")], { kind: "sentencepiece", mode: "spm", "vocab-size": 600, out: at("scores.model") });
  await run("train", [at("corpus.txt")], { kind: "bytes", "vocab-size": 400, out: at("bytes.json") });
});
afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, args: readonly string[], flags: Flags, json = false): Promise<string> {
  let stdout = "";
  const io: CommandIo = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: () => undefined,
    json,
    began: 0,
    caller: { cria: "cria", demo: "cria demo" },
    width: 80,
    colours: false,
    stdin: () => Promise.resolve(new Uint8Array()),
    stdinChunks: async function* () {},
    signal: new AbortController().signal,
    progress: () => undefined,
  };
  const command = await tokenizerCommand.commands.find((found) => found.name === name)!.load();
  expect(await command.run(args, flags, io)).toBe(0);
  return stdout;
}

/** The forms that hold what was made of a tokenizer, for every kind that is trained. */
const forms = [
  ["spm.json", [".json", ".model", ".gguf"]],
  ["scores.model", [".json", ".model", ".gguf"]],
  ["bytes.json", [".json", ".gguf"]],
] as const;

test.each(forms)("extended, %s keeps its ids in every form that holds it: %j", async (name, endings) => {
  const before = await openAnyTokenizer(at(name));
  const size = before.vocabSize + 40;
  const outs = endings.map((ending) => at(`extended-${name}${ending}`));
  for (const out of outs) {
    const text = await run("extend", [at(name), at("other.txt")], { "vocab-size": size, out });
    expect(text).toMatch(
      new RegExp(`: ${size} pieces, 40 of them new \\(\\d+ characters, \\d+ merged\\)\nids below ${before.vocabSize} mean`),
    );
    expect(text).toMatch(/of these texts [\d,]+ of [\d,]+ different words, [\d,]+ tokens become [\d,]+\n$/);
  }
  const [first, ...others] = await Promise.all(outs.map((out) => openAnyTokenizer(out)));
  expect(first!.model.pieces.slice(0, before.vocabSize)).toEqual(before.model.pieces);
  expect(first!.encode(other).length).toBeLessThan(before.encode(other).length);
  for (const tokenizer of others) for (const text of [other, ...variedTexts]) expect(tokenizer.encode(text)).toEqual(first!.encode(text));
  expect((await readdir(folder)).filter((entry) => entry.includes("counting"))).toEqual([]);
});

test.each(forms)(
  "cut, %s encodes the texts to the same pieces in every form that holds it, and says which id is which: %j",
  async (name, endings) => {
    const before = await openAnyTokenizer(at(name));
    for (const ending of endings) {
      const out = at(`cut-${name}${ending}`);
      const summary = JSON.parse(await run("cut", [at(name), at("other.txt")], { out }, true));
      const { ids, oldVocabSize, vocabSize } = JSON.parse(await readFile(`${out}.ids.json`, "utf8"));
      expect(summary).toMatchObject({ out, ids: `${out}.ids.json`, oldVocabSize, vocabSize, tokens: before.encode(other).length });
      const after = await openAnyTokenizer(out);
      expect([oldVocabSize, vocabSize]).toEqual([before.vocabSize, after.vocabSize]);
      expect(vocabSize).toBeLessThan(oldVocabSize);
      expect([...before.encode(other)].map((id) => ids[id])).toEqual([...after.encode(other)]);
      for (const [old, id] of Object.entries<number>(ids)) expect(after.idToPiece(id)).toBe(before.idToPiece(Number(old)));
    }
  },
);

test("ranks without special pieces are extended and cut as ranks; with special pieces between they are no ranks any more", async () => {
  const plain = at("plain.tiktoken");
  await run("convert", [at("bytes.json"), plain], {});
  const ranks = (await readFile(plain, "utf8")).trim().split("\n").length;
  await run("convert", [plain, at("ranks.json")], { pattern: ["llama3"] });
  await run("extend", [at("ranks.json"), at("other.txt")], { "vocab-size": ranks + 20, out: at("more.tiktoken") });
  const lines = (await readFile(at("more.tiktoken"), "utf8")).trim().split("\n");
  expect(lines.slice(0, ranks)).toEqual((await readFile(plain, "utf8")).trim().split("\n"));
  expect(lines.length).toBe(ranks + 20);
  await run("cut", [at("ranks.json"), at("other.txt")], { out: at("less.tiktoken") });
  const kept = (await readFile(at("less.tiktoken"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
  expect(kept.length).toBeLessThan(ranks);
  expect(lines.map((line) => line.split(" ")[0]).filter((piece) => kept.includes(piece))).toEqual(kept);
  await expect(run("extend", [at("bytes.json"), at("other.txt")], { "vocab-size": 420, out: at("not.tiktoken") })).rejects.toThrow(
    /the special piece 398 has an id below/,
  );
});

test.each<[string, string[], Flags, RegExp]>([
  ["extend", ["scores.model", "other.txt"], { "vocab-size": 600, out: "x.json" }, /vocabSize must be a whole number above the 600 pieces/],
  ["extend", ["scores.model"], { "vocab-size": 700, out: "x.json" }, /no texts/],
  ["extend", ["scores.model", "other.txt"], { "vocab-size": 700, out: "scores.model" }, /a file of the tokenizer .* itself/],
  [
    "extend",
    ["scores.model", "other.txt"],
    { "vocab-size": 700, out: "x.json", memory: 1000 },
    /--memory is 1000 bytes but must be at least 1000000/,
  ],
  ["extend", ["scores.model", "other.txt"], { "vocab-size": 700, out: "x.json", "character-coverage": 2 }, /--character-coverage is 2/],
  [
    "extend",
    ["bytes.json", "noise.txt"],
    { "vocab-size": 700, out: "x.json", memory: 1e6 },
    /different words takes about 1\.\d+ MB of memory, but may take 1 MB: raise --memory/,
  ],
  ["cut", ["scores.model", "other.txt"], { out: "x.txt" }, /its ending says no form/],
  ["cut", [], { out: "x.json" }, /TOKENIZER is missing/],
  [
    "cut",
    ["scores.model", "other.txt"],
    { out: "x.json", ids: "x.json" },
    /--ids is .*x\.json, which is a tokenizer's file, and would replace it/,
  ],
  ["cut", ["scores.model", "other.txt"], { out: "x.json", ids: "scores.model" }, /--ids is .*scores\.model, which is a tokenizer's file/],
])("%s refuses what cannot be", async (name, args, flags, message) => {
  const paths = Object.fromEntries(["out", "ids"].flatMap((flag) => (flag in flags ? [[flag, at(String(flags[flag]))]] : [])));
  await expect(run(name, args.map(at), { ...flags, ...paths })).rejects.toThrow(message);
});
