// A matrix as coloured cells: blue below zero, red above it.
import { cell, type PlotOptions } from "@observablehq/plot";
import type { HeatChart } from "./chart.ts";

const labelled = 6;

export function heatPlot({ x, y, value, rows }: HeatChart): PlotOptions {
  const cells = rows.flatMap((row, r) => row.map((v, c) => ({ r, c, v })));
  const most = cells.reduce((largest, { v }) => Math.max(largest, Math.abs(v)), 0);
  return {
    ...{ width: 420, height: 420, marginLeft: 50, marginBottom: 42, padding: 0 },
    x: { type: "band", label: `${x} →`, labelAnchor: "center", ticks: ticks(rows[0]?.length ?? 0) },
    y: { type: "band", label: `← ${y} (colour: ${value})`, labelAnchor: "center", ticks: ticks(rows.length) },
    color: { type: "diverging", scheme: "RdBu", reverse: true, domain: [-most, most] },
    marks: [cell(cells, { x: "c", y: "r", fill: "v", inset: 0 })],
  };
}

function ticks(count: number): number[] {
  const every = Math.max(1, Math.ceil(count / labelled));
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every);
}
