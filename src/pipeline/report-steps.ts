// A step's part of the report's page: what it dropped and why, what it kept, what it changed, what it measured, and the clusters that it found.
import { type CorpusStepRow, type CutStepRow, corpusStepRows, cutStepRows, parametersOf, type StepRow, stepRows } from "../clean/index.ts";
import { asText, tableHtml } from "../plot/index.ts";
import { changeHtml } from "./change-html.ts";
import type { Example, SourceReport, StepReport } from "./report.ts";
import { clustersChart, type Figure, valuesChart } from "./report-charts.ts";

type Clusters = NonNullable<StepReport["clusters"]>;

/** The parts of a step. */
export function stepParts(step: StepReport, figure: Figure): string[] {
  const reasons = Object.entries(step.reasons).sort(([, a], [, b]) => b.documents - a.documents);
  const rows: readonly (StepRow | CutStepRow | CorpusStepRow)[] = [...stepRows, ...cutStepRows, ...corpusStepRows];
  const row = rows.find(({ name }) => name === step.name);
  return [
    `<h3>${asText(step.name)}</h3>`,
    ...(row === undefined ? [] : [`<p>${asText(row.summary)}</p><p class="source">${asText(row.source)}</p>`]),
    ...parameterParts(step, row),
    ...reasons.map(([name, reason]) =>
      details(`${whole(reason.documents)} went: ${row?.reasons[name] ?? ""} (${name})`, [
        ...examples("a sample", reason.examples),
        ...examples("those nearest to the limit", reason.nearest),
        ...foundParts(reason.found),
      ]),
    ),
    ...(step.kept.length === 0 ? [] : [details(`${whole(step.out.documents)} stayed`, examples("a sample", step.kept))]),
    ...barelyParts(step, row?.reasons ?? {}),
    ...(step.changes.length === 0 ? [] : [details(`${whole(step.rewritten)} were rewritten`, step.changes.map(changeHtml))]),
    ...valuesParts(step, figure),
    ...(step.clusters === undefined ? [] : clustersParts(step.clusters, figure)),
  ];
}

/** The parameters that the step ran with; of a module that is none of ours, those that the recipe names. */
function parameterParts({ parameters: given = {} }: StepReport, row: Pick<StepRow, "parameters"> | undefined): string[] {
  const usual = row === undefined ? [] : parametersOf(row.parameters);
  const own = Object.keys(given).filter((name) => !usual.some((one) => one.name === name));
  const rows = [
    ...own.map((name) => [name, plain(given[name]), "the recipe", ""]),
    ...usual.map(({ name, help, ...one }) =>
      name in given ? [name, plain(given[name]), "the recipe", help] : [name, plain(one.default), "default", help],
    ),
  ];
  if (rows.length === 0) return [];
  const named = Object.entries(given).map(([name, value]) => `${name}: ${plain(value)}`);
  const summary = named.length === 0 ? "parameters, all by default" : `parameters, with ${named.join(", ")}`;
  return [details(summary, [tableHtml({ title: "", columns: ["parameter", "value", "by", "what it is"], rows })])];
}

function plain(value: unknown): string {
  return value === null || value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}

/** So many rows of what was found are shown; the file beside the page has all. */
const mostRows = 50;

function foundParts(found: StepReport["reasons"][string]["found"]): string[] {
  const rows = Object.entries(found).sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  if (rows.length === 0) return [];
  const shown = rows.slice(0, mostRows).map(([name, count]) => [name === "" ? "others" : name, count]);
  const title = rows.length > mostRows ? `the first ${mostRows} of ${whole(rows.length)} that were found` : "what was found";
  return [tableHtml({ title, columns: ["", "documents"], rows: shown })];
}

function barelyParts({ barely }: StepReport, reasons: Readonly<Record<string, string>>): string[] {
  const parts = Object.entries(barely).flatMap(([reason, list]) => examples(`almost dropped: ${reasons[reason] ?? reason}`, list));
  return parts.length === 0 ? [] : [details("some stayed near a limit", parts)];
}

function valuesParts({ values, reasons }: StepReport, figure: Figure): string[] {
  if (values === undefined || values.fact === "") return [];
  return [
    figure(valuesChart({ values, reasons })),
    details(`documents that stayed with the least and the greatest ${values.fact}`, [
      ...examples("the least", values.least),
      ...examples("the greatest", values.greatest),
    ]),
  ];
}

function clustersParts({ copies, sizes, leftApart, largest }: Clusters, figure: Figure): string[] {
  if (copies === 0) return ["<p>No cluster of documents was found.</p>"];
  const clusters = Object.values(sizes).reduce((sum, count) => sum + count, 0);
  const apart =
    leftApart === 0
      ? ""
      : ` ${whole(leftApart)} pairs were left apart, because their cluster would have had more documents than one may have.`;
  const rows = Object.entries(sizes).map(([size, count]) => [Number(size), count]);
  return [
    `<p>${whole(clusters)} ${clusters === 1 ? "cluster" : "clusters"}, of which ${whole(copies)} ${copies === 1 ? "document" : "documents"} went.${apart}</p>`,
    rows.length > 6
      ? figure(clustersChart(sizes))
      : tableHtml({ title: "clusters by their size", columns: ["documents", "clusters"], rows }),
    ...largest.map(({ documents, texts }) =>
      details(
        `a cluster of ${whole(documents)} documents`,
        texts.map(({ id, text }, i) => documentHtml({ id, text }, i === 0 ? "the first, which stays" : "")),
      ),
    ),
  ];
}

/** A part that is shut until it is clicked on. */
export function details(summary: string, parts: readonly string[]): string {
  return `<details><summary>${asText(summary)}</summary>\n${parts.join("\n")}\n</details>`;
}

/** Documents below a line that says how they were chosen. */
export function examples(how: string, list: SourceReport["examples"]): string[] {
  return list.length === 0 ? [] : [`<p class="how">${asText(how)}</p>`, ...list.map((one) => documentHtml(one))];
}

function documentHtml({ id, text, measured, limit }: Omit<Example, "place">, more = ""): string {
  const values = measured === undefined ? "" : `: ${told(measured)}${limit === undefined ? "" : `, the limit is ${told(limit)}`}`;
  const place = [id + values, more].filter(Boolean).join(", ");
  return `<p class="source">${asText(place)}</p><div class="document">${asText(text)}</div>`;
}

/** A number of documents or bytes with commas. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function told(value: number | string): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
}
