// What a study found, as data: report.json holds it as it is, report.html shows it.
import type { Chart, Table } from "../plot/index.ts";

export type { Table } from "../plot/index.ts";

/** All that a study found, and on what. */
export interface Report {
  readonly study: string;
  readonly title: string;
  /** The machine and its backend. */
  readonly machine: string;
  readonly text: string;
  readonly minutes: number;
  /** Where a person gave the steps instead of the time. */
  readonly steps?: number;
  readonly seeds: readonly number[];
  readonly seconds: number;
  /** Ended by the person before everything was done; the sections say what they rest on. */
  readonly stopped: boolean;
  readonly sections: readonly Section[];
}

/** One claim. */
export interface Section {
  readonly title: string;
  /** What the source says. */
  readonly claim: string;
  /** Paper and section. */
  readonly source: string;
  readonly verdict: Verdict;
  /** What was found, in words with numbers and their spread over seeds. */
  readonly conclusion: string;
  /** How it was done, and, where the claim was not seen, why that may be. */
  readonly remarks: readonly string[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
}

/** Whether a claim was seen. */
export type Verdict = "shown" | "partly shown" | "not shown" | "too short to say";

/** @param seen a claim's parts; @param isShort whether nothing can be said of any of them */
export function verdictOf(seen: readonly boolean[], isShort: boolean): Verdict {
  if (isShort) return "too short to say";
  if (seen.every(Boolean)) return "shown";
  return seen.some(Boolean) ? "partly shown" : "not shown";
}
