// How likely a document is to a language model of n-grams, by which CCNet tells texts that are like Wikipedia's from others (Wenzek et al. 2020, arXiv
// 1911.00359, section 3.4; facebookresearch/cc_net, perplexity.py).
import { z } from "zod";
import { fail } from "../../base/index.ts";
import type { StatisticStep } from "../corpus-step.ts";
import type { CleanDocument } from "../document.ts";
import { type Outcome, type StepFiles, stepRow } from "../step.ts";
import { type Cutoffs, cutoffsAt, percentilesOf, readCutoffs } from "../text/cutoffs.ts";
import { type MeterMark, openMeter } from "../text/perplexity-meter.ts";

const buckets = ["head", "middle", "tail"] as const;
const usualBuckets: (typeof buckets)[number][] = ["head", "middle"];
const usualPercentiles: [number, number] = [30, 60];
const usualSample = 100_000;
/** What cutoffs are where they are percentiles of the source itself. */
const sampled = "sampled";

const fields = z.strictObject({
  model: z.string().min(1).describe("the file of the model: ARPA, KenLM's binary form, or cria's compact one"),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe(
      "the file of the tokenizer whose pieces the model knows, as CCNet's .sp.model; without it, the one that stands in the model's file, or words between white space",
    ),
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
      "the perplexities from which on a document is in the middle and in the tail: two numbers; sampled, which measures the documents of the source that come so far; or a file: what `cria data percentiles` measured, or CCNet's cutoff.csv with CCNet's own models; no buckets when absent",
    ),
  percentiles: z
    .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
    .optional()
    .describe("the percentiles of the sample or the file that are taken; 30 and 60 by default, as in CCNet"),
  share: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe(
      "where cutoffs are sampled: the share of the documents that the percentiles are of, chosen by a hash of the text; all by default; no document is measured twice",
    ),
  mostSampled: z
    .int()
    .min(1)
    .max(500_000)
    .optional()
    .describe(
      "where cutoffs are sampled: documents that the percentiles are of, at most, which are chosen in the same way; 100,000 by default, of which the standard error is 0.15 of a percentile, and 500,000 at most, of which it is 0.07: memory holds them, and is the same for any number of documents; where there are fewer, percentiles are exact",
    ),
  buckets: z
    .array(z.enum(buckets))
    .min(1)
    .optional()
    .describe("where there are cutoffs: the buckets that stay; head and middle by default, the two that RedPajama keeps"),
});

type CutoffsValue = z.output<typeof fields>["cutoffs"];

/** What cutoffs some parameters are for: with others they would change nothing, and no document would go. */
const needs = [
  { keys: ["buckets"], isUsed: (cutoffs: CutoffsValue) => cutoffs !== undefined, what: "cutoffs" },
  { keys: ["percentiles"], isUsed: (cutoffs: CutoffsValue) => typeof cutoffs === "string", what: "cutoffs of a file, or cutoffs: sampled" },
  { keys: ["share", "mostSampled"], isUsed: (cutoffs: CutoffsValue) => cutoffs === sampled, what: "cutoffs: sampled" },
] as const;

const parameters = fields.superRefine((given, context) => {
  const { cutoffs } = given;
  const found = cutoffs === undefined ? "there are no cutoffs" : `cutoffs are ${JSON.stringify(cutoffs)}`;
  for (const { keys, isUsed, what } of needs)
    for (const key of keys)
      if (given[key] !== undefined && !isUsed(cutoffs))
        context.addIssue({ code: "custom", path: [key], message: `${found}, but ${key} needs ${what}: add that, or leave ${key} out` });
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
  files: ({ model, tokenizer, cutoffs }) =>
    [model, tokenizer, cutoffs === sampled ? undefined : cutoffs].filter((path) => typeof path === "string"),
  async open(given, files) {
    const meter = await openMeter(given, files);
    const cutoffs = await cutoffsOf(given, meter.mark, files);
    return {
      apply: (document) => (isMeasured(document, given) ? outcomeOf(document, meter.measure(document.text), cutoffs, given) : document),
    };
  },
  openStatistic(given, files) {
    return given.cutoffs === sampled ? openSampled(given, files) : undefined;
  },
});

/** The step whose cutoffs are percentiles of the source itself, by language where steps or files tell it. */
async function openSampled(given: Parameters, files: StepFiles): Promise<StatisticStep> {
  const { mark, measure } = await openMeter(given, files);
  return {
    share: given.share ?? 1,
    mostMeasures: given.mostSampled ?? usualSample,
    groupOf: (document) => (isMeasured(document, given) ? (languageOf(document) ?? "") : undefined),
    measure: ({ text }) => measure(text),
    summarise: (groups) => (groups.size === 0 ? null : percentilesOf(groups, mark)),
    decider(summary) {
      if (summary === null)
        return () => fail("data", `perplexity: no document of the sample was measured, with a share of ${given.share ?? 1}: raise it`);
      const cutoffs = cutoffsAt("the sampled percentiles", summary, { mark, percentiles: risingPercentiles(given) });
      return (document, measured) => outcomeOf(document, measured, cutoffs, given);
    },
  };
}

function isMeasured(document: CleanDocument, { language }: Parameters): boolean {
  return (language === undefined || document.facts.language === language) && document.text !== "";
}

function languageOf({ facts: { language } }: CleanDocument): string | undefined {
  return typeof language === "string" ? language : undefined;
}

function outcomeOf(
  document: CleanDocument,
  measured: number,
  cutoffs: Cutoffs | undefined,
  { buckets = usualBuckets }: Parameters,
): Outcome {
  if (cutoffs === undefined) return document.withFacts({ perplexity: measured });
  const [middle, tail] = cutoffs(languageOf(document));
  const bucket = bucketOf(measured, [middle, tail]);
  if (buckets.includes(bucket)) return document.withFacts({ perplexity: measured, bucket });
  return { reason: bucket, measured, limit: bucket === "tail" ? tail : middle };
}

function bucketOf(perplexity: number, [middle, tail]: readonly [number, number]): (typeof buckets)[number] {
  if (perplexity < middle) return "head";
  return perplexity < tail ? "middle" : "tail";
}

async function cutoffsOf(given: Parameters, mark: MeterMark, files: StepFiles): Promise<Cutoffs | undefined> {
  const { cutoffs, language } = given;
  if (cutoffs === undefined) return undefined;
  if (typeof cutoffs === "string")
    return readCutoffs(cutoffs, { settings: given, mark, language, percentiles: risingPercentiles(given) }, files);
  if (cutoffs[0] > cutoffs[1])
    fail(
      "data",
      `the cutoffs of perplexity fall from ${cutoffs[0]} to ${cutoffs[1]}: the first is that of the middle, the second that of the tail`,
    );
  return () => cutoffs;
}

function risingPercentiles({ percentiles = usualPercentiles }: Parameters): readonly [number, number] {
  const [middle, tail] = percentiles;
  return middle <= tail
    ? percentiles
    : fail(
        "data",
        `the percentiles of perplexity fall from ${middle} to ${tail}: the first is that of the middle, the second that of the tail`,
      );
}
