// Classifiers that we train: what they learn, the file that they are written to, their calibration, and why they say what they say.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import {
  calibrated,
  FastTextClassifier,
  FastTextExplainer,
  FastTextTrainer,
  type FastTextTrainerOptions,
  fitCalibration,
  qualityOf,
  readFastText,
  writeFastText,
} from "./index.ts";
import { SoftmaxLayer } from "./softmax-layer.ts";
import { wordListOf } from "./word-list.ts";
import { WordNgramHash } from "./word-ngram-hash.ts";

const words = {
  en: "the llama walked to the water and drank with the others while it was cold".split(" "),
  de: "das Lama ging zum Wasser und trank mit den anderen während es kalt war".split(" "),
  ru: "лама пошла к воде и пила с другими пока на холме было холодно the das".split(" "),
};

function sentences(seed: number, count: number): { label: string; text: string }[] {
  const rng = new Rng(seed);
  const labels = Object.keys(words) as (keyof typeof words)[];
  return Array.from({ length: count }, () => {
    const label = labels[rng.below(labels.length)]!;
    const text = Array.from({ length: 1 + rng.below(9) }, () => words[label][rng.below(words[label].length)]!).join(" ");
    return { label, text };
  });
}

const options: FastTextTrainerOptions = { dim: 7, epoch: 8, lr: 0.5, wordNgrams: 3, minn: 2, maxn: 4, bucket: 997, minCount: 2 };

async function trained(more: FastTextTrainerOptions = {}) {
  const trainer = new FastTextTrainer({ ...options, ...more });
  for (const { label, text } of sentences(1, 600)) trainer.add(label, text);
  return trainer.train();
}

const bytesOf = (made: Awaited<ReturnType<typeof trained>>) => Buffer.concat(writeFastText(made));
const made = trained();

test("texts that were not seen have the right labels, and the same seed makes the same bytes", async () => {
  const classifier = new FastTextClassifier((await made).model);
  const unseen = sentences(2, 300);
  const right = unseen.filter(({ label, text }) => classifier.classify(text)[0]?.label === label).length;
  expect(right / unseen.length).toBeGreaterThan(0.97); // a single word may be of two languages
  expect(bytesOf(await trained()).equals(bytesOf(await made))).toBe(true);
  expect(bytesOf(await trained({ seed: 1 })).equals(bytesOf(await made))).toBe(false);
});

test.each([{}, { wordNgrams: 1 }, { wordNgrams: 1, minn: 0, maxn: 0, minCount: 1 }])("%o is read back as it was", async (more) => {
  const one = await trained(more);
  expect(readFastText("own", bytesOf(one))).toEqual(one.model);
});

test("a step is the gradient's, by finite differences", () => {
  const rng = new Rng(3);
  const matrix = (rows: number) => ({ rows, columns: 5, values: Float32Array.from({ length: 5 * rows }, () => rng.normal()) });
  const model = {
    settings: { dim: 5, wordNgrams: 1, loss: 3, bucket: 0, minn: 0, maxn: 0 },
    ...{ words: wordListOf([]), labels: ["a", "b", "c"], labelCounts: [1, 1, 1], pruned: undefined },
    ...{ input: matrix(4), output: matrix(3) },
  };
  const [rows, label, rate] = [[0, 2, 2], 1, 1e-3];
  const start = [model.input.values.slice(), model.output.values.slice()] as const;
  const loss = (input: Float64Array, output: Float64Array) => {
    const mean = Array.from({ length: 5 }, (_, i) => rows.reduce((sum, row) => sum + input[row * 5 + i]!, 0) / rows.length);
    const scores = [0, 1, 2].map((k) => mean.reduce((sum, value, i) => sum + value * output[k * 5 + i]!, 0));
    return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[label]!;
  };
  new SoftmaxLayer(model).learn(rows, label, rate);
  const changed = [model.input.values, model.output.values] as const;
  for (const which of [0, 1] as const)
    for (let i = 0; i < start[which].length; i++) {
      const at = (shift: number) => {
        const copies = [Float64Array.from(start[0]), Float64Array.from(start[1])] as const;
        copies[which][i]! += shift;
        return loss(...copies);
      };
      const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
      expect((start[which][i]! - changed[which][i]!) / rate).toBeCloseTo(slope, 2);
    }
});

test("hashes of words in a row are those of 64 bits", () => {
  const [rng, hash] = [new Rng(4), new WordNgramHash()];
  for (let round = 0; round < 2000; round++) {
    const hashes = Array.from({ length: 1 + rng.below(5) }, () => rng.uint32() | 0);
    const buckets = 1 + rng.below(2 ** 31 - 1);
    let sum = BigInt.asUintN(64, BigInt(hashes[0]!));
    hash.begin(hashes[0]!);
    for (const next of hashes.slice(1)) {
      sum = BigInt.asUintN(64, sum * 116049371n + BigInt(next));
      hash.add(next);
    }
    expect(hash.bucket(buckets)).toBe(Number(sum % BigInt(buckets)));
  }
});

test("the parts of an explanation add up to the log-odds, and name what speaks for a language", async () => {
  const { model } = await made;
  const explainer = new FastTextExplainer(model);
  const classifier = new FastTextClassifier(model);
  for (const { text } of sentences(5, 20)) {
    const { probability, logOdds, ngrams } = explainer.explain(text, "en", "ru");
    const probabilities = classifier.probabilities(text)!;
    const [en, ru] = ["en", "ru"].map((label) => probabilities[model.labels.indexOf(label)]!);
    expect(probability).toBe(en);
    expect(logOdds).toBeCloseTo(Math.log(en! / ru!), 4);
    expect(ngrams.every(({ logOdds }, i) => i === 0 || Math.abs(logOdds) <= Math.abs(ngrams[i - 1]!.logOdds))).toBe(true);
  }
  const said = explainer.explain("llama llama Wasser", "en");
  expect(said.against).toBe("de");
  expect(said.ngrams.find(({ ngram, kind }) => ngram === "llama" && kind === "word")).toMatchObject({ times: 2 });
  expect(said.ngrams.find(({ ngram }) => ngram === "llama")!.logOdds).toBeGreaterThan(0);
  expect(said.ngrams.find(({ ngram }) => ngram === "Wasser")!.logOdds).toBeLessThan(0);
  expect(said.ngrams.filter(({ kind }) => kind === "words").map(({ ngram }) => ngram)).toContain("llama Wasser");
  expect(() => explainer.explain("llama", "en", "fr")).toThrow('the model knows no label "fr"');
  expect(() => explainer.explain("llama", "en", "en")).toThrow("held against itself");
});

test("a calibration finds the logistic function that texts were drawn by", () => {
  const rng = new Rng(6);
  const verdicts = Array.from({ length: 20_000 }, () => {
    const logOdds = 6 * rng.normal();
    return { probability: 1 / (1 + Math.exp(-logOdds)), isSo: rng.uniform() < 1 / (1 + Math.exp(-0.4 * logOdds + 1)) };
  });
  const calibration = fitCalibration(verdicts);
  expect(calibration.slope).toBeCloseTo(0.4, 1);
  expect(calibration.intercept).toBeCloseTo(-1, 1);
  const [before, after] = [
    qualityOf(verdicts),
    qualityOf(verdicts.map(({ probability, isSo }) => ({ probability: calibrated(probability, calibration), isSo }))),
  ];
  expect(after.calibrationError).toBeLessThan(0.02);
  expect(before.calibrationError).toBeGreaterThan(0.1);
  expect(after.loss).toBeLessThan(before.loss);
  expect(() => fitCalibration([{ probability: 0.5, isSo: true }])).toThrow("1 held-out texts have the label and 0 have not");
  const separable = [0.1, 0.2, 0.8, 0.9].map((probability) => ({ probability, isSo: probability > 0.5 }));
  expect(fitCalibration(separable).slope).toBeLessThan(10);
});

test.each([
  [{ dim: 0 }, "dim is 0 but must be an integer, at least 1"],
  [{ lr: 0 }, "lr is 0 but must be above 0"],
  [{ minn: 3, maxn: 2 }, "n-grams have 3 to 2 characters"],
  [{ bucket: 2 ** 31 }, "bucket is 2147483648"],
])("%o is refused", (more, message) => {
  expect(() => new FastTextTrainer(more)).toThrow(message);
});

test("labels of several words, a single label and too many words are refused, and an abort stops training", async () => {
  const trainer = new FastTextTrainer({ ...options, mostWords: 4 });
  expect(() => trainer.add("a b", "x")).toThrow('the label "a b" is empty or has white space');
  trainer.add("a", "x </s> y");
  expect(() => trainer.add("a", "x y")).toThrow("6 words are more than 4");
  await expect(trainer.train()).rejects.toThrow("texts of 1 labels");
  const stopped = new FastTextTrainer(options);
  for (const { label, text } of sentences(1, 20)) stopped.add(label, text);
  await expect(stopped.train({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

const fasttext = spawnSync("fasttext", []).error === undefined;

test.skipIf(!fasttext)("fastText itself reads the file, and says the same of every text", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cria-fasttext-"));
  try {
    const unseen = sentences(7, 1000);
    writeFileSync(join(folder, "m.bin"), bytesOf(await made));
    writeFileSync(join(folder, "texts"), unseen.map(({ text }) => `${text}\n`).join(""));
    const { stdout, status } = spawnSync("fasttext", ["predict-prob", join(folder, "m.bin"), join(folder, "texts")], { encoding: "utf8" });
    expect(status).toBe(0);
    const classifier = new FastTextClassifier((await made).model);
    const said = stdout.trim().split("\n");
    expect(said).toHaveLength(unseen.length);
    const other = unseen.filter(({ text }, i) => {
      const [{ label = "", probability = 0 } = {}] = classifier.classify(text);
      const [theirs = "", theirProbability = ""] = said[i]!.split(" ");
      return theirs !== `__label__${label}` || Math.abs(Number(theirProbability) - probability) > 1e-4;
    });
    expect(other.length).toBeLessThanOrEqual(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
