// cria data ngrams: a language model of n-grams is learned from texts, which the step perplexity asks.
import { dirname } from "node:path";
import { UsageError } from "../base/index.ts";
import { sentencesOf } from "../clean/index.ts";
import { atomicWrite, makeFolder } from "../files/index.ts";
import { ArpaWriter, NgramTrainer, PackedWriter, type TrainedNgrams } from "../ngrams/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { openAndTell, partsOf, textFlags, textOptions } from "./text-flags.ts";

const where = "data ngrams";
const arpaEnding = ".arpa";

/** The command `cria data ngrams`. */
export const ngramsCommand: Command = {
  name: "ngrams",
  summary: "learn a language model of n-grams from texts, each line a sentence, for the step perplexity",
  usage: "--out FILE TEXT...",
  flags: [
    { name: "out", type: "string", required: true, help: `the model to write: ARPA where it ends in ${arpaEnding}, else the compact form` },
    { name: "order", type: "number", help: "words of the longest n-grams, 2 to 6 (5 unless given)" },
    {
      name: "prune",
      type: "string",
      value: "N,N,…",
      help: "leave n-grams out that occur so often or less, by their orders, such as 0,0,1 (none unless given)",
    },
    { name: "tokenizer", type: "string", help: "whose pieces are learned from (words between white space unless given)" },
    {
      name: "as-written",
      type: "boolean",
      help: "learn from the text as it is, not in small letters, without accents, digits as 0, as CCNet's models",
    },
    {
      name: "max-words",
      type: "number",
      help: "words and marks of sentences that are taken at most, some 130 bytes of memory each (16777216 unless given)",
    },
    ...textFlags,
  ],
  async run(paths, flags, io) {
    const out = required(stringFlag(flags, "out"), where, "out");
    const [order, mostWords] = [wholeFlag(flags, where, "order"), wholeFlag(flags, where, "max-words")];
    const prune = thresholds(stringFlag(flags, "prune"));
    if (paths.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const trainer = new NgramTrainer({
      prune,
      ...(order === undefined ? {} : { order }),
      ...(mostWords === undefined ? {} : { mostWords }),
    });
    const named = stringFlag(flags, "tokenizer");
    const tokenizer = named === undefined ? undefined : await loadTokenizer(named, io);
    await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
    for await (const text of partsOf(texts, io))
      for (const sentence of sentencesOf(text, { tokenizer, normalise: !booleanFlag(flags, "as-written") })) trainer.add(sentence);
    const parts: Uint8Array[] = [];
    const writer = new (out.endsWith(arpaEnding) ? ArpaWriter : PackedWriter)((bytes) => parts.push(bytes));
    const trained = trainer.train(writer);
    writer.finish();
    await makeFolder(dirname(out), where);
    await atomicWrite(out, parts, where);
    io.stdout(io.json ? `${JSON.stringify({ out, ...trained })}\n` : told(out, trained));
    return 0;
  },
};

function thresholds(text: string | undefined): readonly number[] {
  if (text === undefined) return [];
  if (!/^\d+(?:,\d+)*$/.test(text)) throw new UsageError(where, `--prune is ${text} but must be counts with commas, such as 0,0,1`);
  return text.split(",").map(Number);
}

function told(out: string, { sentences, words, orders }: TrainedNgrams): string {
  const rows = orders.map(({ ngrams, pruned, discounts, isFallback }, i) => {
    const taken = discounts.map((discount) => discount.toFixed(3)).join(", ");
    const more = `${pruned > 0 ? `, ${pruned} pruned` : ""}${isFallback ? ", too few to estimate discounts" : ""}`;
    return `  ${i + 1}-grams: ${ngrams}, discounts ${taken}${more}\n`;
  });
  return `${out}: learned from ${words} words in ${sentences} sentences\n${rows.join("")}`;
}
