// A share of a source, where all of it would be too much beside the others.
import { z } from "zod";
import { stepRow } from "../step.ts";
import { samplePlace } from "../text/document-sample.ts";

/** A share of the documents, the same ones on every machine and in any order. */
export const sample = stepRow({
  name: "sample",
  summary: "keeps a share of the documents, chosen by a hash of their text",
  source: "cria's own",
  deeds: ["drops"],
  reasons: { left: "is not in the sample" },
  parameters: z.strictObject({ share: z.number().gt(0).max(1).default(0.1).describe("the share of the documents that stays, about") }),
  open: ({ share }) => ({ apply: (document) => (samplePlace(document.text) < share ? document : { reason: "left" }) }),
});
