// Curves and dots over two axes, with the names of the series in the right margin.
import { areaY, dot, line, type Markish, type PlotOptions, ruleX, type ScaleOptions, text } from "@observablehq/plot";
import type { Axis, LineChart, Point, Series } from "./chart.ts";
import { characterWidth, colours } from "./look.ts";

export function linePlot(chart: LineChart): PlotOptions {
  const { series } = chart;
  const longest = Math.max(0, ...series.map(({ name }) => name.length));
  const colourOf = colouring(series);
  const isShown = (point: Point) => onAxis(point.x, chart.x) && onAxis(point.y, chart.y);
  const marks = series.flatMap((one) => seriesMarks({ ...one, points: one.points.filter(isShown) }, colourOf(one)));
  return {
    ...{ width: 640 + characterWidth * longest, height: 400, marginLeft: 64, marginRight: 40 + characterWidth * longest, marginBottom: 42 },
    x: scale(chart.x),
    y: { ...scale(chart.y), grid: true },
    marks: [...marks, ...names(series, colourOf)],
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

function scale({ label, scale: type = "linear", domain, ticks }: Axis): ScaleOptions {
  const marked = type === "log" || ticks ? { ticks: ticks ? [...ticks] : 6, tickFormat: shortNumber } : {};
  return { type, label, labelAnchor: "center", ...marked, ...(domain && { domain: [...domain] }) };
}

/** 0.08, 5, 300, 20k, 1.5M, 2G. */
function shortNumber(value: number): string {
  const [size, suffix] = (
    [
      [1e12, "T"],
      [1e9, "G"],
      [1e6, "M"],
      [1e3, "k"],
    ] as const
  ).find(([size]) => value >= size) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${suffix}`;
}

/** Data outside the axis' domain is left out: Plot would draw it over the margins. */
function onAxis(value: number, { scale: type, domain: [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] }: Axis): boolean {
  return Number.isFinite(value) && (type !== "log" || value > 0) && value >= low && value <= high;
}

function seriesMarks({ as, points }: Series, colour: string): Markish[] {
  const labels = points.filter(({ label }) => label !== undefined);
  const labelMark = text(labels, { x: "x", y: "y", text: "label", dy: -9, fill: colour });
  const spread = points.filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high));
  if (as === "dots")
    return [
      ruleX(spread, { x: "x", y1: "low", y2: "high", stroke: colour }),
      dot(points, { x: "x", y: "y", fill: colour, r: 3.5 }),
      labelMark,
    ];
  const dash = as === "dashed" ? { strokeDasharray: "5 4" } : {};
  return [
    areaY(spread, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.15 }),
    line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 1.8, ...dash }),
    labelMark,
  ];
}

const samples = { line: "━ ", dashed: "╌ ", dots: "● " } as const;

function names(series: readonly Series[], colourOf: (one: Series) => string): Markish[] {
  return series.map((one, i) =>
    text([samples[one.as] + one.name], { frameAnchor: "top-right", textAnchor: "start", dx: 12, dy: 8 + 17 * i, fill: colourOf(one) }),
  );
}
