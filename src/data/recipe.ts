// The data part of a recipe: which texts, how much of each, and what is held out (LLaMA, table 1).
import { z } from "zod";
import { count } from "./count.ts";

/** The held-out part's files begin with it. */
export const heldOutName = "held-out";

/** A name that is a file name on every system. */
const sourceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name is letters, digits, '.', '_' and '-', at most 64")
  .refine((name) => name.toLowerCase() !== heldOutName, `"${heldOutName}" is what the held-out part is called`);

export const sourceRecipe = z.strictObject({
  name: sourceName,
  /** Files, folders and patterns with *, ? and **; relative ones start from the recipe's folder. */
  paths: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /** By default .jsonl and .ndjson are "jsonl" and everything else "text". */
  format: z.enum(["text", "jsonl"]).optional(),
  /** JSONL: the key that holds the text. */
  field: z.string().min(1).default("text"),
  /** Text: what stands between documents, literally, or "blank-lines". By default a file is one document. */
  separator: z.string().min(1).optional(),
  /** Share of the training tokens; shares are scaled so that their sum is 1. */
  weight: z.number().positive(),
  licence: z.string().optional(),
});

export const dataRecipe = z.strictObject({
  sources: z
    .array(sourceRecipe)
    .min(1)
    .refine(
      (sources) => new Set(sources.map(({ name }) => name.toLowerCase())).size === sources.length,
      "every source needs a name of its own",
    ),
  /** Share of the documents that training never sees. */
  heldOut: z.number().min(0).lt(1).default(0.01),
  /** What marks a document: the begin-of-text token before it, the end-of-text token behind it, or both. */
  boundaries: z.enum(["both", "bos", "eos"]).default("both"),
  /** Tokens in a shard file, about; 2^28 by default. */
  shardTokens: count({ most: 2 ** 31 }).optional(),
});

export type SourceRecipe = z.output<typeof sourceRecipe>;
export type DataRecipe = z.output<typeof dataRecipe>;
