// What the reports of tasks come to together, and those of one pass after another.
import { sumNamed } from "./named-counts.ts";
import { byGreatest, byLeast, byNearness, byPlace, mostExamples, mostNearest, pickAgain } from "./picked.ts";
import type { Amount, NoteReport, SourceReport, StepReport, ValuesReport } from "./report.ts";

type Counts = Readonly<Record<string, number>>;

/** The report of no document. */
export function emptyReport(): SourceReport {
  const nothing = { documents: 0, bytes: 0 };
  return {
    read: nothing,
    notes: [],
    kept: nothing,
    steps: [],
    lengths: { read: [], kept: [] },
    languages: {},
    examples: [],
    truths: {},
    strayTruths: { documents: 0, example: "" },
  };
}

/** What two tasks of one pass come to together. */
export function sumReports(a: SourceReport, b: SourceReport): SourceReport {
  return {
    read: sumAmounts(a.read, b.read),
    notes: sumNotes(a.notes, b.notes),
    kept: sumAmounts(a.kept, b.kept),
    steps: a.steps.map((step, i) => sumSteps(step, b.steps[i] ?? step)),
    lengths: { read: sumLists(a.lengths.read, b.lengths.read), kept: sumLists(a.lengths.kept, b.lengths.kept) },
    languages: sumNamed(a.languages, b.languages),
    examples: pickAgain([a.examples, b.examples], byPlace, mostExamples),
    truths: sumTruths(a.truths, b.truths),
    strayTruths: sumStrayTruths(a.strayTruths, b.strayTruths),
  };
}

/** What one pass after another comes to: read by the first, kept by the last, and the steps of all. */
export function joinReports(passes: readonly SourceReport[]): SourceReport {
  const [first, last] = [passes[0], passes.at(-1)];
  if (first === undefined || last === undefined) return emptyReport();
  // What a pass keeps is kept for good by the last one alone.
  const withoutKept = passes.slice(0, -1).map(({ truths }) => mapped(truths, ({ kept, ...dropped }) => dropped));
  return {
    ...{ read: first.read, kept: last.kept, steps: passes.flatMap(({ steps }) => steps) },
    notes: first.notes,
    lengths: { read: first.lengths.read, kept: last.lengths.kept },
    ...{ languages: last.languages, examples: last.examples },
    truths: [...withoutKept, last.truths].reduce(sumTruths),
    strayTruths: first.strayTruths,
  };
}

/** Adds to the note of the same kind and words. */
export function addNote(notes: NoteReport[], note: NoteReport): void {
  const known = notes.find(({ kind, what }) => kind === note.kind && what === note.what);
  if (known === undefined) notes.push({ ...note });
  else known.count += note.count;
}

function mapped(
  truths: SourceReport["truths"],
  change: (counts: Record<string, number>) => Record<string, number>,
): SourceReport["truths"] {
  return Object.fromEntries(Object.entries(truths).map(([truth, counts]) => [truth, change(counts)]));
}

function sumLists(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}

function sumCounts(a: Counts, b: Counts): Record<string, number> {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** Documents with stray truths together, with the least of their examples. */
export function sumStrayTruths(a: SourceReport["strayTruths"], b: SourceReport["strayTruths"]): SourceReport["strayTruths"] {
  const [example = ""] = [a, b]
    .filter(({ documents }) => documents > 0)
    .map(({ example }) => example)
    .sort();
  return { documents: a.documents + b.documents, example };
}

function sumTruths(a: SourceReport["truths"], b: SourceReport["truths"]): SourceReport["truths"] {
  return { ...a, ...Object.fromEntries(Object.entries(b).map(([truth, counts]) => [truth, sumCounts(a[truth] ?? {}, counts)])) };
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
  for (const [name, { documents, examples, nearest, found }] of Object.entries(b.reasons)) {
    const known = reasons[name] ?? { documents: 0, examples: [], nearest: [], found: {} };
    reasons[name] = {
      documents: known.documents + documents,
      examples: pickAgain([known.examples, examples], byPlace, mostExamples),
      nearest: pickAgain([known.nearest, nearest], byNearness, mostNearest),
      found: sumNamed(known.found, found),
    };
  }
  const values = sumValues(a.values, b.values);
  return {
    name: a.name,
    in: sumAmounts(a.in, b.in),
    out: sumAmounts(a.out, b.out),
    rewritten: a.rewritten + b.rewritten,
    changes: pickAgain([a.changes, b.changes], byPlace, mostExamples),
    reasons,
    kept: pickAgain([a.kept, b.kept], byPlace, mostExamples),
    barely: sumBarely(a.barely, b.barely),
    ...(values !== undefined && { values }),
    members: [...a.members, ...b.members],
  };
}

function sumBarely(a: StepReport["barely"], b: StepReport["barely"]): StepReport["barely"] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, pickAgain([a[name] ?? [], b[name] ?? []], byNearness, mostNearest)]));
}

function sumValues(a: ValuesReport | undefined, b: ValuesReport | undefined): ValuesReport | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    fact: a.fact === "" ? b.fact : a.fact,
    kept: sumCounts(a.kept, b.kept),
    dropped: sumCounts(a.dropped, b.dropped),
    least: pickAgain([a.least, b.least], byLeast, mostNearest),
    greatest: pickAgain([a.greatest, b.greatest], byGreatest, mostNearest),
  };
}
