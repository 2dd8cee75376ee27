// Tables of a plan: a title, columns, and the source at the end of a line.

/** Cells of one line; numbers stand to the right of their column, the first and the last cell to the left. */
export type Row = readonly string[];

export function table(title: string, rows: readonly Row[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const cell = (text: string, i: number) => (i === 0 || i === columns - 1 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!));
  const lines = rows.map((row) => `  ${Array.from({ length: columns }, (_, i) => cell(row[i] ?? "", i)).join("  ")}`.trimEnd());
  return [title, ...lines, ""].join("\n");
}
