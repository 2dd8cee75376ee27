// Long texts as documents of some kilobytes, so that shuffling, mixing and a held-out part are fine-grained.
import { z } from "zod";
import { cutText } from "../../base/index.ts";
import { cutStepRow } from "../cut-step.ts";
import type { CleanDocument } from "../document.ts";

/** Cuts between paragraphs, lines or words. */
export const cutDocuments = cutStepRow({
  name: "cutDocuments",
  summary: "makes several documents of a long one, cut between paragraphs, else between lines or words",
  source: "cria's own: 8,000 are a few training contexts of a small model, and some hundred documents per book",
  deeds: ["cuts"],
  reasons: {},
  parameters: z.strictObject({
    maxCharacters: z
      .int()
      .min(100)
      .default(8000)
      .describe("the most characters of a document, in UTF-16 units; none is shorter than half of it but the last"),
  }),
  openCut: ({ maxCharacters }) => ({ parts: (document) => partsOf(document, maxCharacters) }),
});

/** Empty lines with which a part begins; the indentation of its first line stays. */
const emptyLines = /^(?:[ \t]*\n)+/;

/** Each part knows, as the fact `at`, where it begins in the document, in UTF-16 units. Empty lines and spaces at the cuts are left out. */
function* partsOf(document: CleanDocument, most: number): Generator<CleanDocument> {
  if (document.text.length <= most) return yield document;
  const before = Number(document.facts.at ?? 0);
  let at = 0;
  for (const part of cutText(document.text, most)) {
    const from = emptyLines.exec(part)?.[0].length ?? 0;
    const text = part.slice(from).trimEnd();
    if (text !== "") yield document.withFacts({ at: before + at + from }).withText(text);
    at += part.length;
  }
}
