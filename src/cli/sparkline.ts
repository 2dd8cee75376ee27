// A curve in one line of text (Tufte's sparkline): means of equal parts of the series, as blocks of eight heights.

const blocks = "▁▂▃▄▅▆▇█";

/** A series as a line of at most `width` block characters, each the mean of its share; an empty text for an empty series. */
export function sparkline(values: readonly number[], width: number): string {
  const cells = Math.min(width, values.length);
  const means = Array.from({ length: cells }, (_, i) =>
    mean(values.slice(start(i, cells, values.length), start(i + 1, cells, values.length))),
  );
  const low = Math.min(...means);
  const span = Math.max(...means) - low || 1;
  return means.map((value) => blocks[Math.round(((value - low) / span) * (blocks.length - 1))]).join("");
}

function start(cell: number, cells: number, count: number): number {
  return Math.floor((cell * count) / cells);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
