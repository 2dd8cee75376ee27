// Rules for files of source code, as RedPajama has them for GitHub (togethercomputer/RedPajama-Data, rp_v1, github_run_filter.py), but for the number of
// letters per token, which needs a tokenizer.
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Dropped, stepRow } from "../step.ts";
import { characterFlags, letterFlag, numberFlag } from "../text/characters.ts";
import { countCharacters } from "../text/python-text.ts";

const parameters = z.strictObject({
  maxLine: z.int().min(1).default(1000).describe("the most characters of a line"),
  maxMeanLine: z.number().min(1).default(100).describe("the greatest mean length of lines"),
  minAlphanumeric: z.number().min(0).max(1).default(0.25).describe("the least share of letters and digits in the text"),
});

type Parameters = z.output<typeof parameters>;

/** Rules against data, minified code and generated code. */
export const codeQuality = stepRow({
  name: "codeQuality",
  summary: "keeps files of code that people wrote",
  source: "togethercomputer/RedPajama-Data, rp_v1, github_run_filter.py; LLaMA, section 2.1",
  deeds: ["drops"],
  reasons: {
    longLine: "has a line longer than people write",
    longLines: "its lines are longer than people write",
    symbols: "is mostly symbols",
  },
  limits: { longLine: "maxLine", longLines: "maxMeanLine", symbols: "minAlphanumeric" },
  parameters,
  open: (options) => ({ apply: (document) => codeRule(document, options) ?? document }),
});

function codeRule({ text, characters }: CleanDocument, { maxLine, maxMeanLine, minAlphanumeric }: Parameters): Dropped | undefined {
  const { longest, lines } = measureLines(text);
  if (longest > maxLine) return { reason: "longLine", measured: longest, limit: maxLine };
  const mean = (characters - (lines - 1)) / lines;
  if (mean > maxMeanLine) return { reason: "longLines", measured: mean, limit: maxMeanLine };
  const share = countAlphanumeric(text) / Math.max(1, characters);
  return share < minAlphanumeric ? { reason: "symbols", measured: share, limit: minAlphanumeric } : undefined;
}

function measureLines(text: string): { readonly longest: number; readonly lines: number } {
  const lines = text.split("\n");
  return {
    longest: lines.reduce((most, line) => (line.length > most ? Math.max(most, countCharacters(line)) : most), 0),
    lines: lines.length,
  };
}

function countAlphanumeric(text: string): number {
  const flags = characterFlags();
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at)!;
    if ((flags[point]! & (letterFlag | numberFlag)) !== 0) count++;
    if (point > 0xffff) at++;
  }
  return count;
}
