// What follows from the bpe study's measurements, as numbers and a verdict.
import { type DivergedRun, divergedRuns } from "../outcomes.ts";
import { type Verdict, verdictOf } from "../report.ts";
import { groupBy, type PairedDifference, pairedDifference } from "../statistics.ts";
import type { Outcome } from "../trial.ts";
import {
  type Accuracy,
  bothKinds,
  type Cuts,
  type Digits,
  type Growth,
  questionCount,
  type TaskName,
  type Trace,
  taskNames,
} from "./measure.ts";

type ByKind<T> = Readonly<Record<Digits, T>>;
type ByTask<T> = Readonly<Record<TaskName, T>>;

function byKind<T>(of: (digits: Digits) => T): ByKind<T> {
  return { "digits alone": of("digits alone"), "digits merged": of("digits merged") };
}

function byTask<T>(of: (task: TaskName) => T): ByTask<T> {
  return { adding: of("adding"), counting: of("counting") };
}

// ── step by step ──

/** The textbook's merges, and whether the trainer makes them. */
export interface TraceFindings extends Trace {
  readonly verdict: Verdict;
}

/** Whether the trainer makes the textbook's merges. */
export function judgeTrace(trace: Trace): TraceFindings {
  return { ...trace, verdict: trace.isSame ? "shown" : "not shown" };
}

// ── vocabulary and bytes per token ──

/** What a larger vocabulary buys. */
export interface GrowthFindings {
  readonly verdict: Verdict;
  readonly rows: readonly Growth[];
  /** Bytes per token that each doubling of the vocabulary adds, with digits alone. */
  readonly gains: readonly number[];
  /** Share of the bytes per token that digits alone cost at the largest size. */
  readonly cost: number;
  /** Whether it was stopped before the largest vocabulary. */
  readonly isStopped: boolean;
}

/** What larger vocabularies show. @param rows the sizes that were measured, from the smallest on, at least one */
export function judgeGrowth(rows: readonly Growth[], isStopped = false): GrowthFindings {
  const alone = rows.map(({ perToken }) => perToken["digits alone"]);
  const gains = alone.slice(1).map((perToken, i) => perToken - alone[i]!);
  const last = rows.at(-1)!;
  const falls = gains.every((gain, i) => i === 0 || gain < gains[i - 1]! + 0.02);
  // That gains become less takes two of them.
  const verdict: Verdict =
    gains.length < 2 ? "too short to say" : !gains.every((gain) => gain > 0) ? "not shown" : falls ? "shown" : "partly shown";
  return { verdict, rows, gains, cost: 1 - last.perToken["digits alone"] / last.perToken["digits merged"], isStopped };
}

// ── how numbers are cut ──

/** How either kind of tokenizer cuts numbers. */
export interface CutFindings {
  readonly verdict: Verdict;
  readonly cuts: ByKind<Cuts>;
}

/** Whether digits alone cut all numbers alike, and merged digits do not. */
export function judgeCuts(cuts: ByKind<Cuts>): CutFindings {
  const isShown = cuts["digits alone"].sameAsNext === 1 && cuts["digits merged"].sameAsNext < 0.99;
  return { verdict: isShown ? "shown" : "not shown", cuts };
}

// ── counting and adding ──

/** What digits do to counting and adding; every list of numbers is one per seed. */
export interface ArithmeticFindings {
  readonly verdict: Verdict;
  readonly steps: number;
  readonly seeds: number;
  /** Questions answered exactly, in per cent. */
  readonly answered: ByKind<ByTask<readonly number[]>>;
  /** Points that digits alone gain. */
  readonly gains: ByTask<PairedDifference>;
  /** Whether no model answers anything, so that nothing can be said. */
  readonly isNothing: boolean;
  /** Whether both gains are beyond chance. */
  readonly isGained: boolean;
  /** Held-out losses in nats per line; NaN where a run diverged. */
  readonly lossPerLine: ByKind<readonly number[]>;
  /** Tokens per line of training text, by kind. */
  readonly tokensPerLine: ReadonlyMap<string, number>;
  readonly diverged: readonly DivergedRun[];
}

/** What the runs with either kind of tokenizer show. @param outcomes of whole rounds */
export function judgeArithmetic(outcomes: readonly Outcome<Accuracy>[], tokensPerLine: ReadonlyMap<string, number>): ArithmeticFindings {
  const groups = groupBy(outcomes, ({ trial }) => trial.variant.name);
  const answered = byKind((digits) => byTask((task) => groups.get(digits)!.map(({ found }) => 100 * (found?.[task] ?? 0))));
  const gains = byTask((task) => pairedDifference(answered["digits alone"][task], answered["digits merged"][task]));
  const isGained = taskNames.map((task) => gains[task].low > 0);
  const isNothing = bothKinds.every((digits) => taskNames.every((task) => Math.max(...answered[digits][task]) < 5));
  const seeds = groups.get("digits alone")!.length;
  return {
    verdict: verdictOf(isGained, isNothing || seeds < 2),
    steps: outcomes[0]!.steps,
    isGained: isGained.every(Boolean),
    ...{ seeds, answered, gains, isNothing, tokensPerLine },
    lossPerLine: byKind((digits) => groups.get(digits)!.map(lossPerLine)),
    diverged: divergedRuns(outcomes),
  };
}

function lossPerLine({ heldOut, trial }: Outcome<Accuracy>): number {
  return ((heldOut?.loss ?? Number.NaN) * trial.variant.text.heldOut.tokens.length) / (taskNames.length * questionCount);
}
