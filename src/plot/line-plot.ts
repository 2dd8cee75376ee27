// Curves and dots over two axes, with the names of the series in the right margin.
import { areaY, dot, line, type Markish, type PlotOptions, ruleX, type ScaleOptions, text } from "@observablehq/plot";
import type { Axis, LineChart, Point, Series } from "./chart.ts";
import { characterWidth, colours } from "./look.ts";
import { logTicks, shortNumber } from "./round-numbers.ts";

/** A chart of curves and dots in the terms of Observable Plot. */
export function linePlot(chart: LineChart): PlotOptions {
  const { series, mark } = chart;
  const entries = legend(series);
  const longest = Math.max(0, ...entries.map(({ name }) => name.length));
  const colourOf = colouring(series);
  const isShown = (point: Point) => onAxis(point.x, chart.x) && onAxis(point.y, chart.y);
  const { xs, ys } = valuesOf(series.flatMap(({ points }) => points.filter(isShown)));
  const marks = series.flatMap((one) => seriesMarks({ ...one, points: one.points.filter(isShown) }, colourOf(one)));
  return {
    ...{ width: 640 + characterWidth * longest, height: 400, marginLeft: 64, marginRight: 40 + characterWidth * longest, marginBottom: 42 },
    x: scale(chart.x, xs),
    y: { ...scale(chart.y, ys), grid: true },
    marks: [...(mark ? place(mark) : []), ...marks, ...names(entries, colourOf)],
  };
}

/** The colour of each series: its group's. */
function colouring(series: readonly Series[]): (one: Series) => string {
  const groups = [...new Set(series.map(groupOf))];
  return (one) => colours[groups.indexOf(groupOf(one)) % colours.length]!;
}

function groupOf({ group, name }: Series): string {
  return group ?? name;
}

/** An axis marked at round numbers; `values` are those of the data along it, without what is not drawn. */
function scale({ label, scale: type = "linear", domain, ticks }: Axis, values: readonly number[]): ScaleOptions {
  const drawn = values.filter((value) => type !== "log" || value > 0);
  const [low, high] = domain ?? (drawn.length === 0 ? [1, 1] : [Math.min(...drawn), Math.max(...drawn)]);
  const marks = ticks ? [...ticks] : type === "log" ? logTicks(low, high) : undefined;
  // Plot's own numbers have as many decimals as all marks need, which reads better where none is large.
  const isShort = marks !== undefined || Math.max(Math.abs(low), Math.abs(high)) >= 1000;
  return {
    type,
    label,
    labelAnchor: "center",
    ...(marks && { ticks: marks }),
    ...(isShort && { tickFormat: shortNumber }),
    ...(domain && { domain: [...domain] }),
  };
}

/** What is drawn along an axis: points on both axes, and their spread. */
function valuesOf(points: readonly Point[]): { xs: number[]; ys: number[] } {
  const ys = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]).filter(Number.isFinite);
  return { xs: points.map(({ x }) => x), ys };
}

/** Data outside the axis' domain is left out: Plot would draw it over the margins. */
function onAxis(value: number, { scale: type, domain: [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] }: Axis): boolean {
  return Number.isFinite(value) && (type !== "log" || value > 0) && value >= low && value <= high;
}

function seriesMarks({ as, points }: Series, colour: string): Markish[] {
  const labels = points.filter(({ label }) => label !== undefined);
  // A white rim, so that a label can be read where a line crosses it.
  const labelMark = text(labels, { x: "x", y: "y", text: "label", dy: -9, fill: colour, stroke: "white", strokeWidth: 3 });
  const spread = points.filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high));
  if (as === "dots" || as === "rings") {
    const shape = as === "dots" ? { fill: colour, r: 3.5 } : { stroke: colour, strokeWidth: 1.8, r: 6.5 };
    return [ruleX(spread, { x: "x", y1: "low", y2: "high", stroke: colour }), dot(points, { x: "x", y: "y", ...shape }), labelMark];
  }
  const dash = as === "dashed" ? { strokeDasharray: "5 4" } : {};
  return [
    areaY(spread, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.15 }),
    line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 1.8, ...dash }),
    labelMark,
  ];
}

function place({ x, label }: NonNullable<LineChart["mark"]>): Markish[] {
  const where = { text: "label", x: "x", frameAnchor: "top", textAnchor: "start", dx: 5, dy: -4, fillOpacity: 0.6 } as const;
  return [ruleX([x], { strokeOpacity: 0.35, strokeDasharray: "2 3" }), text([{ x, label }], where)];
}

const samples = { line: "━ ", dashed: "╌ ", dots: "● ", rings: "○ " } as const;

function legend(series: readonly Series[]): Series[] {
  const isLabelled = ({ as, points }: Series) => (as === "line" || as === "dashed") && points.some(({ label }) => label !== undefined);
  const seen = new Set<string>();
  return series.flatMap((one) => {
    if (!isLabelled(one)) return one.name === "" ? [] : [one];
    const group = groupOf(one);
    if (seen.has(group)) return [];
    seen.add(group);
    return [{ ...one, name: group, group }];
  });
}

function names(entries: readonly Series[], colourOf: (one: Series) => string): Markish[] {
  return entries.map((one, i) =>
    text([samples[one.as] + one.name], { frameAnchor: "top-right", textAnchor: "start", dx: 12, dy: 8 + 17 * i, fill: colourOf(one) }),
  );
}
