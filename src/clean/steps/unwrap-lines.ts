// Texts whose lines were broken at some width, such as Project Gutenberg's, as flowing text: no wrapped lines, marks of emphasis or numbers of verses.
import { z } from "zod";
import { stepRow } from "../step.ts";

const layouts = ["prose", "verse", "scripture"] as const;
type Layout = (typeof layouts)[number];

const unwrap: Readonly<Record<Layout, (text: string) => string>> = { prose: unwrapProse, verse: unwrapVerse, scripture: unwrapScripture };

/** Lines that were broken at some width. */
export const unwrapLines = stepRow({
  name: "unwrapLines",
  summary: "joins lines that were broken at some width, and takes away _marks_ of emphasis",
  source: "the layout of Project Gutenberg's plain texts",
  deeds: ["rewrites", "drops"],
  reasons: { empty: "has no text" },
  parameters: z.strictObject({
    layout: z
      .enum(layouts)
      .default("prose")
      .describe(
        "prose: a paragraph becomes one line, but indented blocks keep theirs; verse: lines stay, and a deeply indented one is the rest of the line before it; scripture: verses 1:1, 1:2 lose their numbers and flow, a chapter being a paragraph",
      ),
  }),
  open: ({ layout }) => ({
    apply(document) {
      const text = unwrap[layout](document.text);
      return text === "" ? { reason: "empty" } : document.withText(text);
    },
  }),
});

/** A paragraph becomes one line; rhymes and other indented blocks keep theirs. */
function unwrapProse(text: string): string {
  return paragraphs(text)
    .map((lines) => (isBlock(lines) ? lines.map((line) => plain(line)).join("\n") : plain(lines.join(" "))))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

/** Lines stay; one that starts with four spaces is the rest of the line before it. */
function unwrapVerse(text: string): string {
  return paragraphs(text)
    .map((lines) => lines.join("\n").replace(/(\S)\n {4,}(?=\S)/g, "$1 "))
    .map((stanza) => stanza.split("\n").map(plain).join("\n"))
    .join("\n\n");
}

/** Verses lose their numbers and flow; a chapter is a paragraph. */
function unwrapScripture(text: string): string {
  return paragraphs(text)
    .map((lines) => plain(lines.join(" ")))
    .join(" ¶")
    .replace(/ ?¶?\b\d{1,3}:(\d{1,3}) /g, (_, verse: string) => (verse === "1" ? "\n\n" : " "))
    .replaceAll(" ¶", "\n\n")
    .replace(/ +/g, " ")
    .trim();
}

/** Lines grouped by the empty lines between them. */
function paragraphs(text: string): string[][] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map((paragraph) => paragraph.split("\n").filter((line) => line.trim() !== ""))
    .filter((lines) => lines.length > 0);
}

/** Every line of several is indented: a rhyme, a letter's end, an inscription. */
function isBlock(lines: readonly string[]): boolean {
  return lines.length > 1 && lines.every((line) => /^[ \t]/.test(line));
}

function plain(text: string): string {
  return text
    .replace(/_([^_]+)_/g, "$1")
    .replace(/^[}{]\s*/, "")
    .replace(/[ \t]+/g, " ")
    .trim();
}
