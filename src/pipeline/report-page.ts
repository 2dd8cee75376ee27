// What cleaning did, as one page to look at: every step with what stayed, how fast it was, reasons with documents that went, what rewriting changed,
// distributions, clusters, and how well planted truths were found.
import { percentilesForm } from "../clean/index.ts";
import { asText, pageHtml, tableHtml } from "../plot/index.ts";
import type { ToldSource } from "./cleaning-file.ts";
import type { Amount, SourceReport } from "./report.ts";
import { type Figure, lengthsChart, tableFigure } from "./report-charts.ts";
import { details, examples, stepParts, whole } from "./report-steps.ts";
import { measuredSpeed, type StepTimes } from "./step-times.ts";
import { judgeTruths } from "./truths.ts";

const style = `
.bar { display: inline-block; height: 0.8rem; background: #0072b2; vertical-align: middle; }
.document { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid var(--line); padding-left: 1rem; font-size: 0.85rem; margin: 0.5rem 0 1rem; }
del { color: var(--faint); } ins { font-weight: 600; text-decoration: none; } summary { cursor: pointer; } .how { font-weight: 600; margin-bottom: 0; }
@media (prefers-color-scheme: dark) { .bar { background: #4aa3df; } }
`;

/** The page, whole in one file, that asks nothing from elsewhere. @param figure draws a chart; tables when absent */
export function cleaningPage(sources: readonly ToldSource[], figure: Figure = tableFigure): string {
  return pageHtml({
    title: "What cleaning did",
    facts: [],
    style,
    parts: [...overview(sources), ...sources.flatMap((source) => sourceParts(source, figure))],
  });
}

/** All sources in one table, where there are several. */
function overview(sources: readonly ToldSource[]): string[] {
  if (sources.length < 2) return [];
  const rows = sources.map(({ name, report: { read, kept }, tokens }) => ({
    cells: [
      name,
      whole(read.documents),
      whole(kept.documents),
      whole(read.bytes),
      whole(kept.bytes),
      tokens === undefined ? "" : whole(tokens.tokens),
      share(kept.bytes, read.bytes),
    ],
    share: read.bytes === 0 ? 0 : kept.bytes / read.bytes,
  }));
  const links = sources.map(({ name }) => `<a href="#${asText(encodeURIComponent(encodeURIComponent(name)))}">${asText(name)}</a>`);
  return [
    barTable(["source", "documents read", "kept", "bytes read", "kept", "tokens for training", "of the text"], rows),
    `<p>${links.join(" · ")}</p>`,
  ];
}

function sourceParts(source: ToldSource, figure: Figure): string[] {
  const { name, report, found, times } = source;
  const { read, notes, kept, steps, lengths, languages } = report;
  return [
    `<h2 id="${asText(encodeURIComponent(name))}">${asText(name)}</h2>`,
    `<p>${whole(kept.documents)} of ${whole(read.documents)} documents stay, ${share(kept.bytes, read.bytes)} of the text.${asText(tokensTold(source))}</p>`,
    ...(notes.length === 0 ? [] : [notesTable(notes)]),
    stepsTable(source),
    ...(times.length === 0 ? [] : [timesTable(times)]),
    ...truthParts(report),
    ...Object.entries(found).flatMap(([step, summary]) => foundParts(step, summary)),
    ...steps.flatMap((step) => stepParts(step, figure)),
    "<h3>Lengths</h3>",
    figure(lengthsChart(lengths)),
    ...(Object.keys(languages).length === 0 ? [] : ["<h3>Languages</h3>", languagesTable(languages)]),
    details("documents that stay", examples("a sample", report.examples)),
  ];
}

function tokensTold({ tokens }: ToldSource): string {
  if (tokens === undefined || tokens.tokens === 0) return "";
  const perToken = (tokens.bytes / tokens.tokens).toFixed(2);
  return ` Training reads ${whole(tokens.tokens)} tokens of it, of ${perToken} bytes each; the tokens of steps are estimated by that.`;
}

function notesTable(notes: SourceReport["notes"]): string {
  const rows = notes.map(({ kind, what, place, count }) => [kind, what, count, place]);
  return tableHtml({ title: "what the reader did not take as it stands", columns: ["", "what", "times", "first at"], rows });
}

/** A table whose last column draws the last number of each row as a bar. */
function barTable(columns: readonly string[], rows: readonly { readonly cells: readonly string[]; readonly share: number }[]): string {
  const head = [...columns, ""].map((column) => `<th>${asText(column)}</th>`).join("");
  const lines = rows.map(({ cells, share }) => {
    const [name = "", ...numbers] = cells;
    const bar = `<span class="bar" style="width: ${(100 * Math.max(0, Math.min(1, share))).toFixed(2)}%"></span>`;
    return `<tr><td>${asText(name)}</td>${numbers.map((cell) => `<td class="number">${asText(cell)}</td>`).join("")}<td style="width: 14rem">${bar}</td></tr>`;
  });
  return `<table><tr>${head}</tr>${lines.join("")}</table>`;
}

function stepsTable({ report: { read, steps }, tokens }: ToldSource): string {
  const row = (name: string, amount: Amount, rewritten: string) => {
    const about = tokens === undefined || tokens.bytes === 0 ? "" : whole((amount.bytes * tokens.tokens) / tokens.bytes);
    const part = read.bytes === 0 ? 0 : amount.bytes / read.bytes;
    return { cells: [name, whole(amount.documents), whole(amount.bytes), about, share(amount.bytes, read.bytes), rewritten], share: part };
  };
  const rows = steps.map((step) => row(step.name, step.out, whole(step.rewritten)));
  return barTable(["after", "documents", "bytes", "tokens, estimated", "of the text", "rewritten"], [row("read", read, ""), ...rows]);
}

/** Steps by the pass and their time. A step over all documents stands in two passes: it gives keys or measures in one, and decides in the next. */
function timesTable(times: StepTimes): string {
  const all = times.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = times.flatMap(({ name, seconds, bytes, pass }) => {
    if (name === "" || bytes === 0) return [];
    const rate = seconds === 0 ? "" : measuredSpeed(bytes, seconds);
    return [{ cells: [name, String(pass + 1), rate, share(seconds, all)], share: seconds / Math.max(all, Number.MIN_VALUE) }];
  });
  const note =
    "Measured of every sixteenth document, on one thread. What several steps ask of a document, such as its words, is counted with the first of them; reading includes waiting for the disk. A dash stands where there were less than 100 kB.";
  return `<h3>Throughput</h3><p>${note}</p>${barTable(["step", "pass", "MB/s of its input", "of the time"], rows)}`;
}

function truthParts(report: SourceReport): string[] {
  const rows = judgeTruths(report).map(({ step, planted, dropped, right, precision, recall }) => {
    return [step, planted, dropped, right, precision, recall];
  });
  const { documents, example } = report.strayTruths;
  if (rows.length === 0 && documents === 0) return [];
  const columns = ["step", "planted", "dropped", "rightly", "precision", "recall"];
  return [
    "<h3>Planted truths</h3>",
    "<p>Documents whose fact “truth” says what should become of them. Precision is the share of what a step dropped that it should drop; recall is the share of what it should drop that it did, of which an earlier step may have taken some.</p>",
    tableHtml({ title: "of the documents that have a truth", columns, rows }),
    ...(documents === 0
      ? []
      : [`<p>Stray truths, which no step of the source can make true: ${whole(documents)}, such as “${asText(example)}”.</p>`]),
  ];
}

/** The percentiles of perplexity as a table; what another step found as it is. */
function foundParts(step: string, summary: unknown): string[] {
  const percentiles = percentilesForm.safeParse(summary);
  if (!percentiles.success) return [`<h3>What ${asText(step)} found</h3><pre>${asText(JSON.stringify(summary, null, 1))}</pre>`];
  const { documents, perplexities, languages = {} } = percentiles.data;
  const shown = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
  const row = (name: string, count: number, values: readonly number[]) => [
    name,
    count,
    ...shown.map((percentile) => values[percentile] ?? Number.NaN),
  ];
  const rows = [
    row("all", documents, perplexities),
    ...Object.entries(languages).map(([name, own]) => row(name, own.documents, own.perplexities)),
  ];
  return [
    tableHtml({ title: `percentiles of ${step}`, columns: ["", "documents", ...shown.map((percentile) => `${percentile} %`)], rows }),
  ];
}

/** So many languages are shown by name; fastText's models know 176. */
const mostLanguages = 200;

function languagesTable(languages: SourceReport["languages"]): string {
  const all = Object.entries(languages).sort(([, a], [, b]) => b - a);
  const named = all.filter(([name]) => name !== "").slice(0, mostLanguages);
  const others = all.reduce((sum, [, count]) => sum + count, 0) - named.reduce((sum, [, count]) => sum + count, 0);
  const rows = others === 0 ? named : [...named, ["others", others] as const];
  const most = Math.max(1, ...rows.map(([, count]) => count));
  return barTable(
    ["language", "documents that stay"],
    rows.map(([name, count]) => ({ cells: [name, whole(count)], share: count / most })),
  );
}

function share(part: number, all: number): string {
  return all === 0 ? "nothing" : `${((100 * part) / all).toFixed(1)} %`;
}
