// Gopher's rules against repetition (Rae et al. 2021, arXiv 2112.11446, table A1), in datatrove's reading (0.10.1, gopher_repetition_filter.py).
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Dropped, stepRow } from "../step.ts";
import { strip } from "../text/python-text.ts";
import { repeatedParts, WordGrams } from "../text/repetition.ts";

/** Shares by n, such as `{ 2: 0.2 }`. */
const shares = (usual: Readonly<Record<string, number>>) => z.record(z.string().regex(/^[1-9]\d?$/), z.number()).default(usual);

const parameters = z.strictObject({
  maxLines: z.number().default(0.3).describe("the greatest share of lines that stood before"),
  maxParagraphs: z.number().default(0.3).describe("the greatest share of paragraphs that stood before"),
  maxLineCharacters: z.number().default(0.2).describe("the greatest share of the text that these lines are"),
  maxParagraphCharacters: z.number().default(0.2).describe("the greatest share of the text that these paragraphs are"),
  topGrams: shares({ 2: 0.2, 3: 0.18, 4: 0.16 }).describe("n → the greatest share of the text that the most frequent n words are"),
  repeatedGrams: shares({ 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1 }).describe(
    "n → the greatest share of the text that n words are which stood before",
  ),
});

type Parameters = z.output<typeof parameters>;

/** Gopher's repetition rules. */
export const gopherRepetition = stepRow({
  name: "gopherRepetition",
  summary: "drops texts that repeat lines, paragraphs or words",
  source: "Rae et al. 2021, arXiv 2112.11446, table A1; datatrove 0.10.1",
  deeds: ["drops"],
  reasons: {
    empty: "has no text",
    paragraphs: "repeats its paragraphs",
    paragraphCharacters: "is mostly paragraphs that it repeats",
    lines: "repeats its lines",
    lineCharacters: "is mostly lines that it repeats",
    topGram: "a few words stand in it again and again",
    repeatedGrams: "repeats whole phrases",
  },
  limits: {
    ...{ paragraphs: "maxParagraphs", paragraphCharacters: "maxParagraphCharacters" },
    ...{ lines: "maxLines", lineCharacters: "maxLineCharacters" },
  },
  parameters,
  open(options) {
    const grams = new WordGrams();
    const top = Object.entries(options.topGrams).map(([n, most]) => ({ n: Number(n), most }));
    const repeated = Object.entries(options.repeatedGrams).map(([n, most]) => ({ n: Number(n), most }));
    if (top.length + repeated.length === 0) return { apply: (document) => partsRule(document, options) ?? document }; // no words are looked for
    return { apply: (document) => partsRule(document, options) ?? gramsRule(document, { top, repeated, grams }) ?? document };
  },
});

function partsRule({ text, characters }: CleanDocument, options: Parameters): Dropped | undefined {
  if (text === "") return { reason: "empty" };
  const rules = [
    {
      parts: strip(text).split(/\n{2,}/),
      reason: "paragraphs",
      most: options.maxParagraphs,
      mostCharacters: options.maxParagraphCharacters,
    },
    { parts: text.split(/\n+/), reason: "lines", most: options.maxLines, mostCharacters: options.maxLineCharacters },
  ];
  for (const { parts, reason, most, mostCharacters } of rules) {
    const repeated = repeatedParts(parts);
    const share = repeated.parts / parts.length;
    if (share > most) return { reason, measured: share, limit: most };
    const characterShare = repeated.characters / characters;
    if (characterShare > mostCharacters)
      return { reason: `${reason.slice(0, -1)}Characters`, measured: characterShare, limit: mostCharacters };
  }
  return undefined;
}

interface GramsRules {
  readonly top: readonly { readonly n: number; readonly most: number }[];
  readonly repeated: GramsRules["top"];
  readonly grams: WordGrams;
}

/** Bounds come first, as they are faster than what they bound, and say of nearly every text that it stays. */
function gramsRule({ text, words, characters }: CleanDocument, { top, repeated, grams }: GramsRules): Dropped | undefined {
  grams.read(text, words);
  for (const { n, most } of top) {
    if (grams.topBound(n) / characters <= most) continue;
    const share = grams.topCharacters(n) / characters;
    if (share > most) return { reason: "topGram", measured: share, limit: most };
  }
  for (const { n, most } of repeated) {
    if (grams.repeatedBound(n) / characters <= most) continue;
    const share = grams.repeatedCharacters(n) / characters;
    if (share > most) return { reason: "repeatedGrams", measured: share, limit: most };
  }
  return undefined;
}
