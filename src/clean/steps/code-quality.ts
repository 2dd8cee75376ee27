// Rules for files of source code, as RedPajama has them for GitHub (togethercomputer/RedPajama-Data, rp_v1, github_run_filter.py), but for the number of
// letters per token, which needs a tokenizer.
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Dropped, stepRow } from "../step.ts";

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
  parameters,
  open: (options) => ({ apply: (document) => codeRule(document, options) ?? document }),
});

const alphanumeric = /[\p{L}\p{N}]/gu;

function codeRule({ text, characters }: CleanDocument, { maxLine, maxMeanLine, minAlphanumeric }: Parameters): Dropped | undefined {
  const lines = text.split("\n");
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0);
  if (longest > maxLine) return { reason: "longLine", measured: longest, limit: maxLine };
  const mean = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
  if (mean > maxMeanLine) return { reason: "longLines", measured: mean, limit: maxMeanLine };
  const share = (text.match(alphanumeric)?.length ?? 0) / Math.max(1, characters);
  return share < minAlphanumeric ? { reason: "symbols", measured: share, limit: minAlphanumeric } : undefined;
}
