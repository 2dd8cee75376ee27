// How likely a document is to a language model of n-grams, by which CCNet tells texts that are like Wikipedia's from others (Wenzek et al. 2020, arXiv
// 1911.00359, section 3.4; facebookresearch/cc_net, perplexity.py).
import { z } from "zod";
import { fail, memorySource } from "../../base/index.ts";
import { type NgramModel, readNgrams } from "../../ngrams/index.ts";
import { type StepFiles, stepRow } from "../step.ts";
import { type Pieces, tokenizerPieces, wordPieces } from "../text/pieces.ts";
import { plainText } from "../text/plain-text.ts";

const buckets = ["head", "middle", "tail"] as const;

const parameters = z.strictObject({
  model: z.string().min(1).describe("the file of the model: ARPA, KenLM's binary form, or cria's compact one"),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe("the file of the tokenizer whose pieces the model knows, as CCNet's .sp.model; without it, words between white space"),
  language: z
    .string()
    .min(1)
    .optional()
    .describe("the language of the model: documents of others, as the step language tells, stay as they are"),
  normalise: z
    .boolean()
    .default(true)
    .describe("whether the text is read as CCNet's models read it: in small letters, without accents, digits as 0"),
  lineEnds: z
    .enum(["sentences", "deleted"])
    .default("sentences")
    .describe(
      "whether each line is a sentence, or line ends are deleted and the text is one sentence, as its normaliser makes it in CCNet",
    ),
  cutoffs: z
    .union([z.tuple([z.number().positive(), z.number().positive()]), z.string().min(1)])
    .optional()
    .describe(
      "the perplexities from which on a document is in the middle and in the tail, or a table of them as CCNet's cutoff.csv; no buckets when absent",
    ),
  percentiles: z
    .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
    .default([30, 60])
    .describe("the rows of the table that are taken; 30 and 60 in CCNet"),
  buckets: z
    .array(z.enum(buckets))
    .min(1)
    .default(["head", "middle"])
    .describe("the buckets that stay; head and middle are the two that RedPajama keeps"),
});

type Parameters = z.output<typeof parameters>;

/** The filter by perplexity. */
export const perplexity = stepRow({
  name: "perplexity",
  summary: "finds how likely a text is to a language model of n-grams, and keeps some buckets of it",
  source: "Wenzek et al. 2020, arXiv 1911.00359, section 3.4; facebookresearch/cc_net, perplexity.py, text_normalizer.py",
  deeds: ["finds", "drops"],
  reasons: {
    head: "is among the texts that the model finds most likely",
    middle: "is among the texts that the model finds neither likely nor unlikely",
    tail: "is among the texts that the model finds least likely",
  },
  parameters,
  files: ({ model, tokenizer, cutoffs }) => [model, tokenizer, cutoffs].filter((path) => typeof path === "string"),
  async open(given, files) {
    const { language, lineEnds, normalise } = given;
    const model = await readNgrams(given.model, await files.read(given.model));
    const pieces = await openPieces(model, given.tokenizer, files);
    const cutoffs = await readCutoffs(given, files);
    return {
      apply(document) {
        if ((language !== undefined && document.facts.language !== language) || document.text === "") return document;
        const sentences = lineEnds === "sentences" ? document.text.split("\n") : [document.text.replaceAll("\n", "")];
        const measured = perplexityOf(model, pieces, normalise ? sentences.map(plainText) : sentences);
        if (cutoffs === undefined) return document.withFacts({ perplexity: measured });
        const bucket = bucketOf(measured, cutoffs);
        if (given.buckets.includes(bucket)) return document.withFacts({ perplexity: measured, bucket });
        return { reason: bucket, measured, limit: bucket === "tail" ? cutoffs[1] : cutoffs[0] };
      },
    };
  },
});

/** 10^(-log10 of the probability per word), where the end of each sentence is a word, to one decimal, as CCNet has it. */
function perplexityOf(model: NgramModel, pieces: Pieces, sentences: readonly string[]): number {
  const scorer = model.scorer();
  let [sum, words] = [0, 0];
  for (const sentence of sentences) {
    const ids = pieces(sentence);
    sum += scorer.score(ids);
    words += ids.length + 1;
  }
  return Number((10 ** (-sum / words)).toFixed(1));
}

function bucketOf(perplexity: number, [middle, tail]: readonly [number, number]): (typeof buckets)[number] {
  if (perplexity < middle) return "head";
  return perplexity < tail ? "middle" : "tail";
}

async function openPieces(model: NgramModel, path: string | undefined, files: StepFiles): Promise<Pieces> {
  if (path === undefined) return wordPieces(model.words);
  const { openTokenizer, sourceFiles } = await import("../../open/index.ts");
  const place = { files: sourceFiles(".", { [path]: memorySource(path, await files.read(path)) }), file: path };
  return tokenizerPieces(model.words, await openTokenizer(place));
}

async function readCutoffs(
  { cutoffs, percentiles, language }: Parameters,
  files: StepFiles,
): Promise<readonly [number, number] | undefined> {
  const pair = typeof cutoffs === "string" ? readTable(cutoffs, await files.read(cutoffs), language, percentiles) : cutoffs;
  if (pair !== undefined && pair[0] > pair[1])
    fail(
      "data",
      `the cutoffs of perplexity fall from ${pair[0]} to ${pair[1]}: the first is that of the middle, the second that of the tail`,
    );
  return pair;
}

/** A table as cutoff.csv: a column per language, a row per percentile, whose first value it is. */
function readTable(
  path: string,
  bytes: Uint8Array,
  language: string | undefined,
  percentiles: readonly [number, number],
): readonly [number, number] {
  if (language === undefined) return fail("data", `${path}: it has cutoffs of many languages: say the language`);
  const [head = [], ...rows] = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const column = head.indexOf(language, 1);
  if (column < 0)
    return fail("data", `${path}: it has no cutoffs of "${language}", but of ${head.slice(1).join(", ")}: give two numbers instead`);
  const cutoffAt = (percentile: number) => {
    const text = rows.find(([first = ""]) => first !== "" && Number(first) === percentile)?.[column] ?? "";
    const value = Number(text);
    return text !== "" && value >= 0
      ? value
      : fail("data", `${path}: it has no cutoff of "${language}" at the percentile ${percentile}: name other percentiles`);
  };
  return [cutoffAt(percentiles[0]), cutoffAt(percentiles[1])];
}
