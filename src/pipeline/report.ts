// What a report of cleaning holds, of a task or of a source: documents and bytes in and out of every step, reasons, and documents to look at. It is the same
// for any number of threads and machines; times, which are not, have a file of their own.
import { z } from "zod";
import { noteKinds } from "../corpus/index.ts";

const said = z.union([z.number(), z.string()]).optional();

const example = z.strictObject({
  /** Where the document is from. */
  id: z.string(),
  /** How its text begins, before the step. */
  text: z.string(),
  measured: said,
  limit: said,
  /** What it was picked by: see `Picked`. */
  place: z.number().default(0),
});

const change = z.strictObject({ id: z.string(), before: z.string(), after: z.string(), place: z.number().default(0) });

const amount = z.strictObject({ documents: z.int(), bytes: z.int() });

const readingNote = z.strictObject({
  kind: z.enum(noteKinds),
  what: z.string(),
  place: z.string(),
  count: z.int(),
});

const reason = z.strictObject({
  documents: z.int(),
  /** A fair sample of them. */
  examples: z.array(example),
  /** Those that were nearest to the limit, where the step measures numbers. */
  nearest: z.array(example).default([]),
  /** How many documents each thing of a list was found in, such as items of a test, words or languages; what many more are is counted under "". */
  found: z.record(z.string(), z.int()).default({}),
});

/** So many things of a list are counted by their names. */
export const mostFound = 10_000;

/** How many documents have a value in each bin, by the bin's least value as {@link binOf} says it. */
const counts = z.record(z.string(), z.int());

const values = z.strictObject({
  /** What the numbers are, such as perplexity: a fact that the step finds. */
  fact: z.string(),
  kept: counts,
  dropped: counts,
  /** Documents that stayed with the least and with the greatest numbers: those that a limit would take first. */
  least: z.array(example),
  greatest: z.array(example),
});

const clusters = z.strictObject({
  /** Documents that went as copies of the first of their cluster. */
  copies: z.int(),
  /** Clusters by their number of documents. */
  sizes: counts,
  /** Pairs that were left apart because their cluster would have had too many documents. */
  leftApart: z.int(),
  /** The largest ones, each with its first document and some of the others. */
  largest: z.array(z.strictObject({ documents: z.int(), texts: z.array(z.strictObject({ id: z.string(), text: z.string() })) })),
});

const stepReport = z.strictObject({
  name: z.string(),
  /** What the recipe, or its preset, says of the step's parameters; absent in the reports of tasks. */
  parameters: z.record(z.string(), z.unknown()).optional(),
  in: amount,
  out: amount,
  /** Documents that the step changed and kept, with a sample of them around their first change. */
  rewritten: z.int(),
  changes: z.array(change),
  /** Dropped documents by reason. */
  reasons: z.record(z.string(), reason),
  /** A sample of the documents that the step kept. */
  kept: z.array(example).default([]),
  /** Documents that stayed near a limit, by the reason for which a limit a tenth stricter would drop them; of some of the documents alone. */
  barely: z.record(z.string(), z.array(example)).default({}),
  /** Numbers that the step finds, where it finds some. */
  values: values.optional(),
  /** Beginnings of documents of the largest clusters, while tasks run: see `clusters`. */
  members: z.array(z.strictObject({ cluster: z.int(), member: z.int(), id: z.string(), text: z.string() })).default([]),
  clusters: clusters.optional(),
});

/** What a task or a source counted. */
export const reportSchema = z.strictObject({
  read: amount,
  /** What the reader passed over, left out or converted, by kind and words: how often, and where first. */
  notes: z.array(readingNote).default([]),
  kept: amount,
  steps: z.array(stepReport),
  /** Documents by their length before and behind all steps: how many have 2^i characters or more, but fewer than 2^(i + 1). */
  lengths: z.strictObject({ read: z.array(z.int()), kept: z.array(z.int()) }),
  /** Documents that stayed by their language, where a step found it or a file says it; what many more languages are is counted under "". */
  languages: z.record(z.string(), z.int()),
  /** A sample of the documents that stayed. */
  examples: z.array(example),
  /** Documents whose facts say what should become of them, by that and by what did: "kept", or the step and the reason with a point between them. */
  truths: z.record(z.string(), counts).default({}),
  /** Documents whose truth is none of this source's steps, and one of these truths. */
  strayTruths: z.strictObject({ documents: z.int(), example: z.string() }).default({ documents: 0, example: "" }),
});

/** What the steps of a source did. */
export type SourceReport = z.output<typeof reportSchema>;
/** What one step did. */
export type StepReport = z.output<typeof stepReport>;
/** Documents and their bytes. */
export type Amount = z.output<typeof amount>;
/** What a reader told, and how often. */
export type NoteReport = z.output<typeof readingNote>;
/** A document to look at. */
export type Example = z.output<typeof example>;
/** A document before and behind a step. */
export type Change = z.output<typeof change>;
/** Numbers that a step found. */
export type ValuesReport = z.output<typeof values>;

/** The least value of the bin that a number falls into: of fiftieths up to 1, of quarters of an octave above. */
export function binOf(value: number): string {
  if (!(value > 1)) return String(Math.floor(value * 50) / 50);
  return (2 ** (Math.floor(Math.log2(value) * 4) / 4)).toPrecision(4);
}
