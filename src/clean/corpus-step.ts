// A step that decides about a document by all the others, and so cannot do it in one pass: documents give keys, which are compared, or measures, which are
// summarised, and what was found decides about each document in a second pass.
import type { z } from "zod";
import type { CleanDocument } from "./document.ts";
import type { Outcome, StepRow } from "./step.ts";
import type { KeyList } from "./text/key-list.ts";

interface KeyedStep {
  /** Adds the keys of a document, the same ones in the same order each time. */
  addKeys(document: CleanDocument, keys: KeyList): void;
  /** What becomes of the document. @param isMarked by the number of what may be marked: a key, or the document itself as number 0 */
  decide(document: CleanDocument, isMarked: (mark: number) => boolean): Outcome;
}

/** A step that asks which keys stand in a source more than once. */
export interface MarkStep extends KeyedStep {
  /** Which keys are marked: every one that stands in the source more than once, or all of these but the first. */
  readonly marks: "every copy" | "later copies";
  /** Parts of the source that are compared each by itself, of about the same size. */
  readonly groups: number;
}

/** A step that joins documents which share a key to clusters; all of a cluster but its first document are marked. */
export interface ClusterStep extends KeyedStep {
  /** Each document has so many keys; only keys with the same number are compared. */
  readonly bands: number;
  /** Documents that a cluster may have; what would make it larger is left apart, and told. */
  readonly mostDocuments: number;
  /** Which keys with the same number count as shared; equal ones alone when absent. */
  readonly near?: NearKeys;
}

/** Keys count as shared where their upper halves begin with the same bits and few of all 64 bits differ. */
export interface NearKeys {
  /** Bits at the top of the upper half, at most 32, which are the same. */
  readonly sameBits: number;
  /** Bits that may differ. */
  readonly distance: number;
}

/** A step that asks how a measure is spread over a source: a sample of its documents is measured, and what the measures come to decides about all. */
export interface StatisticStep {
  /** The share of the documents that is measured for the summary, chosen by {@link samplePlace}. */
  readonly share: number;
  /** Measures that are summarised, at most: those with the least places. */
  readonly mostMeasures: number;
  /** Which documents are summarised together, such as those of one language; undefined where the document is not measured, and stays as it is. */
  groupOf(document: CleanDocument): string | undefined;
  /** The measure of a document in a group. */
  measure(document: CleanDocument): number;
  /** What the measures of each group come to, as plain data. No group is there where nothing was measured. */
  summarise(groups: ReadonlyMap<string, Float64Array>): unknown;
  /** How a summary decides about a document of a group. @throws CriaError where the summary is none */
  decider(summary: unknown): (document: CleanDocument, measured: number) => Outcome;
}

/** A step that compares keys, with its parameters set. */
export type KeyStep = MarkStep | ClusterStep;

/** A step over all documents of a source, with its parameters set. */
export type CorpusStep = KeyStep | StatisticStep;

/** Whether a step joins documents to clusters. */
export function isClusterStep(step: CorpusStep): step is ClusterStep {
  return "bands" in step;
}

/** Whether a step compares keys. */
export function isKeyStep(step: CorpusStep): step is KeyStep {
  return "addKeys" in step;
}

/** Whether a step decides by a statistic. */
export function isStatisticStep(step: CorpusStep): step is StatisticStep {
  return "summarise" in step;
}

/** A kind of step over all documents. */
export interface CorpusStepRow<Parameters extends z.ZodType = z.ZodType> extends Omit<StepRow<Parameters>, "open" | "files"> {
  openCorpus(parameters: z.output<Parameters>): CorpusStep;
}

/** A row whose parameters are typed by its schema. */
export function corpusStepRow<Parameters extends z.ZodType>(row: CorpusStepRow<Parameters>): CorpusStepRow<Parameters> {
  return row;
}

/** Whether a row is of a step over all documents. */
export function isCorpusRow(row: object): row is CorpusStepRow {
  return "openCorpus" in row;
}
