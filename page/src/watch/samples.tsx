// What a run wrote as it learned, with a slider over its steps.
import { useState } from "preact/hooks";
import type { RunSummary, SamplesRow } from "../../../src/watch/index.ts";
import { whole } from "../format.ts";
import { useWords } from "../words.ts";

/** Texts of one moment; the newest, unless a person has chosen another one. */
export function Samples({ run, rows }: { readonly run: RunSummary; readonly rows: readonly SamplesRow[] }) {
  const words = useWords();
  const [chosen, setChosen] = useState<number>();
  if (!run.hasSamples && rows.length === 0) return null;
  const place = Math.min(chosen ?? rows.length - 1, rows.length - 1);
  const row = rows[place];
  return (
    <section class="card" aria-labelledby="samples">
      <h2 id="samples">{words.samples}</h2>
      <p class="soft">{words.samplesHelp}</p>
      {row === undefined ? (
        <p>{words.noSamples}</p>
      ) : (
        <>
          <label class="wide">
            <span>{words.behindStep(whole(row.step))}</span>
            <input
              type="range"
              min={0}
              max={rows.length - 1}
              value={place}
              aria-valuetext={words.behindStep(whole(row.step))}
              onInput={(event) => {
                const next = event.currentTarget.valueAsNumber;
                setChosen(next === rows.length - 1 ? undefined : next);
              }}
            />
          </label>
          {row.samples.map(({ prompt, text }, number) => (
            <p key={number} class="sample">
              <b>{prompt}</b>
              {text}
            </p>
          ))}
        </>
      )}
    </section>
  );
}
