// Watching: the runs of a folder, their curves, what they write, and the buttons of the first one.
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunSummary, SamplesRow, Series } from "../../../src/watch/index.ts";
import { ask, useEvents } from "../api.ts";
import { useWords } from "../words.ts";
import { Curves } from "./curves.tsx";
import { Differences } from "./differences.tsx";
import { RunList } from "./run-list.tsx";
import { Samples } from "./samples.tsx";
import { Tiles } from "./tiles.tsx";

/** So many runs are shown at a time: more curves cannot be told apart. */
export const mostShown = 8;
const points = 800;
/** Charts are drawn so often at most, in milliseconds: a processor that trains has better to do. */
const drawnMs = 5000;

/** A run that is shown, with its curves once they are there. */
export interface ShownRun {
  readonly run: RunSummary;
  readonly series: Series | undefined;
  /** The number of its colour. */
  readonly colour: number;
}

/** The first and last step that are looked at; all where it is undefined. */
export type StepRange = readonly [number, number] | undefined;

/** The tab. @param onSaved called where runs have ended, whose models may be saved now */
export function WatchTab({ theme, onSaved }: { readonly theme: string; readonly onSaved: () => void }) {
  const words = useWords();
  const { event: runs, isHeard } = useEvents<readonly RunSummary[]>("events", "runs");
  const [chosen, setChosen] = useState<readonly string[]>();
  const [range, setRange] = useState<StepRange>();
  const leading = useLeading(runs ?? []);
  const ids = (chosen ?? (leading === undefined ? [] : [leading])).filter((id) => runs?.some((run) => run.id === id));
  const shown = useSeries(runs ?? [], ids, range);
  const first = shown[0];
  const ended = runs?.filter((run) => !isLive(run)).map(({ id }) => id);
  useEffect(() => {
    if (ended !== undefined) onSaved();
  }, [JSON.stringify(ended)]);
  if (runs === undefined) return <p class="message">{isHeard ? words.loading : words.lost}</p>;
  if (runs.length === 0) return <p class="message">{words.noRuns}</p>;
  return (
    <div class="columns">
      {!isHeard && (
        <p class="message warning" role="alert">
          {words.lost}
        </p>
      )}
      <RunList runs={runs} chosen={ids} onChoose={(next) => setChosen(next.slice(0, mostShown))} />
      <div class="stack">
        {first && <Tiles key={first.run.id} run={first.run} />}
        <Curves shown={shown} theme={theme} range={range} onRange={setRange} />
        {first && <SamplesOf key={first.run.id} run={first.run} />}
        <Differences runs={shown.map(({ run }) => run)} />
      </div>
    </div>
  );
}

/** The id of the run that is shown where a person has chosen none: one that trains or pauses, the same as long as it does; else the one before, or the newest. */
function useLeading(runs: readonly RunSummary[]): string | undefined {
  const before = useRef<string | undefined>(undefined);
  const live = runs.filter(isLive);
  const same = (some: readonly RunSummary[]) => some.find(({ id }) => id === before.current);
  before.current = (same(live) ?? live[0] ?? same(runs) ?? runs[0])?.id;
  return before.current;
}

function isLive({ state }: RunSummary): boolean {
  return state === "training" || state === "paused";
}

/** The curves of the runs that are shown, asked for again where a run has gone on. */
function useSeries(runs: readonly RunSummary[], ids: readonly string[], range: StepRange): ShownRun[] {
  const [known, setKnown] = useState<ReadonlyMap<string, Series>>(new Map());
  const wanted = ids.flatMap((id) => runs.filter((run) => run.id === id));
  const isSeen = useVisibility();
  const steps = useSeldom(JSON.stringify(wanted.map(({ changed, step }) => [changed, step])), drawnMs);
  const state = JSON.stringify([wanted.map(({ id }) => id), steps, range]);
  useEffect(() => {
    if (!isSeen) return; // a tab behind others costs training nothing
    let isCurrent = true;
    const query = range === undefined ? { points } : { points, from: Math.floor(range[0]), to: Math.ceil(range[1]) };
    for (const { id, state: runState } of wanted)
      if (runState !== "unreadable")
        ask<Series>("series", { run: id, ...query }).then(
          (series) => isCurrent && setKnown((before) => new Map(before).set(id, series)),
          () => undefined, // the run may just have been removed; the list says so next
        );
    return () => {
      isCurrent = false;
    };
  }, [state, isSeen]);
  return wanted.map((run, colour) => ({ run, series: known.get(run.id), colour }));
}

/** A value that changes at most so often, though the last one always comes. */
function useSeldom(value: string, milliseconds: number): string {
  const [told, setTold] = useState(value);
  const at = useRef(0);
  useEffect(() => {
    const tell = () => {
      at.current = performance.now();
      setTold(value);
    };
    const timer = setTimeout(tell, Math.max(0, at.current + milliseconds - performance.now()));
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return told;
}

/** Whether a person can see the page. */
function useVisibility(): boolean {
  const [isVisible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const changed = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  }, []);
  return isVisible;
}

function SamplesOf({ run }: { readonly run: RunSummary }) {
  const [rows, setRows] = useState<readonly SamplesRow[]>([]);
  const { id, step } = run;
  useEffect(() => {
    let isCurrent = true;
    ask<readonly SamplesRow[]>("samples", { run: id }).then(
      (found) => isCurrent && setRows(found),
      () => undefined, // as with curves
    );
    return () => {
      isCurrent = false;
    };
  }, [id, step, run.changed]);
  return <Samples run={run} rows={rows} />;
}
