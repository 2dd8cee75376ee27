// Pages of a plan: tables with a title, columns, and the source at the end of a line; notes below them.
import { wrap } from "../help.ts";

/** Cells of one line; numbers stand to the right of their column, the first and the last cell to the left. A head may have several lines. */
export type Row = readonly string[];

/** So that no line is longer than the terminal is wide: what stands in the last column wraps within it. */
export interface Printer {
  table(title: string, rows: readonly Row[]): string;
  title(text: string): string;
  /** A line below a table or a title. */
  note(text: string): string;
}

const gap = "  ";
/** A last column that would be narrower goes on beyond the edge. */
const narrowest = 16;

/** Functions that lay out a page of at most `width` columns. */
export function printer(width: number): Printer {
  const title = (text: string) => `${hanging(text, width, "    ")}\n`;
  return {
    title,
    table: (head, rows) =>
      title(head) +
      linesOf(rows, width)
        .map((line) => `${gap}${line}\n`)
        .join(""),
    note: (text) => `${gap}${hanging(text, width - gap.length, `${gap}${gap}`)}\n`,
  };
}

/** A table as wide as it comes out. */
export function table(title: string, rows: readonly Row[]): string {
  return printer(Number.POSITIVE_INFINITY).table(title, rows);
}

function linesOf(rows: readonly Row[], width: number): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const last = columns - 1;
  const cells = rows.map((row) => Array.from({ length: columns }, (_, i) => (row[i] ?? "").split("\n")));
  const widths = Array.from({ length: last }, (_, i) => Math.max(...cells.map((row) => longest(row[i]!))));
  const left = widths.reduce((sum, one) => sum + one + gap.length, gap.length);
  const room = Math.max(narrowest, width - left);
  return cells.flatMap((row) => {
    const parts = [...row.slice(0, last), row[last]!.flatMap((text) => wrapped(text, room))];
    return Array.from({ length: Math.max(...parts.map((part) => part.length)) }, (_, line) =>
      parts
        .map((part, i) => (i === 0 || i === last ? (part[line] ?? "").padEnd(widths[i] ?? 0) : (part[line] ?? "").padStart(widths[i]!)))
        .join(gap)
        .trimEnd(),
    );
  });
}

function longest(lines: readonly string[]): number {
  return Math.max(...lines.map((line) => line.length));
}

function hanging(text: string, width: number, indent: string): string {
  const [first = "", ...rest] = wrapped(text, width - indent.length);
  return [first, ...rest.map((line) => indent + line)].join("\n");
}

/** A number and its percent sign stay together. */
function wrapped(text: string, width: number): string[] {
  return wrap(text.replaceAll(" %", "\u00a0%"), width).map((line) => line.replaceAll("\u00a0", " "));
}
