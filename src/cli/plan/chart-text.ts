// A chart of lines and dots in characters, for the terminal; the same data as the SVG.
import { amount } from "../../plan/index.ts";
import type { Axis, LineChart, Point, Series } from "../../plot/index.ts";

const marks = ["●", "◆", "■", "▲", "○", "◇", "□", "△"] as const;
const lineMarks = { line: "·", dashed: "╌" } as const;
const left = 8;

/** A chart as text of at most `width` columns: `height` lines of drawing, and below it the axis and what the marks mean. */
export function chartText({ title, x, y, series }: LineChart, width = 100, height = 24): string {
  const grid = Array.from({ length: height }, () => Array<string>(width - left).fill(" "));
  const place = placing(series, x, y, width - left, height);
  const isLine = ({ as }: Series) => as === "line" || as === "dashed";
  const dots = series.filter((one) => !isLine(one));
  const lines = series.filter(isLine);
  for (const { as, points } of lines) for (const cell of points.map(place)) put(grid, cell, lineMarks[as as keyof typeof lineMarks]);
  for (const { points } of lines) for (const point of points) label(grid, place(point), point.label);
  const drawn = dots.map((one, i) => ({ name: one.name, mark: one.character ?? markOf(i), cells: one.points.map(place) }));
  for (const { mark, cells } of drawn) for (const cell of cells) put(grid, cell, mark);
  for (const { points } of dots) for (const point of points) label(grid, place(point), point.label);
  const sides = ticks(y, height);
  const rows = grid.map((row, i) => `${(sides.get(height - 1 - i) ?? "").padStart(left - 2)} │${row.join("")}`.trimEnd());
  return [`${title}: ${y.label} over ${x.label}`, ...rows, ...bottom(x, width - left), ...legend(lines, drawn, width), ""].join("\n");
}

interface Cell {
  readonly column: number;
  /** Lines from the top. */
  readonly row: number;
}

function markOf(i: number): string {
  return marks[i % marks.length]!;
}

function placing(series: readonly Series[], x: Axis, y: Axis, columns: number, rows: number): (point: Point) => Cell {
  const across = positioning(
    x,
    series.flatMap(({ points }) => points.map((point) => point.x)),
  );
  const up = positioning(
    y,
    series.flatMap(({ points }) => points.map((point) => point.y)),
  );
  return (point) => ({ column: Math.round(across(point.x) * (columns - 1)), row: rows - 1 - Math.round(up(point.y) * (rows - 1)) });
}

/** 0 to 1 within the axis' domain. */
function positioning({ scale, domain }: Axis, values: readonly number[]): (value: number) => number {
  const on = scale === "log" ? Math.log : (value: number) => value;
  const [low, high] = domain ?? [Math.min(...values), Math.max(...values)];
  return (value) => (on(value) - on(low)) / (on(high) - on(low) || 1);
}

/** Nothing where the chart does not reach. */
function put(grid: readonly string[][], { column, row }: Cell, mark: string): void {
  const line = grid[row];
  if (line !== undefined && column >= 0 && column < line.length) line[column] = mark;
}

/** Writes a label to the right of the point, or to the left where the right is taken by a dot or the edge. */
function label(grid: readonly string[][], { column, row }: Cell, text: string | undefined): void {
  const line = grid[row];
  if (line === undefined || text === undefined) return;
  const isFree = (from: number) =>
    from >= 0 && from + text.length <= line.length && [...text].every((_, i) => !marks.includes(line[from + i] as (typeof marks)[number]));
  const from = [column + 2, column - 1 - text.length].find(isFree);
  if (from !== undefined) for (const [i, character] of [...text].entries()) line[from + i] = character;
}

/** Powers of ten, by their cell from the axis' start. */
function ticks({ domain, scale }: Axis, cells: number): Map<number, string> {
  if (domain === undefined || scale !== "log") return new Map();
  const position = positioning({ label: "", scale, domain }, []);
  const [first, last] = [Math.ceil(Math.log10(domain[0])), Math.floor(Math.log10(domain[1]))];
  return new Map(
    Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)).map((value) => [
      Math.round(position(value) * (cells - 1)),
      amount(value),
    ]),
  );
}

function bottom(x: Axis, columns: number): string[] {
  const names = Array<string>(columns).fill(" ");
  const at = ticks(x, columns);
  for (const [column, name] of at)
    for (const [i, character] of [...name].entries()) if (column + i < columns) names[column + i] = character;
  const axis = Array.from({ length: columns }, (_, column) => (at.has(column) ? "┴" : "─")).join("");
  return [`${" ".repeat(left - 1)}└${axis}`, `${" ".repeat(left)}${names.join("")}`.trimEnd()];
}

interface Drawn {
  readonly name: string;
  readonly mark: string;
  readonly cells: readonly Cell[];
}

/** The mark drawn later that lies on these. */
function coverOf({ cells }: Drawn, later: readonly Drawn[]): string {
  const isAt = (a: Cell) => (b: Cell) => a.column === b.column && a.row === b.row;
  const over = later.filter((other) => cells.some((cell) => other.cells.some(isAt(cell)))).at(-1);
  if (over === undefined) return "";
  const covered = cells.filter((cell) => over.cells.some(isAt(cell))).length;
  return ` (${covered === cells.length ? "" : `${covered} of ${cells.length} `}under ${over.mark})`;
}

/** Lines of one group are one entry: their labels tell them apart. */
function legend(lines: readonly Series[], dots: readonly Drawn[], width: number): string[] {
  const groups = new Map(lines.map((one) => [one.group ?? one.name, one]));
  const entries = [
    ...[...groups].map(([name, { as }]) => `${lineMarks[as as keyof typeof lineMarks]} ${name}`),
    ...dots.map((one, i) => `${one.mark} ${one.name}${coverOf(one, dots.slice(i + 1))}`),
  ];
  return entries.reduce<string[]>((rows, entry) => {
    const last = rows.at(-1);
    if (last !== undefined && last.length + 3 + entry.length <= width) rows[rows.length - 1] = `${last}   ${entry}`;
    else rows.push(`${" ".repeat(left)}${entry}`);
    return rows;
  }, []);
}
