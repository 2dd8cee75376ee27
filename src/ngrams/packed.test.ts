// Models in the compact form.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { CriaError, Rng, wholly } from "../base/index.ts";
import { NgramModel, PackedWriter, packModel, readNgrams } from "./index.ts";

const golden: {
  readonly sentences: readonly string[];
  readonly models: readonly { readonly name: string; readonly arpa?: string; readonly binary?: string }[];
} = JSON.parse(readFileSync(new URL("../../test/goldens/ngrams.golden.json", import.meta.url), "utf8"));
const arpas = golden.models.flatMap(({ name, arpa }) =>
  arpa === undefined ? [] : [{ name, arpa: gunzipSync(Buffer.from(arpa, "base64")) }],
);

function packedOf(model: NgramModel): Uint8Array {
  const parts: Uint8Array[] = [];
  wholly(packModel(model, new PackedWriter((bytes) => parts.push(bytes))));
  return Buffer.concat(parts);
}

async function packed(arpa: Uint8Array): Promise<Uint8Array> {
  return packedOf(await readNgrams("x.arpa", arpa));
}

test.each(arpas)("$name: the compact form says the same, rounded to half floats", async ({ arpa }) => {
  const bytes = await packed(arpa);
  const [read, expected] = [await readNgrams("x.ngrams", bytes), await readNgrams("x.arpa", arpa)];
  expect(read.counts).toEqual(expected.counts);
  for (const sentence of golden.sentences) {
    const [found, exact] = [read.wordScores(sentence), expected.wordScores(sentence)];
    expect(
      found.map(({ length }) => length),
      sentence,
    ).toEqual(exact.map(({ length }) => length));
    for (const [i, { logProbability }] of exact.entries())
      expect(Math.abs(found[i]!.logProbability - logProbability), sentence).toBeLessThanOrEqual(
        2 ** -11 * (1 + 4 * Math.abs(logProbability)),
      );
  }
});

test("KenLM's binary files become the compact form, of whatever kind they are", async () => {
  for (const { name, binary } of golden.models) {
    if (binary === undefined) continue;
    const model = await readNgrams("x.bin", new Uint8Array(gunzipSync(Buffer.from(binary, "base64"))));
    const read = await readNgrams("x.ngrams", packedOf(model));
    expect(read.counts.map((count, i) => count >= model.counts[i]!)).not.toContain(false);
    for (const sentence of golden.sentences) {
      const lengths = (one: NgramModel) => one.wordScores(sentence).map(({ length }) => length);
      expect(lengths(read), name).toEqual(lengths(model));
      expect(Math.abs(read.score(sentence) - model.score(sentence)), name).toBeLessThan(
        2 ** -11 * (1 + 4 * Math.abs(model.score(sentence))),
      );
    }
  }
});

test("bytes that threads share are used where they lie", async () => {
  const bytes = await packed(arpas[0]!.arpa);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const { parts } = await readNgrams("shared", shared);
  expect(parts.unigrams.buffer).toBe(shared.buffer);
  const score = (await readNgrams("shared", shared)).score("the llama walked");
  shared.fill(0, shared.length / 2);
  expect((await readNgrams("own", bytes)).score("the llama walked")).toBe(score);
  expect(new NgramModel(parts).score("the llama walked")).not.toBe(score);
});

test("a model in the compact form is not packed again", async () => {
  const model = await readNgrams("x", await packed(arpas[0]!.arpa));
  expect(() => wholly(packModel(model, new PackedWriter(() => undefined)))).toThrow("is in the compact form already");
});

test("damaged files are named, or read; nothing larger than the file is asked for", async () => {
  const rng = new Rng(8);
  const whole = await packed(arpas[0]!.arpa);
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = whole.slice();
    for (let count = 1 + rng.below(3); count > 0; count--) bytes[rng.below(round % 2 === 0 ? 150 : bytes.length)] = rng.below(256);
    const cut = rng.below(3) === 0 ? bytes.subarray(0, rng.below(bytes.length)) : bytes;
    try {
      (await readNgrams("damaged", cut)).score("the llama walked");
    } catch (error) {
      expect(error).toBeInstanceOf(CriaError);
      expect((error as Error).message).toMatch(/^\[ngrams\] damaged[:,]/);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(150);
});

test("another version is named", async () => {
  await expect(readNgrams("x", Buffer.from("cria n-grams 1\n"))).rejects.toThrow("x: it is of another version of the compact form than 2");
});
