// One item of a run while it waits for passes, and what comes of it.
import type { OutputName } from "../model/index.ts";
import { isTop } from "./run-checks.ts";
import type { Member, Work } from "./scheduler.ts";
import type { LogitsWanted, RunItem, RunResult, TopLogits, TopWanted } from "./sequence.ts";

/** One item of a run while it waits. */
export interface Job extends Work {
  readonly member: SequenceMember;
  readonly batch: Batch;
  /** Length of the sequence before the run. */
  readonly start: number;
  readonly firstLogits: number;
  readonly firstHidden: number;
  reached: number;
  cachedRows: number;
  readonly output: OutputName | undefined;
  readonly wanted: { readonly logits: LogitsWanted; readonly hidden: LogitsWanted };
  readonly top: TopWanted | undefined;
  /** What has come so far. */
  readonly results: { readonly logits: (Float32Array | TopLogits)[]; readonly hidden: Float32Array[] };
}

/** A sequence as the queue and its scheduler see it. */
export type SequenceMember = Member<Job>;

/** One call of run: it ends when all its jobs have ended, or with the first that fails. */
export interface Batch {
  readonly jobs: Job[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What is to be done for an item behind what its sequence has. */
export function jobOf(member: SequenceMember, { ids, logits = "last", hidden }: RunItem, batch: Batch): Job {
  const start = member.text.length;
  const end = start + ids.length;
  const wanted = { logits, hidden: hidden?.rows ?? ("none" as const) };
  const firstOf = (rows: LogitsWanted) => (rows === "none" ? end : rows === "all" ? start : end - 1);
  const [firstLogits, firstHidden] = [firstOf(wanted.logits), firstOf(wanted.hidden)];
  return {
    ...{ member, batch, start, end, wanted, firstLogits, firstHidden, output: hidden?.output, top: isTop(logits) ? logits : undefined },
    ...{ wantsLogits: logits !== "none", nextResult: Math.min(firstLogits, firstHidden) },
    ...{ computedRows: 0, reached: start, cachedRows: 0 },
    results: { logits: [], hidden: [] },
  };
}

/** What has come of a job that has ended. */
export function resultOf({ results: { logits, hidden }, wanted, computedRows, cachedRows }: Job): RunResult {
  return {
    logits: wanted.logits === "all" ? logits : logits[0],
    hidden: wanted.hidden === "all" ? hidden : hidden[0],
    computedRows,
    cachedRows,
  } as RunResult;
}
