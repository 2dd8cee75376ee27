// Counts what happens to the documents of a task, step by step, and picks the ones that a report shows.
import { type CleanDocument, type Dropped, isDropped, type Outcome, samplePlace } from "../clean/index.ts";
import type { ReadingNote } from "../corpus/index.ts";
import { changeOf, cut } from "./change-texts.ts";
import { NamedCounts } from "./named-counts.ts";
import { byGreatest, byLeast, byNearness, byPlace, hasDistance, mostExamples, mostNearest, type Picked, pick } from "./picked.ts";
import {
  type Amount,
  binOf,
  type Change,
  type Example,
  type NoteReport,
  type SourceReport,
  type StepReport,
  type ValuesReport,
} from "./report.ts";
import { addNote, sumStrayTruths } from "./sum-reports.ts";

/** What happens to the documents of a task. */
export class Counter {
  readonly #read: Amount = { documents: 0, bytes: 0 };
  readonly #kept: Amount = { documents: 0, bytes: 0 };
  readonly #notes: NoteReport[] = [];
  readonly #steps: StepReport[];
  /** How far the order of samples is turned for each step, so that every step shows other documents. */
  readonly #turns: readonly number[];
  readonly #examples: Example[] = [];
  readonly #lengths = { read: [] as number[], kept: [] as number[] };
  readonly #languages = new NamedCounts();
  /** What was found in dropped documents, by step and reason. */
  readonly #found: readonly Map<string, NamedCounts>[];
  readonly #knownTruths: ReadonlySet<string>;
  readonly #truths: Record<string, Record<string, number>> = {};
  #strayTruths: SourceReport["strayTruths"] = { documents: 0, example: "" };
  /** Where the text of the document that is on its way stood in the order of samples when the pass read it. */
  #readPlace = 0;
  /** The same in the order of the step that is counted. */
  #place = 0;

  /** @param names of the steps @param truths what the documents' facts may say that should become of them: see `truthsOf` */
  constructor(names: readonly string[], truths: ReadonlySet<string> = new Set()) {
    this.#knownTruths = truths;
    this.#steps = names.map(emptyStep);
    this.#found = names.map(() => new Map());
    this.#turns = names.map(samplePlace);
  }

  /** Counts a document that the pass begins with. */
  read(document: CleanDocument, bytes: number): void {
    this.#readPlace = samplePlace(document.text);
    add(this.#read, bytes);
    countLength(this.#lengths.read, document);
    const { truth } = document.facts;
    if (typeof truth === "string" && !this.#knownTruths.has(truth))
      this.#strayTruths = sumStrayTruths(this.#strayTruths, { documents: 1, example: truth.slice(0, 40) });
  }

  /** Counts what a reader tells. */
  note(note: ReadingNote): void {
    addNote(this.#notes, { ...note, count: 1 });
  }

  /** Keeps the beginning of a document of a large cluster. */
  member(index: number, { cluster, member }: { readonly cluster: number; readonly member: number }, document: CleanDocument): void {
    this.#steps[index]!.members.push({ cluster, member, id: idOf(document), text: cut(document.text) });
  }

  /** Counts what one step made of a document. @returns bytes of what is left */
  step(index: number, before: CleanDocument, bytes: number, outcome: Outcome): number {
    const step = this.#steps[index]!;
    this.#place = (this.#readPlace + this.#turns[index]!) % 1;
    add(step.in, bytes);
    if (isDropped(outcome)) {
      this.#dropped(index, before, outcome);
      return 0;
    }
    const isSame = outcome.text === before.text;
    const left = isSame ? bytes : Buffer.byteLength(outcome.text);
    if (!isSame) {
      step.rewritten++;
      const make = ({ place }: Picked): Change => ({ id: idOf(before), ...changeOf(before.text, outcome.text), place });
      pick(step.changes, { place: this.#place }, { order: byPlace, most: mostExamples, make });
    }
    pick(step.kept, { place: this.#place }, { order: byPlace, most: mostExamples, make: exampleOf(before) });
    this.#findNumber(step, before, outcome);
    add(step.out, left);
    return left;
  }

  /** Counts what the first step of a pass cut a document into. */
  cut(bytes: number, parts: readonly CleanDocument[]): void {
    const step = this.#steps[0]!;
    add(step.in, bytes);
    for (const { text } of parts) add(step.out, Buffer.byteLength(text));
  }

  /** Keeps a document that the step that was counted last kept, though it stands near a limit. */
  near(index: number, document: CleanDocument, { reason, measured, limit }: Dropped): void {
    const { barely } = this.#steps[index]!;
    const stayed = known(barely, reason) ?? [];
    barely[reason] = stayed;
    const candidate = { place: this.#place, measured, limit };
    if (hasDistance(candidate)) pick(stayed, candidate, { order: byNearness, most: mostNearest, make: exampleOf(document) });
  }

  /** Counts a document that the pass leaves. */
  kept(document: CleanDocument, bytes: number): void {
    add(this.#kept, bytes);
    countLength(this.#lengths.kept, document);
    const { language } = document.facts;
    if (typeof language === "string") this.#languages.add(language);
    pick(this.#examples, { place: this.#readPlace }, { order: byPlace, most: mostExamples, make: exampleOf(document) });
    this.#truth(document, "kept");
  }

  report(): SourceReport {
    for (const [index, reasons] of this.#found.entries())
      for (const [reason, found] of reasons) this.#steps[index]!.reasons[reason]!.found = found.toJSON();
    return {
      ...{ read: this.#read, notes: this.#notes, kept: this.#kept, steps: this.#steps, lengths: this.#lengths },
      ...{ languages: this.#languages.toJSON(), examples: this.#examples, truths: this.#truths, strayTruths: this.#strayTruths },
    };
  }

  #dropped(index: number, before: CleanDocument, { reason, measured, limit, found = [] }: Dropped): void {
    const step = this.#steps[index]!;
    const dropped = known(step.reasons, reason) ?? { documents: 0, examples: [], nearest: [], found: {} };
    step.reasons[reason] = dropped;
    dropped.documents++;
    const candidate = { place: this.#place, ...(measured !== undefined && { measured }), ...(limit !== undefined && { limit }) };
    const make = exampleOf(before);
    pick(dropped.examples, candidate, { order: byPlace, most: mostExamples, make });
    if (hasDistance(candidate)) pick(dropped.nearest, candidate, { order: byNearness, most: mostNearest, make });
    if (typeof measured === "number") count(valuesOf(step).dropped, binOf(measured));
    for (const name of found) this.#foundOf(index, reason).add(name);
    this.#truth(before, `${step.name}.${reason}`);
  }

  #foundOf(index: number, reason: string): NamedCounts {
    const reasons = this.#found[index]!;
    const found = reasons.get(reason) ?? new NamedCounts();
    reasons.set(reason, found);
    return found;
  }

  /** Counts the first number that a step found out about a document that it kept. */
  #findNumber(step: StepReport, before: CleanDocument, { facts }: CleanDocument): void {
    if (facts === before.facts) return;
    for (const fact in facts) {
      const measured = facts[fact];
      if (typeof measured !== "number" || fact in before.facts) continue;
      const values = valuesOf(step);
      values.fact = fact;
      count(values.kept, binOf(measured));
      const candidate = { place: this.#place, measured };
      pick(values.least, candidate, { order: byLeast, most: mostNearest, make: exampleOf(before) });
      pick(values.greatest, candidate, { order: byGreatest, most: mostNearest, make: exampleOf(before) });
      return;
    }
  }

  #truth({ facts: { truth } }: CleanDocument, became: string): void {
    if (typeof truth !== "string" || !this.#knownTruths.has(truth)) return;
    this.#truths[truth] ??= {};
    count(this.#truths[truth], became);
  }
}

function emptyStep(name: string): StepReport {
  const nothing = () => ({ documents: 0, bytes: 0 });
  return { name, in: nothing(), out: nothing(), rewritten: 0, changes: [], reasons: {}, kept: [], barely: {}, members: [] };
}

/** What stands under a name, which may be one that every object has. */
function known<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function valuesOf(step: StepReport): ValuesReport {
  step.values ??= { fact: "", kept: {}, dropped: {}, least: [], greatest: [] };
  return step.values;
}

function add(amount: Amount, bytes: number): void {
  amount.documents++;
  amount.bytes += bytes;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function idOf({ facts: { id } }: CleanDocument): string {
  return String(id ?? "");
}

function exampleOf(document: CleanDocument): (candidate: Picked) => Example {
  return (candidate) => ({ id: idOf(document), text: cut(document.text), ...candidate });
}

function countLength(lengths: number[], { characters }: CleanDocument): void {
  const bin = characters < 1 ? 0 : Math.floor(Math.log2(characters));
  while (lengths.length <= bin) lengths.push(0);
  lengths[bin]!++;
}
