// The ids of one sequence and the pages that hold their keys and values: from no page at all, where everything is computed again, to all of them.
import { fail } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import type { Before, Page, PageAllocator } from "./page-allocator.ts";

/** Keys and values of one page to be copied to another before a pass writes to it. */
export interface PageCopy {
  readonly from: number;
  readonly to: number;
}

/** Fewer shared keys in the middle of a page, such as that of a begin-of-text token alone, are computed again: the page would be copied for them. */
const leastShared = 8;

/** A row's id and the length that its RoPE table is made for are one number, id + length · 2³², so that rows are told apart by one comparison. */
const lengthStep = 2 ** 32;

/** Rows 0 to `computed` − 1 have their keys in `pages`. Pages are shared; one that others see too is copied before this sequence writes to it. */
export class CachedText {
  /**
   * What tells the keys of rows apart that follow the same rows: their ids, and the lengths that RoPE's table was made for, which are 0
   * but where the table depends on the length of a run (`ropeLength` of the model room). A row that is computed again has its old length again.
   */
  readonly #marks: number[];
  readonly #pool: PageAllocator;
  readonly #beginning: { readonly salt: string };
  readonly #pages: Page[] = [];
  #computed = 0;

  /** @param salt only texts of the same salt share pages */
  constructor(pool: PageAllocator, marks: readonly number[] = [], salt = "") {
    this.#pool = pool;
    this.#beginning = { salt };
    this.#marks = [...marks];
  }

  get length(): number {
    return this.#marks.length;
  }

  /** A copy of the ids before row `end`. */
  ids(end = this.length): number[] {
    return this.#marks.slice(0, end).map((mark) => mark % lengthStep);
  }

  idAt(row: number): number {
    return this.#mark(row) % lengthStep;
  }

  /** The length that RoPE's table is made for in the run of this row, which must be there. */
  ropeLengthAt(row: number): number {
    return Math.floor(this.#mark(row) / lengthStep);
  }

  append(ids: ArrayLike<number>, ropeLength = 0): void {
    for (let i = 0; i < ids.length; i++) this.#marks.push(ids[i]! + ropeLength * lengthStep);
  }

  get pages(): readonly Page[] {
    return this.#pages;
  }

  get computed(): number {
    return this.#computed;
  }

  /** The same text on the same pages. */
  fork(): CachedText {
    const other = new CachedText(this.#pool, this.#marks, this.#beginning.salt);
    other.#computed = this.#computed;
    for (const page of this.#pages) other.#push(page);
    return other;
  }

  /** Forgets all ids from `length` on. */
  truncate(length: number): void {
    this.#marks.length = Math.min(length, this.#marks.length);
    this.#computed = Math.min(length, this.#computed);
    this.#releaseSurplus();
  }

  /** Takes over what the pool keeps of the ids that are not computed yet, as far as row `until`. */
  reuse(until: number): void {
    this.#releaseSurplus();
    while (this.#reusePage(until));
  }

  /**
   * Makes room for the next rows.
   * @param copies the copies that must be made first are added to these
   * @returns for how many rows there is room: fewer than `rows` where the pool has no page
   */
  reserve(rows: number, copies: PageCopy[]): number {
    if (!this.#ownLastPage(copies)) return 0;
    const end = this.#computed + rows;
    while (this.#pages.length * pageKeys < end) {
      const page = this.#pool.take();
      if (page === undefined) break;
      this.#pages.push(page);
    }
    return Math.min(end, this.#pages.length * pageKeys) - this.#computed;
  }

  /** The next rows are computed; pages that are full are kept for others. */
  commit(rows: number): void {
    const before = Math.floor(this.#computed / pageKeys);
    this.#computed += rows;
    for (let at = before; at < Math.floor(this.#computed / pageKeys); at++) this.#keep(at, (at + 1) * pageKeys);
    this.#releaseSurplus();
  }

  /** Gives all pages back; the text is kept for others as far as it is computed, and computed again when it goes on. */
  pause(): void {
    if (this.#computed % pageKeys > 0) this.#keep(this.#pages.length - 1, this.#computed);
    this.forget();
  }

  /** Gives all pages back and keeps nothing of what is not kept yet: after a failure, nobody knows what the last page holds. */
  forget(): void {
    this.#computed = 0;
    this.#releaseSurplus();
  }

  /** @returns whether a whole page was found, so that there may be more */
  #reusePage(until: number): boolean {
    const at = Math.floor(this.#computed / pageKeys);
    const found = this.#pool.find(this.#before(at), this.#marks, at * pageKeys, until);
    if (found === undefined) return false;
    const computed = at * pageKeys + found.keys;
    if (computed - this.#computed < Math.min(leastShared, until - this.#computed) || computed <= this.#computed) return false;
    const old = this.#pages.splice(at, 1);
    this.#push(found.page);
    for (const page of old) this.#pool.release(page);
    this.#computed = computed;
    return found.keys === pageKeys;
  }

  /** Whether the page of the next row, where it has rows already, can be written to. */
  #ownLastPage(copies: PageCopy[]): boolean {
    const at = Math.floor(this.#computed / pageKeys);
    const page = this.#computed % pageKeys > 0 ? this.#pages[at] : undefined;
    if (page === undefined || (page.users === 1 && !page.isKept)) return true;
    const own = this.#pool.take();
    if (own === undefined) return page.users === 1 && this.#pool.detach(page);
    copies.push({ from: page.number, to: own.number });
    this.#pages[at] = own;
    this.#pool.release(page);
    return true;
  }

  /** Keeps the page at `at`, which holds ids up to `end`, or takes the one in its place that the pool keeps already. */
  #keep(at: number, end: number): void {
    const page = this.#pages[at]!;
    if (page.isKept) return;
    const kept = this.#pool.keep(this.#before(at), page, this.#marks.slice(at * pageKeys, end));
    if (kept === page) return;
    this.#pool.hold(kept);
    this.#pages[at] = kept;
    this.#pool.release(page);
  }

  #before(at: number): Before {
    return this.#pages[at - 1] ?? this.#beginning;
  }

  #mark(row: number): number {
    return this.#marks[row] ?? fail("infer", `row ${row} is wanted of a text of ${this.length} tokens`);
  }

  #push(page: Page): void {
    this.#pool.hold(page);
    this.#pages.push(page);
  }

  /** Gives back the pages that no computed row needs. */
  #releaseSurplus(): void {
    const needed = Math.ceil(this.#computed / pageKeys);
    for (const page of this.#pages.splice(needed)) this.#pool.release(page);
  }
}
