// A study's report as one HTML page that needs nothing from elsewhere.
import { asText, type Chart, loadPlots, pageHtml, tableHtml } from "../plot/index.ts";
import type { Report, Section } from "./report.ts";

const style = `
.conclusion { font-weight: 600; }
.verdict { display: inline-block; padding: 0 0.6em; border-radius: 1em; color: #fff; background: #555; font-size: 0.9rem; }
.verdict.shown { background: #1a7f37; } .verdict.partly-shown { background: #9a6700; } .verdict.not-shown { background: #b42318; }
`;

/** @param command what was asked for, as it was typed. @throws PlotsMissing */
export async function reportHtml(report: Report, command: string): Promise<string> {
  const { figureHtml } = await loadPlots();
  const parts = report.sections.map((section) => sectionHtml(section, figureHtml));
  return pageHtml({ title: report.title, facts: facts(report, command), parts, style });
}

function facts({ machine, text, seconds, stopped }: Report, command: string): string[] {
  return [
    `${command}: ${seconds.toFixed(0)} s on ${machine}`,
    `text: ${text}`,
    ...(stopped ? ["It was stopped before everything was done: what follows rests on what was done until then."] : []),
  ];
}

function sectionHtml(section: Section, figureHtml: (chart: Chart) => string): string {
  const { title, claim, source, verdict, conclusion, remarks, tables, charts } = section;
  return [
    `<section>\n<h2>${asText(title)}</h2>`,
    `<p>${asText(claim)} <span class="source">(${asText(source)})</span></p>`,
    `<p><span class="verdict ${verdict.replaceAll(" ", "-")}">${verdict}</span> <span class="conclusion">${asText(conclusion)}</span></p>`,
    ...charts.map(figureHtml),
    ...tables.map(tableHtml),
    ...remarks.map((remark) => `<p>${asText(remark)}</p>`),
    "</section>",
  ].join("\n");
}
