// Models that fastText trained and quantised, and what it says with them (test/goldens/make_fasttext.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { FastTextClassifier, type FastTextModel, readFastText } from "./index.ts";
import { naiveProbabilities, naiveWordRows } from "./naive-classifier.test.helper.ts";
import { wordsOf } from "./white-space.ts";
import { wordListOf } from "./word-list.ts";
import { WordRows } from "./word-rows.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly models: readonly {
    readonly name: string;
    readonly model: string;
    /** Labels with their probabilities, most probable first, of each text. */
    readonly predictions: readonly (readonly (readonly [label: string, probability: number])[])[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/fasttext.golden.json", import.meta.url), "utf8"));
const bytesOf = (model: string) => new Uint8Array(Buffer.from(model, "base64"));

test.each(golden.models)("$name: labels and probabilities are fastText's", ({ model, predictions }) => {
  const classifier = new FastTextClassifier(readFastText("golden", bytesOf(model)));
  for (const [i, text] of golden.texts.entries()) {
    const found = classifier.classify(text, 5);
    // Hierarchical softmax gives up on what is less probable than 1e-5.
    for (const { probability } of found.slice(predictions[i]?.length)) expect(probability, text).toBeLessThan(1.1e-5);
    for (const [k, [label, probability]] of predictions[i]?.entries() ?? []) {
      expect(found[k]?.probability, text).toBeCloseTo(probability, 4);
      const next = predictions[i]?.[k + 1]?.[1] ?? 0;
      const before = predictions[i]?.[k - 1]?.[1] ?? 2;
      if (probability - next > 1e-4 && before - probability > 1e-4) expect(found[k]?.label, text).toBe(label);
    }
    expect(classifier.classify(text, 5)).toEqual(found); // the second time from what is kept
  }
});

const oneOf = <T>(rng: Rng, list: readonly T[]): T => list[rng.below(list.length)]!;

/** A word of few characters of one to four bytes, halves of pairs among them, so that words and n-grams come again. */
function someWord(rng: Rng): string {
  const marks = ["a", "b", "é", "и", "ไ", "字", "🦙", "\ud800", "\udd99", "<", ">"];
  const most = oneOf(rng, [3, 8, 60]);
  return oneOf(rng, ["", "", "", "</s>"]) || Array.from({ length: 1 + rng.below(most) }, () => oneOf(rng, marks)).join("");
}

function someText(rng: Rng): string {
  const spaces = [" ", "\n", "\t ", "\r\n", "\0", "\u00a0"];
  return Array.from({ length: rng.below(30) }, () => someWord(rng) + oneOf(rng, spaces)).join("");
}

/** A model of random numbers; buckets are few enough that n-grams meet. */
function someModel(rng: Rng): FastTextModel {
  const [minn = 0, maxn = 0] = oneOf(rng, [
    [0, 0],
    [1, 3],
    [2, 4],
    [3, 6],
    [1, 9],
  ]);
  const [dim, bucket] = [oneOf(rng, [1, 3, 16]), oneOf(rng, [1, 7, 97, 2 ** 31 - 1])];
  const isPruned = bucket > 97 || rng.below(2) === 0;
  const buckets = Array.from({ length: 60 }, () => rng.below(bucket));
  const pruned = isPruned ? new Map([...new Set(buckets)].map((number, row) => [number, row])) : undefined;
  const words = [...new Set(Array.from({ length: 40 }, () => someWord(rng)))].filter((word) => !/\p{Surrogate}/u.test(word));
  const labels = Array.from({ length: 2 + rng.below(6) }, (_, i) => `label ${i}`);
  const matrix = (rows: number) => ({ rows, columns: dim, values: Float32Array.from({ length: rows * dim }, () => 2 * rng.uniform() - 1) });
  return {
    settings: { dim, wordNgrams: oneOf(rng, [1, 1, 2, 4]), loss: oneOf(rng, [3, 4]), bucket, minn, maxn },
    ...{ words: wordListOf(words), labels, labelCounts: labels.map(() => 1), pruned },
    ...{ input: matrix(words.length + (pruned?.size ?? bucket)), output: matrix(labels.length) },
  };
}

const hexOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength).toString("hex");

test.each(golden.models)("$name: a model that goes on using the bytes is the same wherever they begin", ({ model }) => {
  const bytes = bytesOf(model);
  const copied = readFastText("golden", bytes);
  for (let start = 0; start < 4; start++) {
    const given = new Uint8Array(new SharedArrayBuffer(bytes.length + start), start);
    given.set(bytes);
    const taken = readFastText("golden", given, { takesBytes: true });
    for (const part of ["input", "output"] as const) expect(hexOf(taken[part].values)).toBe(hexOf(copied[part].values));
    // Quantised matrices are widened, into memory of their own.
    if (taken.pruned === undefined) expect(taken.output.values.buffer).toBe(given.buffer);
  }
});

test("random texts have the rows and probabilities that the definition gives them", () => {
  const rng = new Rng(16);
  let known = 0;
  for (let round = 0; round < 30; round++) {
    const model = someModel(rng);
    const [rows, classifier] = [new WordRows(model), new FastTextClassifier(model)];
    for (let i = 0; i < 8; i++) {
      // Some are longer than what is encoded, or found, at once.
      const text = someText(rng) + (i === 0 && round % 15 === 0 ? `${"ab字".repeat(900)} `.repeat(4) : "");
      const place = JSON.stringify({ ...model.settings, text });
      const words = wordsOf(text);
      const found = words.map((word) => rows.of(word));
      expect(found, place).toEqual(words.map((word) => naiveWordRows(model, word)));
      expect(
        words.map((word) => rows.named(word).map(({ row }) => row)),
        place,
      ).toEqual(found);
      const probabilities = classifier.probabilities(text);
      const expected = naiveProbabilities(model, text);
      expect(probabilities?.length, place).toBe(expected?.length);
      // The logistic function is read from a table of steps of 1/32.
      for (const [k, probability] of expected?.entries() ?? [])
        expect(Math.abs((probabilities?.[k] ?? 0) - probability), place).toBeLessThan(model.settings.loss === 4 ? 0.01 : 1e-5);
      if (expected !== undefined) known++;
    }
  }
  expect(known).toBeGreaterThan(100);
});

test.each(golden.models)("$name: the few most probable labels are those of all of them", ({ model }) => {
  const rng = new Rng(3);
  const classifier = new FastTextClassifier(readFastText("golden", bytesOf(model)));
  for (let round = 0; round < 40; round++) {
    const text = Array.from({ length: 1 + rng.below(6) }, () => oneOf(rng, golden.texts)).join(" ");
    const all = Array.from(classifier.probabilities(text) ?? [], (probability, i) => ({ label: classifier.labels[i], probability }));
    const most = rng.below(all.length + 2);
    expect(classifier.classify(text, most), text).toEqual(all.sort((a, b) => b.probability - a.probability).slice(0, most));
  }
});

test("what is kept of words changes nothing: long words, words of one hash, and more words than are kept", () => {
  const rng = new Rng(14);
  const model = readFastText("golden", bytesOf(golden.models[0]!.model));
  const used = new FastTextClassifier(model);
  const word = (most: number) => Array.from({ length: 1 + rng.below(most) }, () => String.fromCharCode(0x61 + rng.below(3))).join("");
  const compare = (texts: readonly string[]) => {
    for (const text of texts) expect(used.probabilities(text), text).toEqual(new FastTextClassifier(model).probabilities(text));
  };
  const texts = Array.from({ length: 40 }, () =>
    Array.from({ length: 1 + rng.below(20) }, () => word(rng.below(2) === 0 ? 4 : 48)).join(" "),
  );
  compare([...texts, "\ud800", "the \ud83e\udd99\udd99 walked", "the llama"]);
  used.classify(Array.from({ length: 270_000 }, (_, i) => i.toString(36)).join(" ")); // more than are kept
  compare(texts);
});

test("damaged files are named, or read; nothing larger than the file is asked for", () => {
  const rng = new Rng(8);
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = bytesOf(golden.models[round % golden.models.length]!.model);
    for (let count = 1 + rng.below(3); count > 0; count--) bytes[rng.below(round % 2 === 0 ? 140 : bytes.length)] = rng.below(256);
    const cut = rng.below(3) === 0 ? bytes.subarray(0, rng.below(bytes.length)) : bytes;
    try {
      new FastTextClassifier(readFastText("damaged", cut)).classify("the llama walked", 2);
    } catch (error) {
      expect(error).toBeInstanceOf(CriaError);
      expect((error as Error).message).toMatch(/^\[fasttext\] damaged: /);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test.each([
  ["another kind", Buffer.from("GGUF............"), "it does not begin as fastText's files do"],
  ["nothing", Buffer.alloc(0), "it ends at byte 0, but 4 bytes follow byte 0"],
])("%s is named", (_, bytes, message) => {
  expect(() => readFastText("x.bin", bytes)).toThrow(message);
});
