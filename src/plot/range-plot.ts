// One row per name: every value as a dot, their mean as a tick.
import { dot, type PlotOptions, tickX } from "@observablehq/plot";
import type { RangeChart } from "./chart.ts";
import { characterWidth, colours } from "./look.ts";

const rowHeight = 24;

/** A chart of ranges in the terms of Observable Plot. */
export function rangePlot({ x, rows }: RangeChart): PlotOptions {
  const finite = rows.map(({ name, values }) => ({ name, values: values.filter(Number.isFinite) }));
  const dots = finite.flatMap(({ name, values }) => values.map((value) => ({ name, value })));
  const means = finite.filter(({ values }) => values.length > 0).map(({ name, values }) => ({ name, value: mean(values) }));
  const longest = Math.max(0, ...rows.map(({ name }) => name.length));
  return {
    ...{ width: 640, height: 90 + rowHeight * rows.length, marginLeft: 24 + characterWidth * longest, marginBottom: 42 },
    x: {
      type: x.scale ?? "linear",
      label: x.label,
      labelAnchor: "center",
      grid: true,
      nice: true,
      ...(x.domain && { domain: [...x.domain] }),
    },
    y: { type: "band", label: null, domain: rows.map(({ name }) => name) },
    marks: [
      dot(dots, { x: "value", y: "name", fill: colours[0]!, r: 3, fillOpacity: 0.7 }),
      tickX(means, { x: "value", y: "name", stroke: colours[1]!, strokeWidth: 2.5, inset: 4 }),
    ],
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
