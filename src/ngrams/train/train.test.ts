// Models that lmplz estimates from texts, and ours from the same (test/goldens/make_ngrams.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { Rng, wholly } from "../../base/index.ts";
import { ArpaWriter, ModelBuilder, NgramTrainer, PackedWriter, packModel, readNgrams } from "../index.ts";
import { inMemory, type RecordSpace, type ScratchFile, Spool } from "../records/scratch.ts";

interface Golden {
  readonly training: readonly {
    readonly name: string;
    readonly order: number;
    readonly prune: readonly number[];
    readonly rows: readonly string[];
    readonly arpa: string;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/ngrams.golden.json", import.meta.url), "utf8"));
const wordsOf = (row: string) => (row === "" ? [] : row.split(" "));

function trained({ order, prune, rows }: Pick<Golden["training"][number], "order" | "prune" | "rows">, space?: RecordSpace): NgramTrainer {
  const trainer = new NgramTrainer({ order, prune, ...(space && { space }) });
  for (const row of rows) trainer.add(wordsOf(row));
  return trainer;
}

function arpaOf(trainer: NgramTrainer): string {
  const parts: Uint8Array[] = [];
  const writer = new ArpaWriter((bytes) => parts.push(bytes));
  trainer.train(writer);
  writer.finish();
  return Buffer.concat(parts).toString();
}

/** The probability and the weight of each n-gram. */
function ngramsOf(arpa: string): Map<string, readonly number[]> {
  const rows = arpa.split("\n").flatMap((line) => (line.includes("\t") ? [line.split("\t")] : []));
  return new Map(rows.map(([probability, ngram = "", backoff]) => [ngram, [Number(probability), Number(backoff ?? 0)]]));
}

test.each(golden.training)("$name: n-grams, probabilities and weights are lmplz's", (one) => {
  const [ours, theirs] = [ngramsOf(arpaOf(trained(one))), ngramsOf(gunzipSync(Buffer.from(one.arpa, "base64")).toString())];
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  for (const [ngram, [probability = 0, backoff = 0]] of theirs) {
    expect(ours.get(ngram)?.[0], ngram).toBeCloseTo(probability, 5);
    expect(ours.get(ngram)?.[1], ngram).toBeCloseTo(backoff, 5);
  }
});

/** Random sentences of few words, which come again. */
function randomRows(seed: number, count: number): string[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => Array.from({ length: rng.below(9) }, () => `w${rng.below(1 + rng.below(12))}`).join(" "));
}

test.each([[[]], [[0, 0, 1]], [[0, 1, 2, 3]]])("what may stand behind a context has the probability 1 in all, pruned at %j", (prune) => {
  const rows = randomRows(3, 300);
  const builder = new ModelBuilder("trained");
  trained({ order: 4, prune, rows }).train(builder);
  const model = builder.finish();
  const vocabulary = Array.from({ length: model.words.size }, (_, id) => id).filter((id) => id !== model.bosId);
  for (const context of ["", "w0", "w1 w0 w2", "w3 w3", "unknown", "w0 unknown", "w11 w1"]) {
    const sum = vocabulary.reduce((sum, id) => {
      const scorer = model.scorer();
      scorer.begin();
      for (const word of wordsOf(context)) scorer.next(model.words.idOf(word));
      return sum + 10 ** scorer.next(id);
    }, 0);
    expect(sum, context).toBeCloseTo(1, 5);
  }
});

test("a model comes back from its ARPA file", async () => {
  const rows = randomRows(4, 200);
  const builder = new ModelBuilder("trained");
  const said = trained({ order: 5, prune: [], rows }).train(builder);
  const model = builder.finish();
  const read = await readNgrams("x.arpa", Buffer.from(arpaOf(trained({ order: 5, prune: [], rows }))));
  expect(read.counts).toEqual(model.counts);
  expect(said).toMatchObject({ sentences: 200, words: rows.reduce((sum, row) => sum + wordsOf(row).length, 0) });
  expect(said.orders.map(({ ngrams }) => ngrams)).toEqual(model.counts);
  for (const row of randomRows(5, 100)) expect(read.score(row), row).toBe(model.score(row));
});

test("words go on behind a sentence that is refused", () => {
  const trainer = new NgramTrainer({ order: 2 });
  expect(() => trainer.add(["a", "b c"])).toThrow('the word "b c" is none that a model can hold');
  expect(() => trainer.add(["</s>"])).toThrow("is none that a model can hold");
  expect(() => trainer.train(new ModelBuilder("x"))).toThrow("there are no sentences");
  trainer.add(["a", "b"]);
  trainer.add(["c"]);
  expect(trainer.train(new ModelBuilder("x"))).toMatchObject({ sentences: 2, words: 3, orders: [{ isFallback: true }, {}] });
});

/** Files in memory, and how many there were and are. */
function memoryScratch() {
  const made = { files: 0, left: 0, bytes: 0 };
  const create = (): ScratchFile => {
    const file = new Spool(inMemory);
    made.files++;
    made.left++;
    return {
      write(bytes) {
        made.bytes += bytes.length;
        file.write(bytes);
      },
      read: (at, into) => file.read(at, into),
      remove() {
        made.left--;
      },
    };
  };
  return { made, scratch: { create } };
}

test.each([1 << 12, 1 << 15, 1 << 18])("in %i bytes of memory the same files are made as without a limit", (memory) => {
  for (const [order, prune] of [
    [2, []],
    [3, [0, 1]],
    [5, [0, 0, 1]],
  ] as const) {
    const options = { order, prune, rows: randomRows(order, 400) };
    const { made, scratch } = memoryScratch();
    const space = { memory, scratch };
    expect(arpaOf(trained(options, space))).toBe(arpaOf(trained(options)));
    expect(packedOf(trained(options, space), space)).toEqual(packedOf(trained(options)));
    if (memory < 1 << 15) expect(made.files).toBeGreaterThan(order * 20);
    expect(made.left).toBe(0);
  }
});

function packedOf(trainer: NgramTrainer, space?: RecordSpace): Buffer {
  const parts: Uint8Array[] = [];
  const writer = new PackedWriter((bytes) => parts.push(bytes), space && { space });
  trainer.train(writer);
  writer.finish();
  return Buffer.concat(parts);
}

test("a model that is written in the compact form while it is trained is the one that is packed of its tables", () => {
  const options = { order: 4, prune: [0, 0, 1], rows: randomRows(6, 400) };
  const builder = new ModelBuilder("trained");
  trained(options).train(builder);
  const parts: Uint8Array[] = [];
  wholly(packModel(builder.finish(), new PackedWriter((bytes) => parts.push(bytes))));
  expect(packedOf(trained(options))).toEqual(Buffer.concat(parts));
});

test.each([
  [{ order: 7 }, "the order is 7 but must be 2 to 6"],
  [{ prune: [1] }, "the counts to prune at are 1, but must begin with 0"],
  [{ prune: [0, 2, 1] }, "the counts to prune at are 0, 2, 1"],
  [{ fallback: [0.5, 3, 1] as const }, "the fallback discounts are 0.5, 3, 1"],
])("%o is refused", (options, message) => {
  expect(() => new NgramTrainer(options)).toThrow(message);
});
