// A text that grows on a model, and what a run may be asked for.
import { check } from "../base/index.ts";
import type { Member } from "./scheduler.ts";
import type { SequenceQueue } from "./sequence-queue.ts";

/** A text that grows, with the keys and values of what was computed of it. Dispose of it to give its pages back. */
export class Sequence implements Disposable {
  readonly #model: SequenceQueue;
  readonly #member: Member;

  /** @ignore models make them */
  constructor(model: SequenceQueue, member: Member) {
    this.#model = model;
    this.#member = member;
  }

  /** Tokens that were run. */
  get length(): number {
    return this.#model.lengthOf(this.#member);
  }

  /** The tokens that were run. */
  get ids(): readonly number[] {
    return this.#member.text.ids(this.length);
  }

  /** Runs `ids` behind what was run. @returns logits [V] for the token after them. @throws as {@link SequenceModel.run} */
  async next(ids: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    const [{ logits }] = await this.#model.run([{ sequence: this, ids, logits: "last" }], signal);
    return logits;
  }

  /** Another sequence with the same tokens, on the same pages as long as these stay the same. @throws CriaError while it is run or after dispose. */
  fork(): Sequence {
    return this.#model.fork(this.#member);
  }

  /** Forgets the tokens from `length` on. @throws CriaError while it is run, after dispose, or where it has fewer tokens. */
  truncate(length: number): void {
    this.#model.truncate(this.#member, length);
  }

  /** Gives its pages back. A run in progress ends with an error. Disposing twice is harmless. */
  dispose(): void {
    this.#model.leave(this.#member);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @ignore */
  memberOf(model: SequenceQueue): Member {
    check(model === this.#model, "infer", () => "the sequence belongs to another model: run it there");
    return this.#member;
  }
}

/** Of which of the rows of a run logits are wanted. */
export type LogitsWanted = "none" | "last" | "all";

/** The output of layer `layer`, from 0 for the embedding to nLayers for the last layer (before the final norm), of the last row or of all of the run. */
export interface HiddenWanted {
  readonly layer: number;
  readonly rows: "last" | "all";
}

/** What a run does for one sequence. */
export interface RunItem {
  readonly sequence: Sequence;
  /** Tokens that go on from the sequence, at least one. */
  readonly ids: ArrayLike<number>;
  /** "last" by default. */
  readonly logits?: LogitsWanted;
  readonly hidden?: HiddenWanted;
}

/** A row, an array of rows or nothing, by what is wanted. */
type RowsOf<Wanted> = Wanted extends "last" ? Float32Array : Wanted extends "all" ? readonly Float32Array[] : undefined;
type AnyRows = RowsOf<LogitsWanted>;
type LogitsOf<Item> = Item extends { readonly logits: infer Wanted }
  ? RowsOf<Wanted>
  : "logits" extends keyof Item
    ? AnyRows
    : Float32Array;
type HiddenOf<Item> = Item extends { readonly hidden: { readonly rows: infer Wanted } }
  ? RowsOf<Wanted>
  : "hidden" extends keyof Item
    ? AnyRows
    : undefined;

/** What came of one item. */
export interface RunResult<Item extends RunItem = RunItem> {
  /** Logits [V] of the last row, or of each row of the run. */
  readonly logits: LogitsOf<Item>;
  /** The layer's output [C] of the last row, or of each row of the run. */
  readonly hidden: HiddenOf<Item>;
  /** Rows that were computed for it: fewer than its ids where the pool had their keys, more where earlier rows had to be computed again. */
  readonly computedRows: number;
}
