// Documents that are nearly the same, by MinHash (Broder 1997), with the sizes of datatrove's MinhashConfig: 14 keys of 8 values over 5 words.
import { z } from "zod";
import { type ClusterStep, corpusStepRow } from "../corpus-step.ts";
import { type DatatroveHash, DatatroveMinHash, datatroveHashes } from "../text/datatrove-min-hash.ts";
import { MinHash, type MinHashSizes } from "../text/min-hash.ts";

/** The removal of near-duplicates. */
export const dedupNear = corpusStepRow({
  name: "dedupNear",
  summary: "keeps the first of documents that share most of their phrases",
  source: "Broder 1997; sizes of datatrove 0.10.1, as FineWeb has them (arXiv 2406.17557, appendix D)",
  deeds: ["drops"],
  reasons: { nearCopy: "is nearly the same as an earlier document" },
  parameters: z.strictObject({
    words: z.int().min(1).default(5).describe("words of the n-grams that are compared"),
    bands: z.int().min(1).max(256).default(14).describe("keys of a document; one that two share makes them near-duplicates"),
    rows: z
      .int()
      .min(1)
      .max(64)
      .default(8)
      .describe("values of a key: documents of similarity s share one with probability 1 - (1 - s^rows)^bands"),
    hash: z
      .enum(["fast", ...datatroveHashes])
      .default("fast")
      .describe(
        "what n-grams are compared by: a hash of our own; or datatrove's text, hashes and functions, for the clusters that it finds where white space cuts its words, about twenty times more slowly",
      ),
    mostDocuments: z.int().min(2).default(100_000).describe("documents of a cluster; what would make one larger is left apart, and told"),
  }),
  openCorpus({ words, bands, rows, hash, mostDocuments }) {
    return {
      bands,
      mostDocuments,
      addKeys: keysBy(hash, { words, bands, rows }),
      decide: (document, isMarked) => (isMarked(0) ? { reason: "nearCopy" } : document),
    };
  },
});

function keysBy(hash: "fast" | DatatroveHash, sizes: MinHashSizes): ClusterStep["addKeys"] {
  if (hash === "fast") {
    const fast = new MinHash(sizes);
    return ({ text }, keys) => fast.addKeys(text, keys);
  }
  const datatrove = new DatatroveMinHash(sizes, hash);
  return ({ text, facts }, keys) => datatrove.addKeys(text, `${facts.id} ${facts.at ?? 0}`, keys);
}
