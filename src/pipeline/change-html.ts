// What a rewriting step changed, line by line: lines that went are struck through, lines that came are bold, and of a line that stands in another's place only
// what differs.
import { asText } from "../plot/index.ts";
import { commonStart } from "./change-texts.ts";
import { type LineChange, lineChanges } from "./line-changes.ts";
import type { Change } from "./report.ts";

/** A change as a part of a page. */
export function changeHtml({ id, before, after }: Change): string {
  return `<p class="source">${asText(id)}</p><div class="document">${changedLines(lineChanges(before, after)).join("\n")}</div>`;
}

/** Lines as HTML; runs of lines that went are held against the lines that came in their place, one by one. */
function changedLines(changes: readonly LineChange[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < changes.length; ) {
    const gone = runOf(changes, at, "-");
    const come = runOf(changes, at + gone.length, "+");
    if (gone.length + come.length === 0) lines.push(asText(changes[at++]!.line));
    for (let i = 0; i < Math.max(gone.length, come.length); i++) lines.push(...pairHtml(gone[i], come[i]));
    at += gone.length + come.length;
  }
  return lines;
}

function runOf(changes: readonly LineChange[], start: number, wanted: LineChange["mark"]): readonly string[] {
  const found = changes.findIndex(({ mark }, i) => i >= start && mark !== wanted);
  return changes.slice(start, found < 0 ? changes.length : found).map(({ line }) => line);
}

function pairHtml(gone: string | undefined, come: string | undefined): string[] {
  if (gone === undefined || come === undefined)
    return [
      ...(gone === undefined ? [] : [`<del>${seen(gone === "" ? "¶" : gone)}</del>`]),
      ...(come === undefined ? [] : [`<ins>${seen(come === "" ? "¶" : come)}</ins>`]),
    ];
  const start = commonStart(gone, come);
  const end = Math.min(commonEnd(gone, come), Math.min(gone.length, come.length) - start);
  if (2 * (start + end) < Math.max(gone.length, come.length)) return [`<del>${seen(gone)}</del>`, `<ins>${seen(come)}</ins>`];
  const middle = (text: string) => seen(text.slice(start, text.length - end));
  const [went, came] = [middle(gone), middle(come)];
  const changed = `${went === "" ? "" : `<del>${went}</del>`}${came === "" ? "" : `<ins>${came}</ins>`}`;
  return [`${asText(gone.slice(0, start))}${changed}${asText(gone.slice(gone.length - end))}`];
}

/** A text, of which white space alone is shown by marks. */
function seen(text: string): string {
  return asText(text.trim() === "" ? text.replaceAll(/\s/g, (space) => (space === "\t" ? "→" : "·")) : text);
}

function commonEnd(a: string, b: string): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}
