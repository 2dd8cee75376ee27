// A classifier as its definition has it, word by word and n-gram by n-gram from strings, in float64: the judge of the fast one.
import type { FastTextModel } from "./read-model.ts";
import { type WordList, wordsIn } from "./word-list.ts";

const encoder = new TextEncoder();

/** FNV-1a over UTF-8, whose bytes are signed. */
function hashOf(text: string): number {
  let hash = 2166136261;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ (byte < 128 ? byte : byte - 256), 16777619);
  return hash >>> 0;
}

function rowOf({ words, pruned }: FastTextModel, bucket: number): number[] {
  const row = pruned === undefined ? bucket : pruned.get(bucket);
  return row === undefined ? [] : [words.length + row];
}

const lists = new WeakMap<WordList, readonly string[]>();

/** The words of a list as strings. */
function textsOf(list: WordList): readonly string[] {
  const texts = lists.get(list) ?? Array.from(wordsIn(list), (bytes) => Buffer.from(bytes).toString());
  lists.set(list, texts);
  return texts;
}

/** The rows of a word and of its n-grams of characters. */
export function naiveWordRows(model: FastTextModel, word: string): number[] {
  const { minn, maxn, bucket } = model.settings;
  const id = textsOf(model.words).indexOf(word);
  const rows = id < 0 ? [] : [id];
  const characters = word === "</s>" ? [] : Array.from(`<${word}>`);
  for (let start = 0; start < characters.length; start++)
    for (let size = 1; size <= maxn && start + size <= characters.length; size++) {
      const isMark = size === 1 && (start === 0 || start === characters.length - 1);
      if (size >= minn && !isMark) rows.push(...rowOf(model, hashOf(characters.slice(start, start + size).join("")) % bucket));
    }
  return rows;
}

/** The rows of a text: of its words with their n-grams, and of two to n words in a row. */
function rowsOfText(model: FastTextModel, text: string): number[] {
  const { bucket, wordNgrams } = model.settings;
  const words = [...text.split(/[ \t\n\v\f\r\0]+/).filter((word) => word !== ""), "</s>"];
  const rows = words.flatMap((word) => naiveWordRows(model, word));
  for (let start = 0; start < words.length; start++) {
    let hash = BigInt.asIntN(32, BigInt(hashOf(words[start] ?? "")));
    for (const word of words.slice(start + 1, start + wordNgrams)) {
      hash = hash * 116049371n + BigInt.asIntN(32, BigInt(hashOf(word)));
      rows.push(...rowOf(model, Number(BigInt.asUintN(64, hash) % BigInt(bucket))));
    }
  }
  return rows;
}

/** Each label's probability by softmax, or by one logistic function per label; undefined where the text has no row. */
export function naiveProbabilities(model: FastTextModel, text: string): number[] | undefined {
  const { input, output, settings } = model;
  const rows = rowsOfText(model, text);
  if (rows.length === 0) return undefined;
  const mean = Array.from(
    { length: settings.dim },
    (_, i) => rows.reduce((sum, row) => sum + input.values[row * settings.dim + i]!, 0) / rows.length,
  );
  const scores = model.labels.map((_, label) => mean.reduce((sum, value, i) => sum + value * output.values[label * settings.dim + i]!, 0));
  if (settings.loss === 4) return scores.map((score) => 1 / (1 + Math.exp(-score)));
  const weights = scores.map((score) => Math.exp(score));
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}
