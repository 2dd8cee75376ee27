// How fast is a language model of n-grams? `node bench/ngrams.mjs [--words N] [--order N] [--vocabulary N]`: trains a model on a text that is drawn at
// random, whose words fall off as Zipf has it, and asks it for the probabilities of another one: words per second, bytes per n-gram.
// The last row is the step perplexity over text of printed books' letters, normaliser and words included.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Rng } from "../dist/base/index.js";
import { CleanDocument, stepRows } from "../dist/clean/index.js";
import { BatchScorer, NgramTrainer, PackedWriter, readPacked } from "../dist/ngrams/index.js";

const sentenceWords = 20;

export async function run(args = []) {
  const { values } = parseArgs({
    args,
    options: {
      words: { type: "string", default: "1000000" },
      order: { type: "string", default: "5" },
      vocabulary: { type: "string", default: "30000" },
    },
  });
  const [words, order, vocabulary] = [values.words, values.order, values.vocabulary].map(Number);
  const sentences = (seed) => {
    const rng = new Rng(seed);
    return Array.from({ length: words / sentenceWords }, () => sentence(rng, vocabulary));
  };
  const parts = [];
  const packed = new PackedWriter((part) => parts.push(part));
  const { orders } = report("training and writing", words, "words", () => {
    const trainer = new NgramTrainer({ order });
    for (const one of sentences(1)) trainer.add(one);
    return trainer.train(packed);
  });
  packed.finish();
  const ngrams = orders.reduce((sum, { ngrams }) => sum + ngrams, 0);
  const file = Buffer.concat(parts);
  console.log(`${ngrams.toLocaleString("en-US")} n-grams: ${(file.length / ngrams).toFixed(1)} bytes each`);
  const model = readPacked("bench", file);
  const lists = sentences(2).map((one) => one.map((word) => model.words.idOf(word)));
  const [scorer, batch] = [model.scorer(), new BatchScorer(model)];
  report("queries, word by word", words, "words", () => lists.reduce((sum, ids) => sum + scorer.score(ids), 0));
  report("queries, together", words, "words", () => {
    for (const ids of lists) batch.add(ids);
    return batch.finish();
  });
  await step(file, lists, model);
}

/** A word is often followed by one that depends on it, so that long n-grams come again. */
function sentence(rng, vocabulary) {
  const words = [];
  for (let i = 0, word = 0; i < sentenceWords; i++) {
    const zipf = Math.floor(Math.exp(rng.uniform() * Math.log(vocabulary)));
    word = rng.uniform() < 0.5 ? zipf : (word * 31 + Math.min(zipf, 7)) % vocabulary;
    words.push(`▁w${word.toString(36)}`);
  }
  return words;
}

async function step(file, lists, model) {
  const row = stepRows.find(({ name }) => name === "perplexity");
  const files = { read: async () => file };
  const opened = await row.open(row.parameters.parse({ model: "bench" }), files);
  const text = lists.map((ids) => ids.map((id) => model.words.wordOf(id)).join(" ")).join("\n");
  const document = new CleanDocument(text);
  report("the step perplexity", Buffer.byteLength(text), "bytes", () => opened.apply(document));
}

function report(name, count, unit, work) {
  const started = process.cpuUsage();
  const result = work();
  const seconds = process.cpuUsage(started).user / 1e6;
  console.log(`${name}: ${(count / seconds / 1e6).toFixed(2)} million ${unit} per second of CPU time`);
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
