// How long a document is.
import { z } from "zod";
import { stepRow } from "../step.ts";

/** Bounds for the length of a document. */
export const length = stepRow({
  name: "length",
  summary: "keeps documents that are neither too short nor too long",
  source: "300 characters: facebookresearch/cc_net, process_wet_file.py",
  deeds: ["drops"],
  reasons: { short: "is shorter than a document", long: "is longer than a document" },
  limits: { short: "minCharacters", long: "maxCharacters" },
  parameters: z.strictObject({
    minCharacters: z.int().min(0).default(300).describe("the fewest characters; 300 in CCNet"),
    maxCharacters: z.int().min(1).optional().describe("the most characters; any number when absent"),
  }),
  open: ({ minCharacters, maxCharacters = Number.POSITIVE_INFINITY }) => ({
    apply(document) {
      const { characters } = document;
      if (characters < minCharacters) return { reason: "short", measured: characters, limit: minCharacters };
      return characters > maxCharacters ? { reason: "long", measured: characters, limit: maxCharacters } : document;
    },
  }),
});
