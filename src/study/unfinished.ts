// What a sweep allows to say: rounds in which every contestant ran are compared; of a first round that was stopped, the runs are kept, and nothing
// is concluded from them.
import { unlessAborted } from "../base/index.ts";
import type { Section } from "./report.ts";
import type { StudyContext } from "./study.ts";
import type { Outcome } from "./trial.ts";
import { counted } from "./words.ts";

/** What a section says before anything is found. */
export type Head = Pick<Section, "title" | "claim" | "source">;

type Asked = Pick<StudyContext, "seeds" | "signal">;

/** @param trials runs of a round, a seed each. No section at all where nothing was done. */
export function concluded<T>(
  head: Head,
  outcomes: readonly Outcome<T>[],
  trials: number,
  asked: Asked,
  describe: (wholeRounds: readonly Outcome<T>[]) => Section,
): Section[] {
  const rounds = Math.floor(outcomes.length / trials);
  if (rounds > 0) return [withSeeds(describe(outcomes.slice(0, rounds * trials)), rounds, asked)];
  return outcomes.length === 0 ? [] : [unfinished(head, outcomes, trials)];
}

/** Who asked for more seeds than ran learns of it where the numbers are. */
function withSeeds(section: Section, rounds: number, { seeds, signal }: Asked): Section {
  if (rounds === seeds.length) return section;
  const why = signal.aborted ? "it was stopped" : "more did not fit the time";
  return { ...section, conclusion: `${section.conclusion} (${counted(rounds, "seed")} of ${seeds.length}: ${why}.)` };
}

/** Parts of a study one after the other: when the signal ends one of them, what the others found stays. */
export async function inTurn(signal: AbortSignal, parts: readonly (() => Promise<readonly Section[]>)[]): Promise<Section[]> {
  const sections: Section[] = [];
  for (const part of parts) {
    if (signal.aborted) break;
    sections.push(...((await unlessAborted(signal, part)) ?? []));
  }
  return sections;
}

function unfinished(head: Head, outcomes: readonly Outcome[], wanted: number): Section {
  const rows = outcomes.map(({ trial, seed, steps, heldOut }) => [
    ...[trial.variant.name, trial.learningRate, trial.warmupShare, seed, steps],
    heldOut?.loss ?? "diverged (NaN)",
  ]);
  return {
    ...head,
    verdict: "too short to say",
    conclusion: `Stopped after ${outcomes.length} of the ${wanted} runs that a comparison takes.`,
    remarks: [],
    tables: [{ title: "runs", columns: ["", "peak learning rate", "warm-up, of the steps", "seed", "steps", "held-out loss"], rows }],
    charts: [],
  };
}
