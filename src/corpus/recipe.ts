// The data part of a recipe: which texts, how much of each, and what is held out (LLaMA, table 1).
import { z } from "zod";
import { stepEntries } from "../clean/index.ts";
import { count, parseWith } from "../schema/index.ts";
import { formNames, pageContents } from "./texts/index.ts";

/** The held-out part's files begin with it. */
export const heldOutName = "held-out";

/** A name that is a file name on every system. */
const sourceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name is letters, digits, '.', '_' and '-', at most 64")
  .refine((name) => name.toLowerCase() !== heldOutName, `"${heldOutName}" is what the held-out part is called`);

/** What a recipe says of one source. */
export const sourceRecipe = z.strictObject({
  /** A single source needs none: it is called "text". */
  name: sourceName.optional(),
  /** Files, folders and patterns (see `expandPaths`), relative ones from the recipe's folder on; addresses, data sets of the hub (see `fetchRemote`), and files of packages (see `expandInstalled`). */
  paths: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /** How the files are read (see `textForms`); by default by the ending of each. */
  format: z.enum(formNames).optional(),
  /** JSON and tables: the key or column that holds the text; "text" by default. */
  field: z.string().min(1).optional(),
  /** Text: what stands between documents, literally, or "blank-lines". By default a file is one document. */
  separator: z.string().min(1).optional(),
  /** HTML: its main content, where there is some, or the whole page; "main" by default. */
  content: z.enum(pageContents).optional(),
  /** Whether CRLF and lone CR become LF. */
  newlines: z.enum(["lf", "keep"]).optional(),
  /** Share of the training tokens; shares are scaled so that their sum is 1. A single source needs none. */
  weight: z.number().positive().optional(),
  licence: z.string().optional(),
  /** What is done with its documents, in this order: see the rows of the room clean. Only a preparation does that. */
  steps: stepEntries.optional(),
});

/** One source may leave out its name and weight, several may not. */
const sourcesRecipe = z
  .array(sourceRecipe)
  .min(1)
  .superRefine((sources, context) => {
    if (sources.length === 1) return;
    for (const [i, source] of sources.entries())
      for (const key of ["name", "weight"] as const)
        if (source[key] === undefined) context.addIssue({ code: "custom", path: [i, key], message: "several sources need it" });
    const names = sources.map(({ name }) => name?.toLowerCase());
    if (new Set(names).size < names.length) context.addIssue({ code: "custom", message: "every source needs a name of its own" });
  })
  .transform((sources) => sources.map(({ name = "text", weight = 1, ...source }) => ({ name, weight, ...source })));

/** The data part of a recipe. */
export const dataRecipe = z.strictObject({
  sources: sourcesRecipe,
  /** Share of the text that training never sees. */
  heldOut: z.number().min(0).lt(1).default(0.01),
  /** What marks a document: the begin-of-text token before it, the end-of-text token behind it, or both. */
  boundaries: z.enum(["both", "bos", "eos"]).default("both"),
  /** Tokens in a shard file, about; 2^28 by default. */
  shardTokens: count({ most: 2 ** 31 }).optional(),
});

/** @param name of the file or thing that it came from, for messages. @throws CriaError for what a recipe may not hold */
export function parseDataRecipe(value: unknown, name = "the recipe"): DataRecipe {
  return parseWith(dataRecipe, value, "data", name);
}

/** The data part of a recipe, read and completed by defaults. */
export type DataRecipe = z.output<typeof dataRecipe>;
/** A source of a recipe, read and completed by defaults. */
export type SourceRecipe = DataRecipe["sources"][number];
