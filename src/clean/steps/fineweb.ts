// FineWeb's own rules (Penedo et al. 2024, arXiv 2406.17557, section 3.5), in datatrove's reading (0.10.1, fineweb_quality_filter.py).
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Dropped, stepRow } from "../step.ts";
import { characterFlags, terminalFlag } from "../text/characters.ts";
import { countCharacters, countOf, strip } from "../text/python-text.ts";
import { repeatedParts } from "../text/repetition.ts";

const parameters = z.strictObject({
  minEndedLines: z.number().default(0.12).describe("the least share of lines that end with the mark of a sentence's end"),
  maxShortLines: z.number().default(0.67).describe("the greatest share of short lines"),
  shortLine: z.number().default(30).describe("the most characters that a short line has"),
  maxRepeatedCharacters: z.number().default(0.01).describe("the greatest share of the text that lines are which stood before"),
  maxLinesPerWord: z.number().default(0.3).describe("the most line ends per word"),
});

type Parameters = z.output<typeof parameters>;

/** FineWeb's quality rules. */
export const finewebQuality = stepRow({
  name: "finewebQuality",
  summary: "drops lists, menus and texts whose lines end no sentence",
  source: "Penedo et al. 2024, arXiv 2406.17557, section 3.5; datatrove 0.10.1",
  deeds: ["drops"],
  reasons: {
    empty: "has no text",
    unendedLines: "few of its lines end a sentence",
    shortLines: "is mostly short lines",
    repeatedLines: "repeats its lines",
    list: "has few words per line",
  },
  limits: { unendedLines: "minEndedLines", shortLines: "maxShortLines", repeatedLines: "maxRepeatedCharacters", list: "maxLinesPerWord" },
  parameters,
  open: (options) => ({ apply: (document) => linesRule(document, options) ?? document }),
});

function linesRule({ text, characters, words }: CleanDocument, options: Parameters): Dropped | undefined {
  const lines = text.split("\n").filter((line) => strip(line) !== "");
  if (lines.length === 0) return { reason: "empty" };
  const lineEnds = countOf(text, "\n");
  const measures = [
    ["unendedLines", lines.filter(endsSentence).length / lines.length, options.minEndedLines],
    ["shortLines", lines.filter((line) => isShort(line, options.shortLine)).length / lines.length, options.maxShortLines],
    ["repeatedLines", repeatedParts(lines).characters / (characters - lineEnds), options.maxRepeatedCharacters],
    ["list", lineEnds / words.count, options.maxLinesPerWord],
  ] as const;
  for (const [reason, measured, limit] of measures)
    if (reason === "unendedLines" ? measured < limit : measured > limit) return { reason, measured, limit };
  return undefined;
}

function isShort(line: string, most: number): boolean {
  return line.length <= most || (line.length <= 2 * most && countCharacters(line) <= most);
}

function endsSentence(line: string): boolean {
  const last = line.charCodeAt(line.length - 1);
  const isPair = line.length > 1 && last >= 0xdc00 && last < 0xe000;
  return (characterFlags()[isPair ? line.codePointAt(line.length - 2)! : last]! & terminalFlag) !== 0;
}
