// A report as one HTML page that needs nothing from elsewhere: text, tables and SVG drawings, light or dark as the reader's system is.
import { colours, darkColours } from "./look.ts";

/** What a page of a report holds. */
export interface Page {
  readonly title: string;
  /** Lines below the title: what was run, where and how long. */
  readonly facts: readonly string[];
  /** HTML, made by the functions below and by whoever escapes with {@link asText}. */
  readonly parts: readonly string[];
  /** Rules of the page's own; the variables --ink, --faint, --line and --paper are the look's. */
  readonly style?: string;
}

const light = "--ink: #222; --faint: #555; --line: #ccc; --paper: #fff;";
const dark = "--ink: #ddd; --faint: #a5a5a5; --line: #444; --paper: #16181c;";

const style = `
:root { color-scheme: light dark; ${light} }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; overflow-wrap: anywhere; } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.facts, .source { color: var(--faint); font-size: 0.9rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.6rem; text-align: left; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } figure > svg { max-width: 100%; height: auto; background: var(--paper) !important; color: var(--ink) !important; }
figure > svg [stroke="white"] { stroke: var(--paper); }
pre { overflow-x: auto; border: 1px solid var(--line); padding: 0.8rem; font-size: 0.85rem; }
@media (prefers-color-scheme: dark) {
  :root { ${dark} }
${colours.map((colour, i) => `  svg [fill="${colour}"] { fill: ${darkColours[i]}; } svg [stroke="${colour}"] { stroke: ${darkColours[i]}; }`).join("\n")}
}
`;

/** The page as HTML, whole in one file. */
export function pageHtml({ title, facts, parts, style: own = "" }: Page): string {
  return [
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">`,
    `<title>${asText(title)}</title>\n<style>${style}${own}</style>\n</head>\n<body>`,
    `<h1>${asText(title)}</h1>`,
    `<p class="facts">${facts.map(asText).join("<br>")}</p>`,
    ...parts,
    "</body>\n</html>\n",
  ].join("\n");
}

/** A table with a title. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A table as HTML, its numbers rounded for people. */
export function tableHtml({ title, columns, rows }: Table): string {
  const cells = (row: Table["rows"][number]) =>
    row.map((cell) => (typeof cell === "number" ? `<td class="number">${short(cell)}</td>` : `<td>${asText(cell)}</td>`)).join("");
  const head = columns.map((column) => `<th>${asText(column)}</th>`).join("");
  return `<table>\n<caption>${asText(title)}</caption>\n<tr>${head}</tr>\n${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}\n</table>`;
}

/** Integers whole, others to four digits. */
function short(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en") : Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "–";
}

/** A text as HTML that shows it as it is. */
export function asText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
