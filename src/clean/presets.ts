// Chains of steps by the names of the corpora that they are from. A preset stands in a recipe where a step may: { preset: c4, languageModel: lid.176.bin }.
import { z } from "zod";
import { didYouMean, fail } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import type { StepEntries } from "./chain.ts";

/** A chain of steps with a name. @template Parameters the files that its steps need */
export interface Preset<Parameters extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** A sentence for help. */
  readonly summary: string;
  /** Where the chain and its thresholds stand, and what of it is other here. */
  readonly source: string;
  /** What a recipe sets: files, mostly; each key has a description. */
  readonly parameters: Parameters;
  steps(parameters: z.output<Parameters>): StepEntries;
}

function preset<Parameters extends z.ZodObject>(row: Preset<Parameters>): Preset<Parameters> {
  return row;
}

const path = z.string().min(1);
const file = (what: string) => path.describe(`the file of ${what}`);
const languageModel = file("fastText's classifier of languages, lid.176");
const badWords = path
  .optional()
  .describe("the file of words whose pages go, one per line, as LDNOOBW's English list; no page goes for its words when absent");

const redPajama = preset({
  name: "redpajama",
  summary: "RedPajama's way through a dump of Common Crawl, which is CCNet's with a classifier behind it",
  source:
    "togethercomputer/RedPajama-Data, rp_v1, data_prep/cc; facebookresearch/cc_net. CCNet's groups are 3 % of a dump, which 33 parts of any source are taken for here",
  parameters: z.strictObject({
    languageModel,
    perplexityModel: file("CCNet's language model of Wikipedia, en.arpa.bin"),
    tokenizer: path.optional().describe("the file of its pieces, en.sp.model; those that stand in the model's file when absent"),
    cutoffs: path.describe(
      "the file of CCNet's perplexities by language and percentile, cutoff.csv; sampled takes percentiles of the source itself",
    ),
    classifier: file("a classifier that tells pages which Wikipedia refers to from random ones"),
    label: z.string().min(1).default("wiki").describe("what the classifier calls the pages that stay"),
    language: z.string().min(1).default("en").describe("the language that stays"),
  }),
  steps: ({ languageModel, perplexityModel, tokenizer, cutoffs, classifier, label, language }) => [
    { length: { minCharacters: 300 } },
    { dedupLines: { keep: "none", groups: 33 } },
    { language: { model: languageModel, languages: [language], minScore: 0.5, lineEnds: "deleted" } },
    {
      perplexity: {
        model: perplexityModel,
        ...(tokenizer !== undefined && { tokenizer }),
        ...{ cutoffs, language, lineEnds: "deleted", buckets: ["head", "middle"] },
      },
    },
    { classifier: { model: classifier, label, minScore: 0.25 } },
    "dedupDocuments",
  ],
});

/** The rules of C4's generator, which also counts the sentences that are left when repeated lines are gone. */
const c4Rules = { minWords: 5, countsCitations: false, minSentences: 3, maxWordLength: 1000 };

const c4 = preset({
  name: "c4",
  summary: "C4 as its released generator makes it",
  source:
    "tensorflow/datasets 4, c4.py and c4_utils.py. Here fastText tells the language instead of langdetect, at 0.5, which of English texts keeps those that langdetect keeps at 0.99, while 0.99 would drop most of them; sentences are counted by their marks instead of by punkt, the first copy of a line stays instead of one that a hash of its address chooses, and pages of one address are not joined",
  parameters: z.strictObject({ languageModel, badWords }),
  steps: ({ languageModel, badWords }) => [
    { c4Quality: { ...c4Rules, maxCharacters: 190_000 } },
    { dedupLines: { keep: "first", compares: "small letters" } },
    { c4Quality: c4Rules },
    { language: { model: languageModel, languages: ["en"], minScore: 0.5 } },
    ...listed("blockWords", { list: badWords }),
  ],
});

const c4Datatrove = preset({
  name: "c4-datatrove",
  summary: "C4's rules as datatrove reads the paper's prose",
  source: "Raffel et al. 2020, arXiv 1910.10683, section 2.2; datatrove 0.10.1, C4QualityFilter and C4BadWordsFilter",
  parameters: z.strictObject({ badWords }),
  steps: ({ badWords }) => [
    { c4Quality: { minWords: 3, minSentences: 5, maxWordLength: 1000, lineEnds: [".", "?", "!", '"', "'"] } },
    ...listed("blockWords", { list: badWords }),
  ],
});

const massiveWeb = {
  gopherQuality: {
    ...{ minWords: 50, maxWords: 100_000, minMeanLength: 3, maxMeanLength: 10, maxSymbols: 0.1, maxBulletLines: 0.9 },
    ...{ maxEllipsisLines: 0.3, minLetterWords: 0.8, minStopWords: 2 },
  },
  gopherRepetition: {
    ...{ maxLines: 0.3, maxParagraphs: 0.3, maxLineCharacters: 0.2, maxParagraphCharacters: 0.2 },
    topGrams: { 2: 0.2, 3: 0.18, 4: 0.16 },
    repeatedGrams: { 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1 },
  },
};

const gopher = preset({
  name: "gopher",
  summary: "MassiveWeb's rules for quality, repetition and copies",
  source:
    "Rae et al. 2021, arXiv 2112.11446, appendix A1.1, in datatrove's reading (0.10.1). Bands and rows find half of the pairs whose similarity is 0.8, which is where the paper cuts",
  parameters: z.strictObject({}),
  steps: () => [
    { gopherQuality: massiveWeb.gopherQuality },
    { gopherRepetition: massiveWeb.gopherRepetition },
    "dedupDocuments",
    { dedupNear: { words: 13, bands: 20, rows: 15 } },
  ],
});

const fineweb = preset({
  name: "fineweb",
  summary: "FineWeb's way through a dump of Common Crawl",
  source:
    "Penedo et al. 2024, arXiv 2406.17557, section 3; huggingface/datatrove 0.10.1, examples/fineweb.py. Addresses are held against one list of hosts, and one address stands for all that are masked",
  parameters: z.strictObject({
    languageModel,
    hosts: path
      .optional()
      .describe("the file of hosts whose pages go, one per line, as the lists of UT1; no page goes for its host when absent"),
  }),
  steps: ({ languageModel, hosts }) => [
    ...listed("blockUrls", { hosts }),
    { language: { model: languageModel, languages: ["en"], minScore: 0.65 } },
    { gopherRepetition: massiveWeb.gopherRepetition },
    { gopherQuality: massiveWeb.gopherQuality },
    { c4Quality: { minWords: 3, minSentences: 5, lineEnds: [], dropsEllipses: false } },
    { finewebQuality: { minEndedLines: 0.12, maxShortLines: 0.67, shortLine: 30, maxRepeatedCharacters: 0.01, maxLinesPerWord: 0.3 } },
    { dedupNear: { words: 5, bands: 14, rows: 8 } },
    { maskPersonal: { phone: null, key: null } },
  ],
});

/** A step whose list is there. */
function listed(step: string, parameters: Readonly<Record<string, string | undefined>>): StepEntries {
  return Object.values(parameters).includes(undefined) ? [] : [{ [step]: { ...parameters } }];
}

/** The presets that recipes may name. */
export const presets: readonly Preset[] = [redPajama, c4, c4Datatrove, gopher, fineweb];

/** The entries with the steps of presets in the presets' places. @throws CriaError naming what is no preset, or lacks a file */
export function expandPresets(entries: StepEntries, name = "the recipe"): StepEntries {
  return entries.flatMap((entry, i) => {
    if (typeof entry === "string" || !("preset" in entry)) return [entry];
    const { preset: called, ...given } = entry;
    const place = `${name}: steps[${i}]`;
    const found = presets.find((one) => one.name === called);
    if (found === undefined) {
      const names = presets.map((one) => one.name);
      return fail("data", `${place}: "${called}" is no preset${didYouMean(String(called), names) || `: presets are ${names.join(", ")}`}`);
    }
    return found.steps(parseWith(found.parameters, given, "data", `${place}, preset ${found.name}`));
  });
}

/** A preset's steps as a recipe would list them; a file is told as the parameter that names it, in pointed brackets. */
export function presetSteps({ parameters, steps }: Preset): StepEntries {
  const names = Object.keys(parameters.shape).map((key) => [key, `<${key}>`]);
  return steps(parameters.parse(Object.fromEntries(names)));
}
