// How likely a document is to a language model of n-grams, by which CCNet tells texts that are like Wikipedia's from others (Wenzek et al. 2020, arXiv
// 1911.00359, section 3.4; facebookresearch/cc_net, perplexity.py).
import { z } from "zod";
import { fail } from "../../base/index.ts";
import { type StepFiles, stepRow } from "../step.ts";
import { readCutoffs } from "../text/cutoffs.ts";
import { type MeterMark, openMeter } from "../text/perplexity-meter.ts";

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
      "the perplexities from which on a document is in the middle and in the tail, or a file of them: what `cria data percentiles` measured, or CCNet's cutoff.csv with CCNet's own models; no buckets when absent",
    ),
  percentiles: z
    .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
    .default([30, 60])
    .describe("the percentiles of the file that are taken; 30 and 60 in CCNet"),
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
    const { language } = given;
    const meter = await openMeter(given, files);
    const cutoffs = await cutoffsOf(given, meter.mark, files);
    return {
      apply(document) {
        if ((language !== undefined && document.facts.language !== language) || document.text === "") return document;
        const measured = meter.measure(document.text);
        if (cutoffs === undefined) return document.withFacts({ perplexity: measured });
        const bucket = bucketOf(measured, cutoffs);
        if (given.buckets.includes(bucket)) return document.withFacts({ perplexity: measured, bucket });
        return { reason: bucket, measured, limit: bucket === "tail" ? cutoffs[1] : cutoffs[0] };
      },
    };
  },
});

function bucketOf(perplexity: number, [middle, tail]: readonly [number, number]): (typeof buckets)[number] {
  if (perplexity < middle) return "head";
  return perplexity < tail ? "middle" : "tail";
}

async function cutoffsOf(given: Parameters, mark: MeterMark, files: StepFiles): Promise<readonly [number, number] | undefined> {
  const { cutoffs, percentiles, language } = given;
  const pair = typeof cutoffs === "string" ? await readCutoffs(cutoffs, { settings: given, mark, language, percentiles }, files) : cutoffs;
  if (pair !== undefined && pair[0] > pair[1])
    fail(
      "data",
      `the cutoffs of perplexity fall from ${pair[0]} to ${pair[1]}: the first is that of the middle, the second that of the tail`,
    );
  return pair;
}
