// A text that grows on a model, and what a run may be asked for.
import { check } from "../base/index.ts";
import type { OutputName } from "../model/index.ts";
import type { SequenceMember } from "./run-job.ts";
import type { SequenceQueue } from "./sequence-queue.ts";

/** A sequence that was saved, and what is known of it. */
export interface Restored {
  readonly sequence: Sequence;
  /** What was saved beside it; undefined where nothing was. */
  readonly note: unknown;
  /** Tokens whose keys and values were put back; the others are computed again when the sequence goes on. */
  readonly restoredTokens: number;
  /** What computed them, as backends name it. Where this model's backend is another one, none is put back, so that no bit of what follows depends on it. */
  readonly target: string;
}

/** How a sequence is restored. */
export interface RestoreOptions extends SequenceOptions {
  /** What the bytes are, for messages: a file's path. @default "the saved sequence" */
  readonly name?: string | undefined;
}

/** How a sequence begins. */
export interface SequenceOptions {
  /**
   * Only texts of the same salt use one another's pages, so that how long a prompt takes says nothing of what others have asked. All texts that have none
   * share theirs.
   */
  readonly cacheSalt?: string | undefined;
}

/** A text that grows, with the keys and values of what was computed of it. Dispose of it to give its pages back. */
export class Sequence implements Disposable {
  readonly #model: SequenceQueue;
  readonly #member: SequenceMember;

  /** @ignore models make them */
  constructor(model: SequenceQueue, member: SequenceMember) {
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

  /** How many of its tokens were not computed for it: pages had them when it was to read them. Tokens from before a fork do not count. */
  get cachedTokens(): number {
    return this.#member.cachedRows;
  }

  /** Runs `ids` behind what was run. @returns logits [V] for the token after them. @throws as {@link SequenceModel.run} */
  async next(ids: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    const [{ logits }] = await this.#model.run([{ sequence: this, ids, logits: "last" }], signal);
    return logits;
  }

  /** Reads on as {@link next} does, but gives only the largest logits. */
  async nextTop(ids: ArrayLike<number>, wanted: TopWanted, signal?: AbortSignal): Promise<TopLogits> {
    const [{ logits }] = await this.#model.run([{ sequence: this, ids, logits: wanted }], signal);
    return logits;
  }

  /** Reads on as {@link next} does, but gives the logits for the token after each of `ids`. */
  async nextAll(ids: ArrayLike<number>, signal?: AbortSignal): Promise<readonly Float32Array[]> {
    const [{ logits }] = await this.#model.run([{ sequence: this, ids, logits: "all" }], signal);
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

  /**
   * The sequence as bytes: its tokens, and the keys and values of as many of them as pages have, so that {@link SequenceModel.restore} goes on with them
   * in this process or another one. Other sequences wait meanwhile, some milliseconds per page.
   * @param note a value of JSON that comes back with it
   * @throws CriaError while it is run or after dispose
   */
  save(note?: unknown): Promise<Uint8Array> {
    return this.#model.save(this.#member, note);
  }

  /** Gives its pages back. A run in progress ends with an error. Disposing twice is harmless. */
  dispose(): void {
    this.#model.leave(this.#member);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @ignore */
  memberOf(model: SequenceQueue): SequenceMember {
    check(model === this.#model, "infer", () => "the sequence belongs to another model: run it there");
    return this.#member;
  }
}

/** Which logits of a run are wanted: of no row, of the last, of all, or only the largest ones of the last row. */
export type LogitsWanted = RowsWanted | TopWanted;
type RowsWanted = "none" | "last" | "all";

/** The largest logits of the last row, so that all of them need not leave the machine. */
export interface TopWanted {
  /** How many; from 1 to 1024, and no more than there are tokens. */
  readonly top: number;
  /** Only these tokens count among them: token id is bit id mod 32 of word ⌊id / 32⌋; ⌈V / 32⌉ words. All by default. */
  readonly allowed?: Uint32Array | undefined;
}

/** The largest logits of a row. */
export interface TopLogits {
  /** The largest first, of equal ones the lower id first. */
  readonly ids: Int32Array;
  /** The logits of these tokens; −Infinity where fewer tokens are allowed. */
  readonly logits: Float32Array;
  /** ln Σ exp of all logits, whatever is allowed: a logit less this is a log-probability. */
  readonly logSumExp: number;
}

/** An output of the model beside the logits, of the last row or of all rows of the run: embeddings of a text are made of these. */
export interface HiddenWanted {
  readonly output: OutputName;
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

/** A row, an array of rows, the largest logits or nothing, by what is wanted. */
type RowsOf<Wanted> = Wanted extends "last"
  ? Float32Array
  : Wanted extends "all"
    ? readonly Float32Array[]
    : Wanted extends TopWanted
      ? TopLogits
      : undefined;
type LogitsOf<Item> = Item extends { readonly logits: infer Wanted }
  ? RowsOf<Wanted>
  : "logits" extends keyof Item
    ? RowsOf<LogitsWanted>
    : Float32Array;
type HiddenOf<Item> = Item extends { readonly hidden: { readonly rows: infer Wanted } }
  ? RowsOf<Wanted>
  : "hidden" extends keyof Item
    ? RowsOf<RowsWanted>
    : undefined;

/** What came of one item. */
export interface RunResult<Item extends RunItem = RunItem> {
  /** Logits [V] of the last row, of each row of the run, or the largest ones of the last row. */
  readonly logits: LogitsOf<Item>;
  /** The output of the last row, or of each row of the run: [C], or the heads of queries or keys. */
  readonly hidden: HiddenOf<Item>;
  /** Rows that were computed for it: fewer than its ids where the pool had their keys, more where earlier rows had to be computed again. */
  readonly computedRows: number;
  /** Rows of its ids that were not computed: pages had their keys when it came to them. */
  readonly cachedRows: number;
}
