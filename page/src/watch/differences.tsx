// The recipe of one run, or where those of several differ.
import type { RunSummary } from "../../../src/watch/index.ts";
import { useWords } from "../words.ts";

/** A table with a row per key. */
export function Differences({ runs }: { readonly runs: readonly RunSummary[] }) {
  const words = useWords();
  const known = runs.filter(({ state }) => state !== "unreadable");
  const [first] = known;
  if (first === undefined) return null;
  const keys = [...new Set(known.flatMap(({ recipe }) => Object.keys(recipe)))].sort();
  const isOne = known.length === 1;
  const rows = isOne ? keys : keys.filter((key) => known.some(({ recipe }) => recipe[key] !== first.recipe[key]));
  const table = (
    <div class="scrolled">
      <table>
        <thead>
          <tr>
            <th scope="col">{words.key}</th>
            {known.map(({ id, name }) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((key) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              {known.map(({ id, recipe }) => (
                <td key={id}>{recipe[key] ?? "–"}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
  if (isOne)
    return (
      <details class="card">
        <summary>{words.recipe}</summary>
        {table}
      </details>
    );
  return (
    <section class="card" aria-labelledby="differences">
      <h2 id="differences">{words.differences}</h2>
      {rows.length === 0 ? <p>{words.same}</p> : table}
    </section>
  );
}
