// Perplexities at the percentiles of a corpus, from which a document is in the middle and in the tail (Wenzek et al. 2020, arXiv 1911.00359, section 3.4).
// They hold only for the model, the pieces and the settings that they were measured with: our own file names these, CCNet's table goes with its own models.
import { z } from "zod";
import { fail, parseJson } from "../../base/index.ts";
import { isKenLm } from "../../ngrams/index.ts";
import { parseWith } from "../../schema/index.ts";
import type { StepFiles } from "../step.ts";
import type { MeterMark, MeterSettings } from "./perplexity-meter.ts";

const where = "data";

const form = z.strictObject({
  measuredWith: z.strictObject({
    model: z.string(),
    tokenizer: z.string().nullable(),
    normalise: z.boolean(),
    lineEnds: z.enum(["sentences", "deleted"]),
  }),
  documents: z.int().min(1),
  perplexities: z.array(z.number().positive()).length(101),
});

/** The perplexities at the percentiles 0 to 100 of a sample, and what they were measured with: a file that the step perplexity takes as its cutoffs. */
export type PerplexityPercentiles = z.output<typeof form>;

/** The percentiles of measured perplexities, between two of which lines are drawn, as numpy.percentile does. */
export function percentilesOf(measured: Float64Array, measuredWith: MeterMark): PerplexityPercentiles {
  const sorted = measured.slice().sort();
  const at = (place: number) => sorted[place] ?? fail(where, "no perplexity was measured, but percentiles need some: give texts");
  const perplexities = Array.from({ length: 101 }, (_, percentile) => {
    const place = (percentile / 100) * (sorted.length - 1);
    const [below, above] = [at(Math.floor(place)), at(Math.ceil(place))];
    return Number((below + (place - Math.floor(place)) * (above - below)).toFixed(3));
  });
  return { measuredWith: { ...measuredWith }, documents: sorted.length, perplexities };
}

/** What cutoffs are looked up by. */
export interface CutoffLookup {
  readonly settings: MeterSettings;
  readonly mark: MeterMark;
  readonly language: string | undefined;
  readonly percentiles: readonly [number, number];
}

/** The cutoffs of a file: ours, or CCNet's cutoff.csv. @throws CriaError where they were measured with something else, or have no such percentile */
export async function readCutoffs(path: string, lookup: CutoffLookup, files: StepFiles): Promise<readonly [number, number]> {
  const text = new TextDecoder().decode(await files.read(path));
  if (text.trimStart().startsWith("{")) return fromPercentiles(path, text, lookup);
  await checkIsCcNet(path, lookup, files);
  return fromTable(path, text, lookup);
}

function fromPercentiles(path: string, text: string, { mark, percentiles }: CutoffLookup): readonly [number, number] {
  const { measuredWith, perplexities } = parseWith(form, parseJson(where, path, text), where, path);
  for (const key of ["model", "tokenizer", "normalise", "lineEnds"] as const)
    if (measuredWith[key] !== mark[key])
      fail(
        where,
        `${path}: its perplexities were measured with the ${key} ${measuredWith[key]}, but the step has ${mark[key]}: measure them again with the step's own files and settings`,
      );
  const at = (percentile: number) =>
    perplexities[percentile] ?? fail(where, `${path}: it has no percentile ${percentile}, but whole ones from 0 to 100: name one of these`);
  return [at(percentiles[0]), at(percentiles[1])];
}

/** CCNet's models are KenLM's binary files of pieces of a SentencePiece model, over normalised text. */
async function checkIsCcNet(path: string, { settings: { model, tokenizer, normalise } }: CutoffLookup, files: StepFiles): Promise<void> {
  const refuse = (what: string) =>
    fail(
      where,
      `${path}: CCNet's cutoffs hold only with its own models and pieces, but ${what}: measure cutoffs of your own, or give two numbers`,
    );
  if (!isKenLm(await files.read(model))) refuse(`${model} is no binary file of KenLM's, as its models are`);
  if (tokenizer === undefined) return refuse("no tokenizer is named");
  // A SentencePiece model begins with the tag of its first piece.
  if ((await files.read(tokenizer))[0] !== 0x0a) refuse(`${tokenizer} is no SentencePiece model, as its tokenizers are`);
  if (!normalise) refuse("normalise is false, which is true there");
}

/** A table as cutoff.csv: a column per language, a row per percentile, whose first value it is. */
function fromTable(path: string, text: string, { language, percentiles }: CutoffLookup): readonly [number, number] {
  if (language === undefined) return fail(where, `${path}: it has cutoffs of many languages: say the language`);
  const [head = [], ...rows] = text.split(/\r?\n/).map((line) => line.split(","));
  const column = head.indexOf(language, 1);
  if (column < 0)
    return fail(where, `${path}: it has no cutoffs of "${language}", but of ${head.slice(1).join(", ")}: give two numbers instead`);
  const cutoffAt = (percentile: number) => {
    const text = rows.find(([first = ""]) => first !== "" && Number(first) === percentile)?.[column] ?? "";
    const value = Number(text);
    return text !== "" && value >= 0
      ? value
      : fail(where, `${path}: it has no cutoff of "${language}" at the percentile ${percentile}: name other percentiles`);
  };
  return [cutoffAt(percentiles[0]), cutoffAt(percentiles[1])];
}
