// What cleaning did, as one page to look at: every step with what stayed, reasons with documents that went, what rewriting changed, lengths, languages.
import { type CorpusStepRow, corpusStepRows, type StepRow, stepRows } from "../clean/index.ts";
import { asText, pageHtml, tableHtml } from "../plot/index.ts";
import { lineChanges } from "./line-changes.ts";
import type { SourceReport } from "./report.ts";

/** A source that was cleaned, and what is told of it. */
export interface NamedReport {
  readonly name: string;
  readonly report: SourceReport;
}

type Step = SourceReport["steps"][number];

const style = `
.bar { display: inline-block; height: 0.8rem; background: var(--faint); vertical-align: middle; } .went { opacity: 0.25; }
.document { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid var(--line); padding-left: 1rem; font-size: 0.85rem; margin: 0.5rem 0 1rem; }
.gone { text-decoration: line-through; color: var(--faint); } .come { font-weight: 600; } summary { cursor: pointer; }
`;

/** The page, whole in one file, that asks nothing from elsewhere. */
export function cleaningPage(sources: readonly NamedReport[], facts: readonly string[] = []): string {
  return pageHtml({ title: "What cleaning did", facts, style, parts: sources.flatMap(sourceParts) });
}

function sourceParts({ name, report }: NamedReport): string[] {
  const { read, notes, kept, steps, lengths, languages, examples } = report;
  return [
    `<h2>${asText(name)}</h2>`,
    `<p>${whole(kept.documents)} of ${whole(read.documents)} documents stay, ${share(kept.bytes, read.bytes)} of the text.</p>`,
    ...(notes.length === 0 ? [] : [notesTable(notes)]),
    stepsTable(report),
    ...steps.flatMap(stepParts),
    "<h3>Lengths</h3>",
    lengthsTable(lengths),
    ...(Object.keys(languages).length === 0 ? [] : ["<h3>Languages</h3>", languagesTable(languages)]),
    details(`documents that stay, the first ${examples.length}`, examples.map(documentHtml)),
  ];
}

function notesTable(notes: SourceReport["notes"]): string {
  const rows = notes.map(({ kind, what, place, count }) => [kind, what, count, place]);
  return tableHtml({ title: "what the reader did not take as it stands", columns: ["", "what", "times", "first at"], rows });
}

function stepsTable({ read, steps }: SourceReport): string {
  const width = (bytes: number) => (read.bytes === 0 ? 0 : (100 * bytes) / read.bytes).toFixed(2);
  const row = (name: string, amount: SourceReport["read"], rewritten: number | "") => {
    const bar = `<span class="bar" style="width: ${width(amount.bytes)}%"></span>`;
    const cells = [whole(amount.documents), whole(amount.bytes), share(amount.bytes, read.bytes), rewritten === "" ? "" : whole(rewritten)];
    return `<tr><td>${asText(name)}</td>${cells.map((cell) => `<td class="number">${cell}</td>`).join("")}<td style="width: 20rem">${bar}</td></tr>`;
  };
  const head = ["after", "documents", "bytes", "of the text", "rewritten", ""].map((column) => `<th>${column}</th>`).join("");
  return `<table><tr>${head}</tr>${row("read", read, "")}${steps.map((step) => row(step.name, step.out, step.rewritten)).join("")}</table>`;
}

function stepParts(step: Step): string[] {
  const reasons = Object.entries(step.reasons).sort(([, a], [, b]) => b.documents - a.documents);
  if (reasons.length === 0 && step.changes.length === 0) return [];
  const rows: readonly (StepRow | CorpusStepRow)[] = [...stepRows, ...corpusStepRows];
  const row = rows.find(({ name }) => name === step.name);
  return [
    `<h3>${asText(step.name)}</h3>`,
    ...(row === undefined ? [] : [`<p>${asText(row.summary)}</p><p class="source">${asText(row.source)}</p>`]),
    ...reasons.map(([reason, { documents, examples }]) =>
      details(`${whole(documents)} went: ${row?.reasons[reason] ?? reason}`, examples.map(documentHtml)),
    ),
    ...(step.changes.length === 0 ? [] : [details(`${whole(step.rewritten)} were rewritten`, step.changes.map(changeHtml))]),
  ];
}

function details(summary: string, parts: readonly string[]): string {
  return `<details><summary>${asText(summary)}</summary>\n${parts.join("\n")}\n</details>`;
}

function documentHtml({ id, text, measured, limit }: SourceReport["examples"][number]): string {
  const values = measured === undefined ? "" : `: ${told(measured)}${limit === undefined ? "" : `, the limit is ${told(limit)}`}`;
  return `<p class="source">${asText(id)}${asText(values)}</p><div class="document">${asText(text)}</div>`;
}

function changeHtml({ id, before, after }: Step["changes"][number]): string {
  const classes = { " ": "", "-": "gone", "+": "come" };
  const lines = lineChanges(before, after).map(({ mark, line }) => `<span class="${classes[mark]}">${asText(line)}</span>`);
  return `<p class="source">${asText(id)}</p><div class="document">${lines.join("\n")}</div>`;
}

function lengthsTable({ read, kept }: SourceReport["lengths"]): string {
  const most = Math.max(1, ...read, ...kept);
  const rows = read.map((count, i) => {
    const bar = (value: number, kind: string) => `<span class="bar ${kind}" style="width: ${((14 * value) / most).toFixed(2)}rem"></span>`;
    const range = `${whole(2 ** i)} to ${whole(2 ** (i + 1) - 1)}`;
    return `<tr><td>${range}</td><td class="number">${whole(count)}</td><td class="number">${whole(kept[i] ?? 0)}</td><td>${bar(kept[i] ?? 0, "")}<br>${bar(count, "went")}</td></tr>`;
  });
  return `<table><tr><th>characters</th><th>read</th><th>kept</th><th></th></tr>${rows.join("")}</table>`;
}

function languagesTable(languages: SourceReport["languages"]): string {
  const rows = Object.entries(languages).sort(([, a], [, b]) => b - a);
  return tableHtml({ title: "documents that stay", columns: ["language", "documents"], rows });
}

function told(value: number | string): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}

function share(part: number, all: number): string {
  return all === 0 ? "nothing" : `${((100 * part) / all).toFixed(1)} %`;
}
