// Source code by its licence, as the paper takes it.
import { z } from "zod";
import { stepRow } from "../step.ts";
import { isAllowed } from "../text/licence-expression.ts";

/** Licences that code may be under. */
export const codeLicence = stepRow({
  name: "codeLicence",
  summary: "keeps code under licences of a list",
  source: 'Touvron et al. 2023, arXiv 2302.13971, section 2.1: "only projects that are distributed under the Apache, BSD and MIT licenses"',
  deeds: ["drops"],
  reasons: { unknown: "says no licence", other: "is under a licence that is not of the list" },
  parameters: z.strictObject({
    keep: z
      .array(z.string().min(1))
      .min(1)
      .default(["Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "MIT"])
      .describe(
        "names of licences as SPDX has them, large and small letters being the same; of a choice one must be of the list, of several together all",
      ),
    unknown: z.enum(["drop", "keep"]).default("drop").describe("what becomes of code that says no licence"),
  }),
  open: ({ keep, unknown }) => {
    const allowed = new Set(keep.map((name) => name.toLowerCase()));
    return {
      apply(document) {
        const licence = String(document.facts.licence ?? document.facts.license ?? "").trim();
        if (licence === "") return unknown === "keep" ? document : { reason: "unknown" };
        return isAllowed(licence, allowed) ? document : { reason: "other", measured: licence, found: [licence] };
      },
    };
  },
});
