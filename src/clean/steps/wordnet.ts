// WordNet's data files as a dictionary to read: `words (part of speech): gloss; "examples".`
import { z } from "zod";
import { stepRow } from "../step.ts";

const partsOfSpeech: Readonly<Record<string, string>> = { n: "noun", v: "verb", a: "adjective", s: "adjective", r: "adverb" };
/** An entry's line begins with its offset; the licence on top is indented. */
const beginOfEntry = /^\d{8} /;

/** The data files of WordNet, which are read as plain text. */
export const wordnet = stepRow({
  name: "wordnet",
  summary: "makes a dictionary of a data file of WordNet (data.noun and its like, read as text), an entry per line",
  source: "Princeton University's WordNet 3.1, wndb(5WN)",
  deeds: ["rewrites", "drops"],
  reasons: { noEntries: "has no entry as WordNet's data files do" },
  parameters: z.strictObject({}),
  open: () => ({
    apply(document) {
      const entries = document.text.split("\n").filter((line) => beginOfEntry.test(line));
      return entries.length === 0 ? { reason: "noEntries" } : document.withText(entries.map(entryOf).join("\n"));
    },
  }),
});

/**
 * Entries stay in the file's order, which keeps related meanings together.
 *
 *     00003826 29 v 02 hiccup 0 hiccough 0 003 @ 00001740 v 0000 … | breathe spasmodically; "have a drink"
 *     offset   file pos count(hex) word lex_id …                      gloss
 */
function entryOf(line: string): string {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const count = Number.parseInt(fields[3] ?? "0", 16);
  const words = Array.from({ length: Math.min(count, fields.length >> 1) }, (_, i) => word(fields[4 + 2 * i] ?? ""));
  const gloss = line.slice(bar + 3).trim();
  return `${words.join(", ")} (${partsOfSpeech[fields[2] ?? ""] ?? fields[2]}): ${gloss}${/[.!?]"?$/.test(gloss) ? "" : "."}`;
}

/** `galore(ip)` carries where an adjective may stand; `_` stands for a space. */
function word(field: string): string {
  return field.replace(/\((?:a|p|ip)\)$/, "").replaceAll("_", " ");
}
