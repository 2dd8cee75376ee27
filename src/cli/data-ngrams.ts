// cria data ngrams: a language model of n-grams is learned from texts, which the step perplexity asks, or one is written in the compact form.
import { byteSize, inSlices, UsageError } from "../base/index.ts";
import { sentenceReader } from "../clean/index.ts";
import { atomicWrite, openFile, ScratchFolder } from "../files/index.ts";
import {
  ArpaWriter,
  isKenLm,
  NgramTrainer,
  PackedWriter,
  packModel,
  type RecordSpace,
  readNgrams,
  type TrainedNgrams,
} from "../ngrams/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { booleanFlag, numberFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { type NgramPieces, openPieces, pieceFlags } from "./ngram-pieces.ts";
import { openAndTell, partsOf, textFlags, textOptions } from "./text-flags.ts";

const where = "data ngrams";
const arpaEnding = ".arpa";
const usualMemory = 1e9;
const leastMemory = 1e6;

/** The command `cria data ngrams`. */
export const ngramsCommand: Command = {
  name: "ngrams",
  summary: "learn a language model of n-grams from texts, each line a sentence, for the step perplexity",
  usage: "--out FILE TEXT... | --out FILE --from MODEL",
  flags: [
    { name: "out", type: "string", required: true, help: `the model to write: ARPA where it ends in ${arpaEnding}, else the compact form` },
    {
      name: "from",
      type: "string",
      value: "MODEL",
      help: "write a model that is there, in ARPA's or KenLM's binary form, in the compact form",
    },
    { name: "order", type: "number", help: "words of the longest n-grams, 2 to 6 (5 unless given)" },
    {
      name: "prune",
      type: "string",
      value: "N,N,…",
      help: "leave n-grams out that occur so often or less, by their orders, such as 0,0,1 (none unless given)",
    },
    ...pieceFlags,
    {
      name: "as-written",
      type: "boolean",
      help: "learn from the text as it is, not in small letters, without accents, digits as 0, as CCNet's models",
    },
    {
      name: "memory",
      type: "number",
      value: "BYTES",
      help: `memory for n-grams, such as 500M or 4G; what does not fit is sorted on disk, beside the model (${byteSize(usualMemory)} unless given)`,
    },
    ...textFlags,
  ],
  async run(paths, flags, io) {
    const out = required(stringFlag(flags, "out"), where, "out");
    const from = stringFlag(flags, "from");
    const memory = numberFlag(flags, "memory") ?? usualMemory;
    if (!(memory >= leastMemory)) throw new UsageError(where, `--memory is ${memory} bytes but must be at least ${leastMemory} (1M)`);
    if ((from === undefined) === (paths.length === 0))
      throw new UsageError(where, "name either texts, files, folders or patterns, or - for standard input, or a model by --from");
    if (from !== undefined && out.endsWith(arpaEnding))
      throw new UsageError(where, `--out ${out} is ARPA's form, but --from writes the compact form: let it end otherwise`);
    await using scratch = await ScratchFolder.open(out, where);
    const work = { out, scratch, space: { memory, scratch } };
    io.stdout(from === undefined ? await learn(paths, flags, work, io) : await convert(from, work, io));
    return 0;
  },
};

/** Where a model is made. */
interface Work {
  readonly out: string;
  readonly scratch: ScratchFolder;
  readonly space: RecordSpace;
}

async function learn(paths: readonly string[], flags: Flags, { out, scratch, space }: Work, io: CommandIo): Promise<string> {
  const order = wholeFlag(flags, where, "order");
  const trainer = new NgramTrainer({ prune: thresholds(stringFlag(flags, "prune")), space, ...(order === undefined ? {} : { order }) });
  await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
  const pieces = await openPieces(texts, flags, io, where);
  const sentences = sentenceReader((word) => trainer.idOf(word), { ...pieces, normalise: !booleanFlag(flags, "as-written") });
  for await (const text of partsOf(texts, io)) for (const sentence of sentences(text)) trainer.addIds(sentence);
  const file = scratch.create();
  const isArpa = out.endsWith(arpaEnding);
  const write = (bytes: Uint8Array) => file.write(bytes);
  const tokenizer = pieces.json && { tokenizer: pieces.json };
  const writer = isArpa ? new ArpaWriter(write) : new PackedWriter(write, { space: halfOf(space), ...tokenizer });
  const trained = await inSlices(trainer.training(writer, io.progress), io.signal);
  writer.finish();
  if (isArpa && pieces.json !== undefined) await atomicWrite(`${out}.tokenizer.json`, pieces.json, where);
  await scratch.keep(file, out);
  return io.json ? `${JSON.stringify({ out, ...trained })}\n` : told(out, pieces, trained);
}

/** What is written is sorted while the trainer still holds lists of what it gives. */
function halfOf({ memory, scratch }: RecordSpace): RecordSpace {
  return { memory: memory / 2, scratch };
}

async function convert(from: string, { out, scratch, space }: Work, io: CommandIo): Promise<string> {
  await using source = await openFile(from, where);
  const bytes = await source.read(0, source.size);
  const model = await readNgrams(from, bytes);
  const file = scratch.create();
  const writer = new PackedWriter((part) => file.write(part), { space, isOfKenLm: isKenLm(bytes) });
  await inSlices(packModel(model, writer), io.signal);
  writer.finish();
  await scratch.keep(file, out);
  const { counts } = model;
  return io.json ? `${JSON.stringify({ out, counts })}\n` : `${out}: ${counts.map((count, i) => `${count} ${i + 1}-grams`).join(", ")}\n`;
}

function thresholds(text: string | undefined): readonly number[] {
  if (text === undefined) return [];
  if (!/^\d+(?:,\d+)*$/.test(text)) throw new UsageError(where, `--prune is ${text} but must be counts with commas, such as 0,0,1`);
  return text.split(",").map(Number);
}

function told(out: string, { tokenizer, json }: NgramPieces, { sentences, words, orders }: TrainedNgrams): string {
  const rows = orders.map(({ ngrams, pruned, discounts, isFallback }, i) => {
    const taken = discounts.map((discount) => discount.toFixed(3)).join(", ");
    const more = `${pruned > 0 ? `, ${pruned} pruned` : ""}${isFallback ? ", too few to estimate discounts" : ""}`;
    return `  ${i + 1}-grams: ${ngrams}, discounts ${taken}${more}\n`;
  });
  const place = out.endsWith(arpaEnding) ? `in ${out}.tokenizer.json` : "in the model's file";
  const of =
    tokenizer === undefined
      ? "words"
      : `pieces of a tokenizer of ${tokenizer.vocabSize}${json === undefined ? "" : `, which is ${place},`}`;
  return `${out}: learned from ${words} ${of} in ${sentences} sentences\n${rows.join("")}`;
}
