// Licences on top of source code, which stand in so many files that a model would learn them by heart.
import { z } from "zod";
import { stepRow } from "../step.ts";

/** A block comment with which a file begins. */
const firstComment = /^\s*\/\*[\s\S]*?\*\/\s*/;
/** Lines of comments with which a file begins; neither `#!/bin/sh` nor `#include` is one. */
const firstLines = /^\s*(?:(?:\/\/|#(?![!a-z])).*\n)+\s*/;

/** The licence on top of a file. */
export const codeHeader = stepRow({
  name: "codeHeader",
  summary: "takes a comment about licence or copyright away with which a file of code begins",
  source: 'Touvron et al. 2023, arXiv 2302.13971, section 2.1: "removed boilerplate, such as headers, with regular expressions"',
  deeds: ["rewrites", "drops"],
  reasons: { empty: "has nothing else" },
  parameters: z.strictObject({}),
  open: () => ({
    apply(document) {
      const text = [firstComment, firstLines].reduce(withoutLicence, document.text).trim();
      return text === "" ? { reason: "empty" } : document.withText(text);
    },
  }),
});

function withoutLicence(text: string, header: RegExp): string {
  return text.replace(header, (comment) => (/licen[cs]e|copyright/i.test(comment) ? "" : comment));
}
