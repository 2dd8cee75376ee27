// Which rows of which sequences the next pass computes, and on which pages: continuous batching (Yu et al. 2022, Orca), with prompts cut into
// chunks where others are decoding (Agrawal et al. 2024, arXiv 2403.02310).
import { check } from "../base/index.ts";
import type { CachedText, PageCopy } from "./cached-text.ts";
import type { PageAllocator } from "./page-allocator.ts";

/** What one pass may hold at most. */
export interface PassLimits {
  readonly rows: number;
  /** Rows of a pass in which a sequence is decoding while another one has more than `decodingRows` to compute. */
  readonly mixedRows: number;
  readonly sequences: number;
  /** Rows whose logits are wanted. */
  readonly results: number;
}

/** A sequence with this many rows to compute or fewer is decoding, or verifying a draft: it waits for the whole pass, so that stays short. */
const decodingRows = 16;

/** Rows of one sequence that somebody waits for. */
export interface Work {
  /** Rows before it are to be computed. */
  readonly end: number;
  /** Whether results are logits, of which a pass holds a limited number of rows. */
  readonly wantsLogits: boolean;
  /** The first row whose result is still to come; `end` where none is. */
  nextResult: number;
  /** Rows computed so far, those computed again included. */
  computedRows: number;
  /** Rows before this one were computed or found once, since the work began or before. */
  reached: number;
  /** Rows of the work that pages had before it reached them. */
  cachedRows: number;
}

/** A sequence as the scheduler sees it; W is what whoever waits needs to know of the work. */
export interface Member<W extends Work = Work> {
  readonly text: CachedText;
  /** Rises from sequence to sequence: the largest is the youngest. */
  readonly age: number;
  /** When a pass last had rows of it, by the scheduler's clock. */
  servedAt: number;
  /** Rows of work that has ended which pages had already. */
  cachedRows: number;
  work: W | undefined;
}

/** Rows of one sequence in a pass: `rows` from position `first` on. */
export interface PassPart<W extends Work = Work> {
  readonly member: Member<W>;
  readonly work: W;
  readonly first: number;
  readonly rows: number;
}

/** What one pass computes. */
export interface Pass<W extends Work = Work> {
  /** The length for which RoPE's table is made, one for all rows: rows with different tables are computed in passes of their own. */
  readonly ropeLength: number;
  readonly parts: readonly PassPart<W>[];
  /** Copies of pages, made in this order before the rows are computed. */
  readonly copies: readonly PageCopy[];
}

/** Gives out pages, and says what the next pass computes. */
export class Scheduler<W extends Work> {
  readonly #pool: PageAllocator;
  #limits: PassLimits;
  readonly #members = new Set<Member<W>>();
  #nextAge = 0;
  #clock = 0;

  constructor(pool: PageAllocator, limits: PassLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  get limits(): PassLimits {
    return this.#limits;
  }

  /** What passes hold from the next one on. */
  set limits(limits: PassLimits) {
    this.#limits = limits;
  }

  join(text: CachedText): Member<W> {
    const member: Member<W> = { text, age: this.#nextAge++, servedAt: ++this.#clock, cachedRows: 0, work: undefined };
    this.#members.add(member);
    return member;
  }

  /** Gives up a sequence and its pages; what was computed is kept for others. */
  leave(member: Member<W>): void {
    if (this.#members.delete(member)) member.text.pause();
  }

  /**
   * The next pass; undefined where nobody waits. Up to `sequences` members with one table of RoPE take part, those first that have waited for longest; they share
   * the rows evenly, and what one does not need the others get. A part may have no row: then all of it was there, or there is no page for it yet.
   */
  plan(): Pass<W> | undefined {
    const [first, ...others] = this.#waiting().sort((a, b) => a.servedAt - b.servedAt);
    if (first === undefined) return undefined;
    const waiting = [first, ...others] as const;
    for (const member of waiting) reuse(member);
    const pass = this.#planFor(waiting) ?? this.#planFor([oldestOf(waiting)]);
    check(pass !== undefined, "infer", () => `no sequence gets a page of the pool's ${this.#pool.count}: this is a mistake in cria`);
    const served = new Set<Member<W>>(pass.parts.filter(({ rows }) => rows > 0).map(({ member }) => member));
    for (const member of waiting) if (served.has(member)) member.servedAt = ++this.#clock;
    return pass;
  }

  /** The rows of a pass are computed. */
  commit({ parts }: Pass<W>): void {
    for (const { member, work, rows } of parts) {
      member.text.commit(rows);
      work.computedRows += rows;
      work.reached = Math.max(work.reached, member.text.computed);
    }
  }

  /** The pass failed: what its sequences had in pages that others cannot see is computed again when they go on. */
  forget({ parts }: Pass<W>): void {
    for (const { member, rows } of parts) if (rows > 0) member.text.forget();
  }

  #waiting(): Waiting<W>[] {
    return [...this.#members].filter((member): member is Waiting<W> => member.work !== undefined);
  }

  /** A pass with rows of the first of these members; undefined where older ones, which are not among them, have all pages. */
  #planFor(waiting: readonly [Waiting<W>, ...Waiting<W>[]]): Pass<W> | undefined {
    const ropeLength = nextRopeLength(waiting[0]);
    const chosen = waiting.filter((member) => nextRopeLength(member) === ropeLength).slice(0, this.#limits.sequences);
    const copies: PageCopy[] = [];
    const parts = this.#share(chosen)
      .sort((a, b) => a.member.age - b.member.age) // the oldest takes pages first, so that it always gets on
      .map(({ member, rows }) => this.#part(member, rows, ropeLength, copies));
    return parts.some(({ work, first, rows }) => rows > 0 || first === work.end) ? { ropeLength, parts, copies } : undefined;
  }

  /** Max-min fair: the members with the least to do get it all, and the others as much as each other. */
  #share(chosen: readonly Waiting<W>[]): { readonly member: Waiting<W>; readonly rows: number }[] {
    const needs = chosen.map((member) => ({ member, need: member.work.end - member.text.computed })).sort((a, b) => a.need - b.need);
    const isMixed = needs.some(({ need }) => need <= decodingRows) && needs.some(({ need }) => need > decodingRows);
    let rows = isMixed ? this.#limits.mixedRows : this.#limits.rows;
    let { results } = this.#limits;
    return needs.map(({ member, need }, at) => {
      const left = needs.length - at;
      const share = withinResults(member, Math.min(need, Math.floor(rows / left)), Math.floor(results / left));
      rows -= share;
      results -= resultsIn(member, share);
      return { member, rows: share };
    });
  }

  /** Takes at most `most` rows of a member; one that an older member has made pause takes over again what is left of its pages. */
  #part(member: Waiting<W>, most: number, ropeLength: number, copies: PageCopy[]): PassPart<W> {
    const { text, work } = member;
    reuse(member);
    const last = Math.min(text.computed + most, work.end);
    let end = text.computed;
    while (end < last && text.ropeLengthAt(end) === ropeLength) end++;
    return { member, work, first: text.computed, rows: this.#reserve(member, end - text.computed, copies) };
  }

  /** Reserves pages for as many of the rows as there are any for, once prefixes, idle sequences and younger ones have given theirs. */
  #reserve(member: Member<W>, rows: number, copies: PageCopy[]): number {
    if (rows === 0) return 0;
    for (;;) {
      const reserved = member.text.reserve(rows, copies);
      const victim = reserved > 0 ? undefined : this.#victimOf(member);
      if (victim === undefined) return reserved;
      victim.text.pause();
    }
  }

  /** Who gives its pages first: of the sequences that nobody waits for the one that was served the longest ago, then the youngest of those that wait. */
  #victimOf(member: Member<W>): Member<W> | undefined {
    const holders = [...this.#members].filter((other) => other !== member && other.text.pages.length > 0);
    const idle = holders.filter(({ work }) => work === undefined).sort((a, b) => a.servedAt - b.servedAt);
    const younger = holders.filter(({ work, age }) => work !== undefined && age > member.age).sort((a, b) => b.age - a.age);
    return idle[0] ?? younger[0];
  }
}

/** Takes over what pages have of a member's rows already. */
function reuse({ text, work }: Waiting): void {
  text.reuse(work.nextResult);
  work.cachedRows += Math.max(0, text.computed - work.reached);
  work.reached = Math.max(work.reached, text.computed);
}

/** The length that RoPE's table is made for in the next row; that of the last row where all are computed. */
function nextRopeLength({ text, work }: Waiting): number {
  return text.ropeLengthAt(Math.min(text.computed, work.end - 1));
}

function oldestOf<W extends Work>(waiting: readonly Waiting<W>[]): Waiting<W> {
  return waiting.reduce((oldest, member) => (member.age < oldest.age ? member : oldest));
}

type Waiting<W extends Work = Work> = Member<W> & { readonly work: W };

/** Rows among the next `rows` of a member whose logits are wanted. */
function resultsIn({ text, work }: Waiting, rows: number): number {
  if (!work.wantsLogits) return 0;
  return Math.max(0, text.computed + rows - work.nextResult);
}

/** The number of rows, of `rows`, that have at most `results` results. */
function withinResults(member: Waiting, rows: number, results: number): number {
  return rows - Math.max(0, resultsIn(member, rows) - results);
}
