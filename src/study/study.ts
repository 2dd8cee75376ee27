// What a study is: a claim of the paper as an experiment that a person can run, see and trust.
import type { Backend } from "../backend/index.ts";
import type { OnProgress } from "../base/index.ts";
import type { Section } from "./report.ts";

/** A claim of the paper as an experiment. */
export interface Study {
  /** A word of the command line. */
  readonly name: string;
  readonly title: string;
  /** One line for a list of studies. */
  readonly summary: string;
  /** Runs of different random numbers by default. */
  readonly seeds: number;
  /** What a person would do next, with what it left in its folder; nothing where it leaves its report only. */
  next?(folder: string, sections: readonly Section[]): NextStep;
  /**
   * Experiments until they are done or the signal aborts; then the sections that could be finished, with what was done so far.
   * @throws CriaError when the text is too short for it
   */
  run(context: StudyContext): Promise<readonly Section[]>;
}

/** What a person would do next. */
export interface NextStep {
  readonly text: string;
  /** The folder of runs that a law can be fitted to. */
  readonly runsToFit?: string;
}

/** What a study is run with. */
export interface StudyContext {
  readonly backend: Backend;
  readonly text: StudyText;
  /** A folder of its own, for what it leaves beside its report; made when something comes into it. */
  readonly folder: string;
  /** Roughly how long the study may take; the lengths of its runs follow. */
  readonly minutes: number;
  /** Seconds of these minutes that are left: what runs are planned by. */
  secondsLeft(): number;
  /** Optimiser steps of a run, of the longest where they differ, whatever time they take: the same numbers give the same losses. */
  readonly steps?: number | undefined;
  /** Seeds of first weights and of the order of the text, one per repetition. */
  readonly seeds: readonly number[];
  /** A text to show byte-pair encoding on, step by step. */
  readonly trace?: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
}

/** What models learn from. */
export interface StudyText {
  /** A name for people: "62 % novels-and-stories (…), …". */
  readonly name: string;
  /** The documents, in the same order every time. */
  readonly documents: AsyncIterable<string>;
}
