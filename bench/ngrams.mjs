// How fast is a language model of n-grams? `node bench/ngrams.mjs [--words N] [--order N] [--vocabulary N]`: trains a model on a text that is drawn at
// random, whose words fall off as Zipf has it, and asks it for the probabilities of another one: words per second, bytes per n-gram, in memory and as files.
// The last row is the step perplexity over text of printed books' letters, normaliser and words included.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Rng } from "../dist/base/index.js";
import { CleanDocument, stepRows } from "../dist/clean/index.js";
import { ArpaWriter, ModelBuilder, NgramTrainer, PackedWriter } from "../dist/ngrams/index.js";

const asked = 1e6;
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
  const rng = new Rng(1);
  const trainer = new NgramTrainer({ order });
  for (let i = 0; i < words; i += sentenceWords) trainer.add(sentence(rng, vocabulary));
  const builder = new ModelBuilder("bench");
  const { orders } = report("training, building tables", words, "words", () => trainer.train(builder));
  const model = builder.finish();
  const ngrams = orders.reduce((sum, { ngrams }) => sum + ngrams, 0);
  console.log(
    `${ngrams.toLocaleString("en-US")} n-grams: ${(model.bytes / ngrams).toFixed(1)} bytes each in memory, ${fileBytes(trainer, ngrams)}`,
  );
  const [scorer, lists] = [
    model.scorer(),
    Array.from({ length: asked / sentenceWords }, () => sentence(rng, vocabulary).map((word) => model.words.idOf(word))),
  ];
  report("queries", asked, "words", () => lists.reduce((sum, ids) => sum + scorer.score(ids), 0));
  await step(trainer, lists, model);
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

function fileBytes(trainer, ngrams) {
  const bytesOf = (Writer) => {
    let bytes = 0;
    const writer = new Writer((part) => {
      bytes += part.length;
    });
    trainer.train(writer);
    writer.finish();
    return (bytes / ngrams).toFixed(1);
  };
  return `${bytesOf(PackedWriter)} in the compact form, ${bytesOf(ArpaWriter)} as ARPA`;
}

async function step(trainer, lists, model) {
  const parts = [];
  const writer = new PackedWriter((part) => parts.push(part));
  trainer.train(writer);
  writer.finish();
  const row = stepRows.find(({ name }) => name === "perplexity");
  const files = { read: async () => Buffer.concat(parts) };
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
