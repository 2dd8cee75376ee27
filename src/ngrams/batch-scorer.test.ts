// Sentences scored together against the same sentences word by word.
import { expect, test } from "vitest";
import { Rng, wholly } from "../base/index.ts";
import { BatchScorer, ModelBuilder, type NgramModel, NgramTrainer, PackedWriter, packModel, readPacked } from "./index.ts";

/** A model of random sentences whose words come again. */
function randomModel(order: number, vocabulary: number, sentences: number): NgramModel {
  const rng = new Rng(order);
  const trainer = new NgramTrainer({ order, prune: [0, 1] });
  for (let i = 0; i < sentences; i++) trainer.add(randomIds(rng, vocabulary).map((id) => `w${id}`));
  const builder = new ModelBuilder("random");
  trainer.train(builder);
  return builder.finish();
}

function randomIds(rng: Rng, vocabulary: number): number[] {
  return Array.from({ length: rng.below(12) }, () => rng.below(1 + rng.below(vocabulary)));
}

function packed(model: NgramModel): NgramModel {
  const parts: Uint8Array[] = [];
  wholly(packModel(model, new PackedWriter((bytes) => parts.push(bytes))));
  return readPacked("packed", Buffer.concat(parts));
}

test.each([2, 3, 5])("order %i: the sum over sentences is that of each word by itself, in both kinds of tables", (order) => {
  const built = randomModel(order, 12, 1000);
  for (const model of [built, packed(built)]) {
    const [batch, scorer, rng] = [new BatchScorer(model), model.scorer(), new Rng(7)];
    for (let round = 0; round < 8; round++) {
      const sentences = Array.from({ length: rng.below(400) }, () => randomIds(rng, 15).map((id) => model.words.idOf(`w${id}`)));
      if (round === 0) sentences.push(Array.from({ length: 5000 }, () => rng.below(model.words.size)));
      let sum = 0;
      for (const ids of sentences) {
        batch.add(ids);
        sum += scorer.score(ids);
      }
      expect(batch.finish()).toBe(sum);
    }
    const lengths = model.wordScores("w0 w1 w0 w0 w0 w1").map(({ length }) => length);
    expect(lengths).toContain(order);
  }
});
