// Reports that runs, studies and preparations of data left in the folder, shown as they are.
import { useEffect, useState } from "preact/hooks";
import type { FoundReport } from "../../../src/watch/index.ts";
import { ask } from "../api.ts";
import { useWords } from "../words.ts";

/** The tab. */
export function StudiesTab() {
  const words = useWords();
  const [reports, setReports] = useState<readonly FoundReport[]>();
  const [problem, setProblem] = useState<string>();
  const [chosen, setChosen] = useState<string>();
  useEffect(() => {
    ask<readonly FoundReport[]>("reports").then(setReports, (error: Error) => setProblem(error.message));
  }, []);
  if (problem !== undefined) return <p class="message warning">{words.failed + problem}</p>;
  if (reports === undefined) return <p class="message">{words.loading}</p>;
  const shown = reports.find(({ id }) => id === chosen) ?? reports[0];
  if (shown === undefined) return <p class="message">{words.studies.none}</p>;
  const address = `page/report?id=${encodeURIComponent(shown.id)}`;
  return (
    <div class="columns">
      <nav class="card" aria-label={words.tabs.studies}>
        <ul class="reports">
          {reports.map(({ id, title, kind }) => (
            <li key={id}>
              <button type="button" class="quiet" aria-pressed={id === shown.id} onClick={() => setChosen(id)}>
                {title}
                <span class="soft">
                  {words.studies.kinds[kind]} · {id}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <div class="stack">
        <iframe class="card report" title={shown.title} src={address} sandbox="" />
        <a href={address} target="_blank" rel="noreferrer">
          {words.studies.open}
        </a>
      </div>
    </div>
  );
}
