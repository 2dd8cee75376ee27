// manifest.json: what a folder of prepared data holds. It is written last, so a folder that has one is whole.
import { z } from "zod";

/** The name of the manifest's file. */
export const manifestName = "manifest.json";

/** A file inside the folder, never outside. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "it must be a plain file name");
const count = z.int().min(0);

const totals = { documents: count, bytes: count, tokens: count, shards: z.array(fileName) };

/** What a manifest holds. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  vocabulary: z.strictObject({ size: z.int().min(1), fingerprint: z.string().regex(/^[0-9a-f]{32}$/) }),
  boundaries: z.enum(["both", "bos", "eos"]),
  /** What training sees. */
  sources: z
    .array(
      z.strictObject({
        name: z.string(),
        weight: z.number().positive(),
        licence: z.string().optional(),
        ...totals,
        /** The index of each shard that tells where its documents are from, of version 1 (see origin-index.ts); absent in older folders. */
        origins: z.strictObject({ version: z.literal(1), files: z.array(fileName) }).optional(),
        /** How a part was held out of it: whole documents, or stretches of about so many characters. Absent in older folders. */
        split: z
          .union([z.strictObject({ by: z.literal("documents") }), z.strictObject({ by: z.literal("stretches"), characters: count })])
          .optional(),
      }),
    )
    .min(1),
  /** What it never sees; absent when the recipe holds nothing out. `text` holds the documents as JSONL: {"text", "source"}. */
  heldOut: z.strictObject({ ...totals, text: fileName }).optional(),
  /** SHA-256 of every file, by its name; absent in older folders. */
  checksums: z.record(fileName, z.string().regex(/^[0-9a-f]{64}$/)).optional(),
});

/** A manifest that was read and checked. */
export type Manifest = z.output<typeof manifestSchema>;

/** The files of a folder but for the manifest. */
export function filesOf({ sources, heldOut }: Manifest): string[] {
  return [
    ...sources.flatMap(({ shards, origins }) => [...shards, ...(origins?.files ?? [])]),
    ...(heldOut === undefined ? [] : [...heldOut.shards, heldOut.text]),
  ];
}
