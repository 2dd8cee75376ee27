// A matrix as coloured cells: blue below zero, red above it, and a bar that says which colour is which value.
import { cell, type PlotOptions } from "@observablehq/plot";
import type { HeatChart } from "./chart.ts";
import { colourBar, colourBarWidth } from "./colour-bar.ts";
import { roundStep } from "./round-numbers.ts";

/** Roughly how many rows and columns have their number beside them. */
const labelled = 6;
const side = 420;

/** A heat chart in the terms of Observable Plot. */
export function heatPlot({ x, y, value, rows }: HeatChart): PlotOptions {
  const cells = rows.flatMap((row, r) => row.map((v, c) => ({ r, c, v })));
  const most = cells.reduce((largest, { v }) => Math.max(largest, Math.abs(v)), 0);
  return {
    ...{ width: side + colourBarWidth, height: side, marginLeft: 50, marginBottom: 42, marginRight: 20 + colourBarWidth, padding: 0 },
    x: { type: "band", label: `${x} →`, labelAnchor: "center", ticks: ticks(rows[0]?.length ?? 0) },
    y: { type: "band", label: `← ${y}`, labelAnchor: "center", ticks: ticks(rows.length) },
    color: { type: "diverging", scheme: "RdBu", reverse: true, domain: [-most, most] },
    marks: [cell(cells, { x: "c", y: "r", fill: "v", inset: 0 }), ...(most > 0 ? [colourBar(most, value)] : [])],
  };
}

function ticks(count: number): number[] {
  const every = Math.max(1, roundStep(Math.max(1, count) / labelled));
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every);
}
