// What a task counted, and what all of them come to: documents and bytes in and out of every step, reasons, and examples to look at.
import { z } from "zod";
import { type CleanDocument, isDropped, type Outcome } from "../clean/index.ts";
import type { ReadingNote } from "../corpus/index.ts";

const example = z.strictObject({
  /** Where the document is from. */
  id: z.string(),
  /** How its text begins, before the step. */
  text: z.string(),
  measured: z.union([z.number(), z.string()]).optional(),
  limit: z.union([z.number(), z.string()]).optional(),
});

const amount = z.strictObject({ documents: z.int(), bytes: z.int() });

const readingNote = z.strictObject({
  kind: z.enum(["damaged", "left out", "converted"]),
  what: z.string(),
  place: z.string(),
  count: z.int(),
});

const stepReport = z.strictObject({
  name: z.string(),
  in: amount,
  out: amount,
  /** Documents that the step changed and kept, with the first few before and behind it. */
  rewritten: z.int(),
  changes: z.array(z.strictObject({ id: z.string(), before: z.string(), after: z.string() })),
  /** Dropped documents by reason, with the first few of each. */
  reasons: z.record(z.string(), z.strictObject({ documents: z.int(), examples: z.array(example) })),
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
  /** Documents that stayed by their language, where a step found it. */
  languages: z.record(z.string(), z.int()),
  /** The first few documents that stayed. */
  examples: z.array(example),
});

/** What the steps of a source did. */
export type SourceReport = z.output<typeof reportSchema>;
type StepReport = z.output<typeof stepReport>;
type Amount = z.output<typeof amount>;
type NoteReport = z.output<typeof readingNote>;
type Example = z.output<typeof example>;

/** So many examples of each kind are kept, of so many characters. */
const [mostExamples, exampleLength] = [5, 600];

/** Counts what happens to the documents of a task, step by step. */
export class Counter {
  readonly #read: Amount = { documents: 0, bytes: 0 };
  readonly #kept: Amount = { documents: 0, bytes: 0 };
  readonly #notes: NoteReport[] = [];
  readonly #steps: StepReport[];
  readonly #examples: Example[] = [];
  readonly #lengths = { read: [] as number[], kept: [] as number[] };
  readonly #languages: Record<string, number> = {};

  constructor(names: readonly string[]) {
    this.#steps = names.map((name) => ({
      name,
      in: { documents: 0, bytes: 0 },
      out: { documents: 0, bytes: 0 },
      rewritten: 0,
      changes: [],
      reasons: {},
    }));
  }

  read(document: CleanDocument, bytes: number): void {
    add(this.#read, bytes);
    countLength(this.#lengths.read, document);
  }

  /** Counts what a reader tells. */
  note(note: ReadingNote): void {
    addNote(this.#notes, { ...note, count: 1 });
  }

  /** Counts what one step made of a document. @returns bytes of what is left */
  step(index: number, before: CleanDocument, bytes: number, outcome: Outcome): number {
    const step = this.#steps[index]!;
    add(step.in, bytes);
    if (isDropped(outcome)) {
      const { reason, measured, limit } = outcome;
      step.reasons[reason] ??= { documents: 0, examples: [] };
      const dropped = step.reasons[reason];
      dropped.documents++;
      if (dropped.examples.length < mostExamples)
        dropped.examples.push({ ...exampleOf(before), ...(measured !== undefined && { measured }), ...(limit !== undefined && { limit }) });
      return 0;
    }
    const left = outcome.text === before.text ? bytes : Buffer.byteLength(outcome.text);
    if (outcome.text !== before.text) {
      step.rewritten++;
      if (step.changes.length < mostExamples)
        step.changes.push({ id: exampleOf(before).id, before: cut(before.text), after: cut(outcome.text) });
    }
    add(step.out, left);
    return left;
  }

  kept(document: CleanDocument, bytes: number): void {
    add(this.#kept, bytes);
    countLength(this.#lengths.kept, document);
    const { language } = document.facts;
    if (typeof language === "string") this.#languages[language] = (this.#languages[language] ?? 0) + 1;
    if (this.#examples.length < mostExamples) this.#examples.push(exampleOf(document));
  }

  report(): SourceReport {
    return {
      ...{ read: this.#read, notes: this.#notes, kept: this.#kept, steps: this.#steps, lengths: this.#lengths },
      ...{ languages: this.#languages, examples: this.#examples },
    };
  }
}

function add(amount: Amount, bytes: number): void {
  amount.documents++;
  amount.bytes += bytes;
}

function addNote(notes: NoteReport[], note: NoteReport): void {
  const known = notes.find(({ kind, what }) => kind === note.kind && what === note.what);
  if (known === undefined) notes.push({ ...note });
  else known.count += note.count;
}

function exampleOf({ text, facts }: CleanDocument): Example {
  return { id: String(facts.id ?? ""), text: cut(text) };
}

function cut(text: string): string {
  return text.length > exampleLength ? `${text.slice(0, exampleLength).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

function countLength(lengths: number[], { characters }: CleanDocument): void {
  const bin = characters < 1 ? 0 : Math.floor(Math.log2(characters));
  while (lengths.length <= bin) lengths.push(0);
  lengths[bin]!++;
}

/** What the tasks of one pass come to together. */
export function sumReports(reports: readonly SourceReport[]): SourceReport {
  const [first, ...others] = reports;
  if (first === undefined) return new Counter([]).report();
  return others.reduce(
    (sum, report) => ({
      read: sumAmounts(sum.read, report.read),
      notes: sumNotes(sum.notes, report.notes),
      kept: sumAmounts(sum.kept, report.kept),
      steps: sum.steps.map((step, i) => sumSteps(step, report.steps[i] ?? step)),
      lengths: { read: sumLists(sum.lengths.read, report.lengths.read), kept: sumLists(sum.lengths.kept, report.lengths.kept) },
      languages: sumCounts(sum.languages, report.languages),
      examples: [...sum.examples, ...report.examples].slice(0, mostExamples),
    }),
    first,
  );
}

/** What one pass after another comes to: read by the first, kept by the last, and the steps of all. */
export function joinReports(passes: readonly SourceReport[]): SourceReport {
  const [first, last] = [passes[0], passes.at(-1)];
  if (first === undefined || last === undefined) return sumReports([]);
  return {
    ...{ read: first.read, kept: last.kept, steps: passes.flatMap(({ steps }) => steps) },
    notes: first.notes,
    lengths: { read: first.lengths.read, kept: last.lengths.kept },
    ...{ languages: last.languages, examples: last.examples },
  };
}

function sumLists(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}

function sumCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function sumNotes(a: readonly NoteReport[], b: readonly NoteReport[]): NoteReport[] {
  const sum: NoteReport[] = [];
  for (const note of [...a, ...b]) addNote(sum, note);
  return sum;
}

function sumAmounts(a: Amount, b: Amount): Amount {
  return { documents: a.documents + b.documents, bytes: a.bytes + b.bytes };
}

function sumSteps(a: StepReport, b: StepReport): StepReport {
  const reasons = { ...a.reasons };
  for (const [reason, { documents, examples }] of Object.entries(b.reasons)) {
    const known = reasons[reason] ?? { documents: 0, examples: [] };
    reasons[reason] = { documents: known.documents + documents, examples: [...known.examples, ...examples].slice(0, mostExamples) };
  }
  const changes = [...a.changes, ...b.changes].slice(0, mostExamples);
  return {
    name: a.name,
    in: sumAmounts(a.in, b.in),
    out: sumAmounts(a.out, b.out),
    rewritten: a.rewritten + b.rewritten,
    changes,
    reasons,
  };
}
