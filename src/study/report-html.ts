// A report as one HTML page that needs nothing from elsewhere: text, tables and SVG drawings.
import { chartSvg } from "../plot/index.ts";
import type { Report, Section, Table } from "./report.ts";

const style = `
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
.facts, .source { color: #555; font-size: 0.9rem; }
.conclusion { font-weight: 600; }
.verdict { display: inline-block; padding: 0 0.6em; border-radius: 1em; color: #fff; background: #555; font-size: 0.9rem; }
.verdict.shown { background: #1a7f37; } .verdict.partly-shown { background: #9a6700; } .verdict.not-shown { background: #b42318; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #ddd; padding: 0.2rem 0.6rem; text-align: left; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } svg { max-width: 100%; height: auto; }
`;

export function reportHtml(report: Report): string {
  return [
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">`,
    `<title>${asText(report.title)}</title>\n<style>${style}</style>\n</head>\n<body>`,
    `<h1>${asText(report.title)}</h1>`,
    `<p class="facts">${facts(report).map(asText).join("<br>")}</p>`,
    ...report.sections.map(sectionHtml),
    "</body>\n</html>\n",
  ].join("\n");
}

function facts({ study, machine, text, minutes, steps, seeds, seconds, stopped }: Report): string[] {
  const length = steps === undefined ? `--minutes ${minutes}` : `--steps ${steps}`;
  return [
    `cria study ${study} ${length} --seed ${seeds[0]} --seeds ${seeds.length}: ${seconds.toFixed(0)} s on ${machine}`,
    `text: ${text}`,
    ...(stopped ? ["It was stopped before everything was done: what follows rests on what was done until then."] : []),
  ];
}

function sectionHtml({ title, claim, source, verdict, conclusion, remarks, tables, charts }: Section): string {
  return [
    `<section>\n<h2>${asText(title)}</h2>`,
    `<p>${asText(claim)} <span class="source">(${asText(source)})</span></p>`,
    `<p><span class="verdict ${verdict.replaceAll(" ", "-")}">${verdict}</span> <span class="conclusion">${asText(conclusion)}</span></p>`,
    ...charts.map((chart) => `<figure>${chartSvg(chart)}</figure>`),
    ...tables.map(tableHtml),
    ...remarks.map((remark) => `<p>${asText(remark)}</p>`),
    "</section>",
  ].join("\n");
}

function tableHtml({ title, columns, rows }: Table): string {
  const cells = (row: Table["rows"][number]) =>
    row.map((cell) => (typeof cell === "number" ? `<td class="number">${short(cell)}</td>` : `<td>${asText(cell)}</td>`)).join("");
  const head = columns.map((column) => `<th>${asText(column)}</th>`).join("");
  return `<table>\n<caption>${asText(title)}</caption>\n<tr>${head}</tr>\n${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}\n</table>`;
}

/** Integers whole, others to four digits. */
function short(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en") : Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "–";
}

function asText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
