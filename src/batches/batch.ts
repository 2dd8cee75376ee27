// What training and evaluation are fed: windows of tokens, and for each position the token that comes next.
import type { DocumentRows } from "./document-mask.ts";

/** B windows of T positions, row by row. */
export interface Batch {
  /** [B·T] */
  readonly tokens: Int32Array;
  /** [B·T]: the token after each; -1 where there is none to be predicted. */
  readonly targets: Int32Array;
  /** Where windows hold several documents that are kept apart; otherwise a row's position is its place in the window, and it attends all before it. */
  readonly documents?: DocumentRows | undefined;
}

/** What gives batches one after another and can go on from a saved position. */
export interface BatchSource<State> {
  /** Tokens of one batch: B·T. */
  readonly batchTokens: number;
  next(): Promise<Batch>;
  /** All there is to know after the batches asked for so far; small, and JSON keeps it exactly. */
  readonly state: State;
  /** Goes on from a saved state: the batches that follow are bit for bit those that would have followed. @throws CriaError when it is of other data */
  restore(state: unknown): void;
}
