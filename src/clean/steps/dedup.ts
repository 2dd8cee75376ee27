// What stands in a source more than once: lines as CCNet removes them, and whole documents.
import { z } from "zod";
import { corpusStepRow } from "../corpus-step.ts";
import { type KeyList, UnitHash } from "../text/key-list.ts";
import { addLineKeys } from "../text/line-keys.ts";
import { strip } from "../text/python-text.ts";

const keep = z
  .enum(["first", "none"])
  .default("first")
  .describe("which copy stays: the first one, or none of them; CCNet keeps no copy of a line, within groups of 3 % of a dump");

/** CCNet's groups are 3 % of a dump. */
const usualGroups = 33;

const groups = z
  .int()
  .min(1)
  .optional()
  .describe(
    `parts of the source that are compared each by itself, by whole parts of its work; ${usualGroups} by default where no copy stays, as CCNet has it, because what was crawled twice would be gone from all of them, and 1 where the first stays`,
  );

const compares = z
  .enum(["CCNet", "small letters"])
  .default("CCNet")
  .describe(
    "how lines are the same: for CCNet in small letters with every digit as 0, without marks and control characters; for C4's generator in small letters alone, both without white space at the ends",
  );

/** CCNet's removal of repeated lines. */
export const dedupLines = corpusStepRow({
  name: "dedupLines",
  summary: "removes lines that stand in the source more than once, such as menus and notices",
  source: "Wenzek et al. 2020, arXiv 1911.00359, section 3.1; facebookresearch/cc_net, dedup.py",
  deeds: ["rewrites", "drops"],
  reasons: { repeated: "has no line of its own" },
  parameters: z.strictObject({ keep, groups, compares }).refine(({ keep, groups }) => keep === "first" || groups !== 1, {
    path: ["groups"],
    error: `no copy of a line would stay in all of the source, so that what was crawled twice would be gone: say keep: first, or more groups, such as ${usualGroups}`,
  }),
  openCorpus: ({ keep, groups = keep === "none" ? usualGroups : 1, compares }) => ({
    groups,
    marks: keep === "none" ? "every copy" : "later copies",
    addKeys: ({ text }, keys) => (compares === "CCNet" ? addLineKeys(text, keys) : addSmallLineKeys(text, keys)),
    decide(document, isMarked) {
      const lines = document.text.split("\n");
      const kept = lines.filter((_, i) => !isMarked(i));
      if (kept.length === lines.length) return document;
      return kept.some((line) => line.trim() !== "") ? document.withText(kept.join("\n")) : { reason: "repeated", measured: lines.length };
    },
  }),
});

/** The removal of documents whose text is that of another one. */
export const dedupDocuments = corpusStepRow({
  name: "dedupDocuments",
  summary: "keeps one of documents with the same text",
  source: "exact: by a hash of 64 bits over the whole text",
  deeds: ["drops"],
  reasons: { copy: "is a copy of an earlier document" },
  parameters: z.strictObject({ keep }),
  openCorpus: ({ keep }) => ({
    groups: 1,
    marks: keep === "none" ? "every copy" : "later copies",
    addKeys({ text }, keys) {
      addKey(text, keys);
    },
    decide: (document, isMarked) => (isMarked(0) ? { reason: "copy" } : document),
  }),
});

function addSmallLineKeys(text: string, keys: KeyList): void {
  for (const line of text.split("\n")) addKey(strip(line).toLowerCase(), keys);
}

function addKey(text: string, keys: KeyList): void {
  const hash = new UnitHash();
  for (let at = 0; at < text.length; at++) hash.unit(text.charCodeAt(at));
  hash.end(keys);
}
