// Models in ARPA files and in KenLM's binary forms, and what KenLM says with them (test/goldens/make_ngrams.py).
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { ModelBuilder, type NgramModel, readArpa } from "./index.ts";
import { readKenLm } from "./kenlm-read.ts";

interface Said {
  /** The sentence with and without its beginning, with and without its end. */
  readonly scores: readonly number[];
  /** log10 of each word's probability, and the length of the n-gram. */
  readonly words: readonly (readonly [logProbability: number, length: number])[];
}

interface GoldenModel {
  readonly name: string;
  readonly arpa?: string;
  /** A binary form of the model with an ARPA file that stands before it. */
  readonly binary?: string;
  /** Absent of a binary form that says what the ARPA file does. */
  readonly said?: readonly Said[];
}

interface Golden {
  readonly sentences: readonly string[];
  readonly models: readonly GoldenModel[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/ngrams.golden.json", import.meta.url), "utf8"));
const unpacked = (text: string) => new Uint8Array(gunzipSync(Buffer.from(text, "base64")));
const ways = [
  { bos: true, eos: true },
  { bos: true, eos: false },
  { bos: false, eos: true },
  { bos: false, eos: false },
];

async function fromArpa(name: string, bytes: Uint8Array, chunk = bytes.length): Promise<NgramModel> {
  const builder = new ModelBuilder(name);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) => bytes.subarray(i * chunk, (i + 1) * chunk));
  await readArpa(name, chunks, builder);
  return builder.finish();
}

async function open({ arpa, binary }: GoldenModel): Promise<NgramModel> {
  return arpa === undefined ? readKenLm("golden", unpacked(binary!)) : fromArpa("golden", unpacked(arpa), 1000);
}

const { sentences } = golden;

test.each(golden.models)("$name: scores are KenLM's to the bit", async (one) => {
  const model = await open(one);
  expect(model.hasUnknown).toBe(!one.name.includes("no unknown word"));
  const before = golden.models.slice(0, golden.models.indexOf(one) + 1).findLast(({ said }) => said !== undefined);
  for (const [i, { scores, words }] of (before?.said ?? []).entries()) {
    const sentence = sentences[i]!;
    const rounded = words.map(([logProbability, length]) => [Math.fround(logProbability), length]);
    const found = model.wordScores(sentence).map(({ logProbability, length }) => [logProbability, length]);
    expect(found, sentence).toEqual(rounded);
    const sums = ways.map((way) => model.score(sentence, way));
    expect(sums, sentence).toEqual(scores.map(Math.fround));
  }
});

const published = ["../../../shared/data", "../../../../shared/data"]
  .map((path) => new URL(`${path}/conformance/kenlm/lm/test.arpa`, import.meta.url))
  .find((path) => existsSync(path));

test.runIf(published !== undefined)("KenLM's own test model says what its tests ask for", async () => {
  const model = await fromArpa("test.arpa", readFileSync(published!));
  const said = (sentence: string, bos: boolean) =>
    model.wordScores(sentence, { bos, eos: bos }).map(({ logProbability, length }) => [Number(logProbability.toFixed(4)), length]);
  expect(model.order).toBe(5);
  expect(said("looking on a little the biarritz not_found more .", true)).toEqual([
    [-0.4847, 2],
    [-0.3488, 3],
    [-0.0155, 4],
    [-0.0031, 5],
    [-4.0401, 1],
    [-1.9889, 1],
    [-2.2967, 1],
    [-21.2063, 1],
    [-0.5136, 2],
    [-0.0192, 3],
  ]);
  expect(said("also would consider higher looking", false)).toEqual([
    [-1.6879, 1],
    [-2, 2],
    [-3, 3],
    [-4, 4],
    [-5, 5],
  ]);
  expect(said("foo bar bar", false).slice(1)).toEqual([
    [-6, 2],
    [0.2817, 1],
  ]);
});

test("lines of every length come together from chunks of every size", async () => {
  const bytes = unpacked(golden.models[0]!.arpa!);
  const whole = await fromArpa("whole", bytes);
  for (const size of [1, 7, 4096]) {
    const model = await fromArpa("chunks", bytes, size);
    expect(model.counts).toEqual(whole.counts);
    for (const sentence of sentences) expect(model.score(sentence)).toBe(whole.score(sentence));
  }
});

const small = [
  "\\data\\",
  "ngram 1=3",
  "ngram 2=1",
  "",
  "\\1-grams:",
  "-1\t<s>\t-0.5",
  "-1\t</s>",
  "-1\ta\t-0.25",
  "",
  "\\2-grams:",
  "-0.5\t<s> a",
  "",
  "\\end\\",
];

test.each([
  ["another kind", 0, "{}", 'line 1: "{}" stands where \\data\\ must'],
  ["a wrong count line", 2, "ngram 3=1", 'line 3: "ngram 3=1" stands where "ngram 2=…" must'],
  ["too few n-grams", 1, "ngram 1=4", 'line 10: "\\2-grams:" is no n-gram of 1 words, of which 1 are still to come'],
  ["too many n-grams", 1, "ngram 1=2", 'line 8: "-1\ta\t-0.25" stands where \\2-grams: must, behind the 2 n-grams that the counts say'],
  ["a positive probability", 7, "0.5\ta", "line 8: a log10 of a probability is 0.5 but must be at most 0"],
  ["no number", 7, "1x\ta", "line 8: a log10 of a probability is 1x"],
  ["no number of many digits", 7, `${"1".repeat(200_000)}x\ta`, "line 8: a log10 of a probability is 1"],
  ["an infinite weight", 7, "-1\ta\t-inf", "line 8: a log10 of a back-off weight is -inf"],
  ["a weight of the longest", 10, "-0.5\t<s> a\t-1", "line 11: the longest n-grams have no back-off weight, but -1 stands there"],
  ["an unknown word", 10, "-0.5\t<s> b", 'line 11: the word "b" is not among the 1-grams'],
  ["a word twice", 7, "-1\t<s>", 'the word "<s>" stands there twice'],
  ["no end", 12, "", "the file ends without \\end\\"],
  ["no beginning of sentences", 5, "-1\tb", 'line 11: the word "<s>" is not among'],
])("an ARPA file with %s is refused", async (_, line, text, message) => {
  const lines = small.with(line, text);
  await expect(fromArpa("x.arpa", new TextEncoder().encode(lines.join("\n")))).rejects.toThrow(message);
});

test("a model without the end of sentences is refused", async () => {
  const lines = small.with(6, "-1\tz");
  await expect(fromArpa("x.arpa", new TextEncoder().encode(lines.join("\n")))).rejects.toThrow("x.arpa: it has no </s>");
});

test("damaged binary files are named, or read; nothing larger than the file is asked for", () => {
  const rng = new Rng(8);
  const binaries = golden.models.flatMap(({ binary }) => (binary === undefined ? [] : [unpacked(binary)]));
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = binaries[round % binaries.length]!.slice();
    for (let count = 1 + rng.below(3); count > 0; count--) bytes[rng.below(round % 2 === 0 ? 150 : bytes.length)] = rng.below(256);
    const cut = rng.below(3) === 0 ? bytes.subarray(0, rng.below(bytes.length)) : bytes;
    try {
      readKenLm("damaged", cut).score("the llama walked");
    } catch (error) {
      expect(error).toBeInstanceOf(CriaError);
      expect((error as Error).message).toMatch(/^\[ngrams\] damaged: /);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(150);
});
