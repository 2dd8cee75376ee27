// Books of Project Gutenberg without what it puts around them: its licence, its header and its notes.
import { z } from "zod";
import type { Facts } from "../document.ts";
import { stepRow } from "../step.ts";

/** The line behind which the book begins: of today's files, of those before 2000, and of the first ones. */
const starts = [
  /^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG E(?:BOOK|TEXT)\b.*(?:\n(?!\n).*)?\*{3}.*$/im,
  /^\*END\*? ?THE SMALL PRINT!.*\*END\*\s*$/im,
  /^\*{3} ?START\*{0,2} ?THE SMALL PRINT!.*$[\s\S]*?^.*\*END THE SMALL PRINT!.*$/im,
];
/** The line with which it ends. */
const ends = [
  /^\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG E(?:BOOK|TEXT)\b/im,
  /^[ \t]*End of (?:the |this )?Project Gutenberg(?:'s| E(?:book|text))?\b/im,
  /^\*{3} ?START: FULL LICENSE \*{3}/im,
];
/** Who made the file, in front of the title page. */
const producers =
  /^\s*(?:(?:This e(?:book|text) was )?(?:produced|prepared|transcribed|scanned) by|E-?text prepared by|\[?Transcriber's note)(?:.+\n)+\s*/i;
/** The title with which files begin that the Natural Language Toolkit has in its corpora, in place of the header. */
const bracketedTitle = /^\s*\[(?!illustration|transcriber|note)([^\]\n]+)\][ \t]*\n/i;
/** The mark with which files from DOS end. */
const endOfFile = "\u001a";
/** The header is no longer, in UTF-16 units; a marker further on is the book's own text. */
const longestHeader = 50_000;
const header: Readonly<Record<string, RegExp>> = {
  title: /^Title: *(.+(?:\n {2,}\S.*)*)/m,
  author: /^Author: *(.+)/m,
  date: /^(?:Release date|Posting date): *(.+?)(?: *\[.*)?$/im,
};

/** What Project Gutenberg puts around its books. */
export const gutenberg = stepRow({
  name: "gutenberg",
  summary: "takes Project Gutenberg's header and licence from its books, and their titles and authors from the header",
  source: "Project Gutenberg's files since 1991, as Gao et al. 2020, arXiv 2101.00027, section 2.4, and gutenbergr 0.2.4 strip them",
  deeds: ["rewrites", "finds", "drops"],
  reasons: { unmarked: "has no mark of Project Gutenberg", empty: "has no text between the marks" },
  parameters: z.strictObject({
    unmarked: z.enum(["keep", "drop"]).default("keep").describe("what becomes of texts that have none of its marks"),
  }),
  open: ({ unmarked }) => ({
    apply(document) {
      const text = document.text.replaceAll(endOfFile, "");
      const title = bracketedTitle.exec(text);
      const start = endOfHeader(text) ?? title?.[0].length;
      const end = startOfLicence(text, start ?? 0);
      if (start === undefined && end === undefined) return unmarked === "keep" ? document : { reason: "unmarked" };
      const body = text
        .slice(start ?? 0, end)
        .replace(/^\s+/, "")
        .replace(producers, "")
        .trim();
      const facts = title?.[1] === undefined ? factsIn(text.slice(0, start ?? 0)) : { title: title[1] };
      return body === "" ? { reason: "empty" } : document.withFacts(facts).withText(body);
    },
  }),
});

function endOfHeader(text: string): number | undefined {
  const head = text.slice(0, longestHeader);
  for (const start of starts) {
    const found = start.exec(head);
    if (found !== null) return found.index + found[0].length;
  }
  return undefined;
}

function startOfLicence(text: string, from: number): number | undefined {
  const rest = text.slice(from);
  const found = ends.map((end) => rest.search(end)).filter((at) => at >= 0);
  return found.length === 0 ? undefined : from + Math.min(...found);
}

function factsIn(head: string): Facts {
  const values = Object.entries(header).map(([key, line]) => [key, line.exec(head)?.[1]?.replace(/\s+/g, " ").trim()] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}
