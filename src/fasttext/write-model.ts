// Writes a trained classifier in fastText's form, which read-model.ts draws: plain matrices, no n-gram pruned.
import { labelPrefix, type Matrix, magic, version } from "./read-model.ts";
import type { TrainedFastText } from "./trainer.ts";
import { signedBytes } from "./word-hash.ts";
import { wordsIn } from "./word-list.ts";

/** The pieces of the file, in their order; matrices are views of the model's own. */
export function writeFastText({ model, training }: TrainedFastText): readonly Uint8Array[] {
  const { settings, words, labels, labelCounts, input, output } = model;
  const { dim, wordNgrams, loss, bucket, minn, maxn } = settings;
  // Neither a window (ws) nor negative samples (neg) nor a sampling threshold (t) has a meaning for classifiers by softmax: these are fastText's defaults.
  const [ws, neg, supervised, lrUpdateRate, t] = [5, 5, 3, 100, 1e-4];
  const numbers = [dim, ws, training.epoch, training.minCount, neg, wordNgrams, loss, supervised, bucket, minn, maxn, lrUpdateRate];
  const entries = [
    ...Array.from(wordsIn(words), (word, i) => entry(word, training.wordCounts[i] ?? 0, 0)),
    ...labels.map((label, i) => entry(signedBytes(labelPrefix + label), labelCounts[i] ?? 0, 1)),
  ];
  return [
    i32s([magic, version, ...numbers]),
    f64(t),
    i32s([entries.length, words.length, labels.length]),
    i64s([training.tokens, -1]),
    ...entries,
    Uint8Array.of(0),
    ...matrix(input),
    Uint8Array.of(0),
    ...matrix(output),
  ];
}

function entry(bytes: Int8Array, count: number, type: number): Uint8Array {
  const whole = new Uint8Array(bytes.length + 10);
  whole.set(bytes);
  new DataView(whole.buffer).setBigInt64(bytes.length + 1, BigInt(count), true);
  whole[bytes.length + 9] = type;
  return whole;
}

function matrix({ rows, columns, values }: Matrix): Uint8Array[] {
  return [i64s([rows, columns]), new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
}

function i32s(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(numbers).buffer);
}

function i64s(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
}

function f64(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}
