// Perplexities at the percentiles of a corpus, from which a document is in the middle and in the tail (Wenzek et al. 2020, arXiv 1911.00359, section 3.4).
// They hold only for the model, the pieces and the settings that they were measured with: our own file names these, CCNet's table goes with its own models.
import { z } from "zod";
import { fail, parseJson } from "../../base/index.ts";
import { isKenLm, isPackedKenLm } from "../../ngrams/index.ts";
import { parseWith } from "../../schema/index.ts";
import type { StepFiles } from "../step.ts";
import type { MeterMark, MeterSettings } from "./perplexity-meter.ts";

const where = "data";

const percentiles = { documents: z.int().min(1), perplexities: z.array(z.number().positive()).length(101) };

/** The form of {@link PerplexityPercentiles}. */
export const percentilesForm = z.strictObject({
  measuredWith: z.strictObject({
    model: z.string(),
    tokenizer: z.string().nullable(),
    normalise: z.boolean(),
    lineEnds: z.enum(["sentences", "deleted"]),
  }),
  ...percentiles,
  /** Those of each language with enough documents, where steps or files told the languages. */
  languages: z.record(z.string(), z.strictObject(percentiles)).optional(),
});

/** The perplexities at the percentiles 0 to 100 of a sample, and what they were measured with: a file that the step perplexity takes as its cutoffs. */
export type PerplexityPercentiles = z.output<typeof percentilesForm>;

/** A language has percentiles of its own from so many documents on: of fewer the 30th and the 60th say little. */
const leastOfLanguage = 100;

/**
 * The percentiles of measured perplexities, between two of which lines are drawn, as numpy.percentile does.
 * @param groups perplexities by language; the empty name is of documents whose language is not known
 * @throws CriaError where there are none
 */
export function percentilesOf(groups: ReadonlyMap<string, Float64Array>, measuredWith: MeterMark): PerplexityPercentiles {
  const all = new Float64Array([...groups.values()].reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const values of groups.values()) {
    all.set(values, at);
    at += values.length;
  }
  const named = [...groups].filter(([language, { length }]) => language !== "" && length >= leastOfLanguage);
  const languages = Object.fromEntries(named.map(([language, values]) => [language, percentilesOfValues(values)]));
  return { measuredWith: { ...measuredWith }, ...percentilesOfValues(all), ...(named.length > 0 && { languages }) };
}

function percentilesOfValues(measured: Float64Array): { documents: number; perplexities: number[] } {
  const sorted = measured.slice().sort();
  const at = (place: number) =>
    sorted[place] ?? fail(where, "no perplexity was measured, but percentiles need some: give more texts, or a greater share of them");
  const perplexities = Array.from({ length: 101 }, (_, percentile) => {
    const place = (percentile / 100) * (sorted.length - 1);
    const [below, above] = [at(Math.floor(place)), at(Math.ceil(place))];
    return Number((below + (place - Math.floor(place)) * (above - below)).toFixed(3));
  });
  return { documents: sorted.length, perplexities };
}

/** The perplexities from which on a document of a language is in the middle and in the tail. */
export type Cutoffs = (language: string | undefined) => readonly [number, number];

/** What cutoffs are looked up by. */
export interface CutoffLookup {
  readonly settings: MeterSettings;
  readonly mark: MeterMark;
  readonly language: string | undefined;
  readonly percentiles: readonly [number, number];
}

/** The cutoffs of a file: ours, or CCNet's cutoff.csv. @throws CriaError where they were measured with something else, or have no such percentile */
export async function readCutoffs(path: string, lookup: CutoffLookup, files: StepFiles): Promise<Cutoffs> {
  const text = new TextDecoder().decode(await files.read(path));
  if (text.trimStart().startsWith("{")) return cutoffsAt(path, parseJson(where, path, text), lookup);
  await checkIsCcNet(path, lookup, files);
  const cutoffs = fromTable(path, text, lookup);
  return () => cutoffs;
}

/** The cutoffs that percentiles say, of a document's language or of all. @param path what messages call them @throws CriaError as `readCutoffs` does */
export function cutoffsAt(path: string, found: unknown, { mark, percentiles }: Pick<CutoffLookup, "mark" | "percentiles">): Cutoffs {
  const { measuredWith, perplexities, languages } = parseWith(percentilesForm, found, where, path);
  for (const key of ["model", "tokenizer", "normalise", "lineEnds"] as const)
    if (measuredWith[key] !== mark[key])
      fail(
        where,
        `${path}: its perplexities were measured with the ${key} ${measuredWith[key]}, but the step has ${mark[key]}: measure them again with the step's own files and settings`,
      );
  for (const percentile of percentiles)
    if (!(percentile in perplexities))
      fail(where, `${path}: it has no percentile ${percentile}, but whole ones from 0 to 100: name one of these`);
  const [middle, tail] = percentiles;
  return (language) => {
    const own = (language === undefined ? undefined : languages?.[language]?.perplexities) ?? perplexities;
    return [own[middle] ?? 0, own[tail] ?? 0];
  };
}

/** CCNet's models are KenLM's binary files, or were before they were written in the compact form, of pieces of a SentencePiece model, over normalised text. */
async function checkIsCcNet(path: string, { settings: { model, tokenizer, normalise } }: CutoffLookup, files: StepFiles): Promise<void> {
  const refuse = (what: string) =>
    fail(
      where,
      `${path}: CCNet's cutoffs hold only with its own models and pieces, but ${what}: measure cutoffs of your own, or give two numbers`,
    );
  const bytes = await files.read(model);
  if (!isKenLm(bytes) && !isPackedKenLm(model, bytes)) refuse(`${model} is no binary file of KenLM's, as its models are`);
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
