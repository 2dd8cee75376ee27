// The list of runs, of which some are shown.
import type { RunSummary } from "../../../src/watch/index.ts";
import { amount, digits } from "../format.ts";
import { useWords } from "../words.ts";

/** What the list needs. */
export interface RunListProps {
  readonly runs: readonly RunSummary[];
  /** Ids of the runs that are shown, the first one of which leads. */
  readonly chosen: readonly string[];
  readonly onChoose: (ids: readonly string[]) => void;
}

/** Check boxes, with how each run stands. */
export function RunList({ runs, chosen, onChoose }: RunListProps) {
  const words = useWords();
  const toggle = (id: string) => onChoose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return (
    <fieldset class="runs card">
      <legend>{words.runs}</legend>
      <p class="for-readers">{words.compare}</p>
      {runs.map((run) => (
        <label key={run.id} class="run" title={run.problem ?? run.id}>
          <input
            type="checkbox"
            checked={chosen.includes(run.id)}
            onChange={() => toggle(run.id)}
            style={chosen.includes(run.id) ? { accentColor: `var(--series-${chosen.indexOf(run.id)})` } : undefined}
          />
          <span class="name">{run.id === "." ? run.name : run.id}</span>
          <span class={`state ${run.state}`}>{words.states[run.state]}</span>
          <span class="detail">{detailOf(run)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function detailOf({ problem, parameters, loss, step, steps }: RunSummary): string {
  if (problem !== undefined) return problem;
  return [amount(parameters), `${amount(step)} / ${amount(steps)}`, ...(loss === undefined ? [] : [digits(loss)])].join(" · ");
}
