// Gopher's rules for single documents (Rae et al. 2021, arXiv 2112.11446, appendix A1.1), in datatrove's reading (0.10.1, gopher_quality_filter.py),
// whose order decides which reason is told.
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Dropped, stepRow } from "../step.ts";
import { countOf, strip } from "../text/python-text.ts";
import { hashOf, hasLetter, hasOther, type Words } from "../text/words.ts";

const parameters = z.strictObject({
  minWords: z.number().default(50).describe("the fewest words that are not punctuation alone; 50 to 100,000 there"),
  maxWords: z.number().default(100_000).describe("the most words that are not punctuation alone"),
  minMeanLength: z.number().default(3).describe("the least mean length of these words in characters; 3 to 10 there"),
  maxMeanLength: z.number().default(10).describe("the greatest mean length of these words"),
  maxSymbols: z.number().default(0.1).describe("the most hash marks per word, and the most ellipses"),
  maxBulletLines: z.number().default(0.9).describe("the greatest share of lines that begin with a bullet"),
  maxEllipsisLines: z.number().default(0.3).describe("the greatest share of lines that end with an ellipsis"),
  minLetterWords: z.number().default(0.8).describe("the least share of words with a letter"),
  minStopWords: z.number().default(2).describe("how many of the stop words must stand in the text"),
  stopWords: z
    .array(z.string().min(1))
    .default(["the", "be", "to", "of", "and", "that", "have", "with"])
    .describe("words that English prose has"),
});

type Parameters = z.output<typeof parameters>;

/** Gopher's quality rules. */
export const gopherQuality = stepRow({
  name: "gopherQuality",
  summary: "keeps texts whose words, symbols and lines are those of prose",
  source: "Rae et al. 2021, arXiv 2112.11446, appendix A1.1; datatrove 0.10.1",
  deeds: ["drops"],
  reasons: {
    fewWords: "has fewer words than prose",
    manyWords: "has more words than a document",
    shortWords: "its words are shorter than words are",
    longWords: "its words are longer than words are",
    hashes: "has too many hash marks",
    ellipses: "has too many ellipses",
    bullets: "is mostly a list",
    ellipsisLines: "its lines are cut short",
    fewLetters: "too many of its words have no letter",
    fewStopWords: "lacks the words that every text has",
  },
  limits: {
    ...{ fewWords: "minWords", manyWords: "maxWords", shortWords: "minMeanLength", longWords: "maxMeanLength" },
    ...{ hashes: "maxSymbols", ellipses: "maxSymbols", bullets: "maxBulletLines", ellipsisLines: "maxEllipsisLines" },
    ...{ fewLetters: "minLetterWords", fewStopWords: "minStopWords" },
  },
  parameters,
  open: (options) => {
    const stops = new StopWords(options.stopWords);
    return { apply: (document) => lengthRule(document.words, options) ?? textRule(document, stops, options) ?? document };
  },
});

function lengthRule(words: Words, options: Parameters): Dropped | undefined {
  let [count, length] = [0, 0];
  for (let i = 0; i < words.count; i++)
    if ((words.kinds[i]! & hasOther) !== 0) {
      count++;
      length += words.lengths[i]!;
    }
  const mean = length / count; // NaN of no word, which no limit drops: so it is there
  if (count < options.minWords) return { reason: "fewWords", measured: count, limit: options.minWords };
  if (count > options.maxWords) return { reason: "manyWords", measured: count, limit: options.maxWords };
  if (mean < options.minMeanLength) return { reason: "shortWords", measured: mean, limit: options.minMeanLength };
  if (mean > options.maxMeanLength) return { reason: "longWords", measured: mean, limit: options.maxMeanLength };
  return undefined;
}

function textRule({ text, words, lines }: CleanDocument, stops: StopWords, options: Parameters): Dropped | undefined {
  const { maxSymbols, maxBulletLines, maxEllipsisLines, minLetterWords, minStopWords } = options;
  const hashes = countOf(text, "#") / words.count;
  if (hashes > maxSymbols) return { reason: "hashes", measured: hashes, limit: maxSymbols };
  const ellipses = (countOf(text, "...") + countOf(text, "…")) / words.count;
  if (ellipses > maxSymbols) return { reason: "ellipses", measured: ellipses, limit: maxSymbols };
  const { bullets, cut } = countLines(lines);
  if (bullets / lines.length > maxBulletLines) return { reason: "bullets", measured: bullets / lines.length, limit: maxBulletLines };
  if (cut / lines.length > maxEllipsisLines) return { reason: "ellipsisLines", measured: cut / lines.length, limit: maxEllipsisLines };
  let letters = 0;
  for (let i = 0; i < words.count; i++) if ((words.kinds[i]! & hasLetter) !== 0) letters++;
  const share = letters / words.count;
  if (share < minLetterWords) return { reason: "fewLetters", measured: share, limit: minLetterWords };
  const found = stops.countIn(text, words, minStopWords);
  return found < minStopWords ? { reason: "fewStopWords", measured: found, limit: minStopWords } : undefined;
}

function countLines(lines: readonly string[]): { readonly bullets: number; readonly cut: number } {
  let [bullets, cut] = [0, 0];
  for (const line of lines) {
    const inner = strip(line);
    if (inner.startsWith("•") || inner.startsWith("-")) bullets++;
    if (inner.endsWith("...") || inner.endsWith("…")) cut++;
  }
  return { bullets, cut };
}

/** Counts which of some words stand in a text, by their hashes first. */
class StopWords {
  readonly #byHash = new Map<number, string[]>();
  readonly #longest: number;

  constructor(stopWords: readonly string[]) {
    this.#longest = Math.max(0, ...stopWords.map((word) => word.length));
    for (const word of new Set(stopWords)) {
      const hash = hashOf(word);
      this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), word]);
    }
  }

  /** @param enough as many suffice, so that nobody counts on */
  countIn(text: string, words: Words, enough: number): number {
    const found = new Set<string>();
    for (let i = 0; i < words.count && found.size < enough; i++) {
      if (words.ends[i]! - words.starts[i]! > this.#longest) continue;
      for (const word of this.#byHash.get(words.hashes[i]!) ?? [])
        if (words.ends[i]! - words.starts[i]! === word.length && text.startsWith(word, words.starts[i])) found.add(word);
    }
    return found.size;
  }
}
