// Documents whose fingerprints by SimHash differ in few bits, as RedPajama compares books. Two fingerprints that differ in at most d bits have one of d + 1
// blocks of bits in common (Manku, Jain & Das Sarma 2007, section 3), so that only documents with a block in common are compared.
import { z } from "zod";
import { corpusStepRow } from "../corpus-step.ts";
import { SimHash } from "../text/sim-hash.ts";

/** The removal of near-duplicates by fingerprints. */
export const dedupSimhash = corpusStepRow({
  name: "dedupSimhash",
  summary: "keeps the first of long documents that share most of their runs of characters, such as editions of a book",
  source: "Charikar 2002; Manku, Jain & Das Sarma 2007; sizes of togethercomputer/RedPajama-Data, rp_v1, data_prep/book",
  deeds: ["drops"],
  reasons: { nearCopy: "is nearly the same as an earlier document" },
  parameters: z.strictObject({
    characters: z.int().min(1).max(64).default(6).describe("letters and digits in a row that are a feature, in small letters"),
    distance: z.int().min(0).max(15).default(5).describe("bits, of 64, in which fingerprints of near-duplicates may differ"),
    mostDocuments: z.int().min(2).default(100_000).describe("documents of a cluster; what would make one larger is left apart, and told"),
  }),
  openCorpus({ characters, distance, mostDocuments }) {
    const hash = new SimHash(characters);
    const bands = distance + 1;
    const sameBits = Math.min(32, Math.floor(64 / bands));
    return {
      ...{ bands, mostDocuments, near: { sameBits, distance } },
      addKeys({ text }, keys) {
        const { low, high } = hash.fingerprint(text);
        for (let band = 0; band < bands; band++) {
          const turned = rotated(low, high, band * Math.floor(64 / bands));
          keys.add(turned.low, turned.high);
        }
      },
      decide: (document, isMarked) => (isMarked(0) ? { reason: "nearCopy" } : document),
    };
  },
});

/** 64 bits turned to the left, so that a block stands at the top. */
function rotated(low: number, high: number, bits: number): { readonly low: number; readonly high: number } {
  if (bits >= 32) return rotated(high, low, bits - 32);
  if (bits === 0) return { low, high };
  return { low: ((low << bits) | (high >>> (32 - bits))) >>> 0, high: ((high << bits) | (low >>> (32 - bits))) >>> 0 };
}
