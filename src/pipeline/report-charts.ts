// Distributions of a report as charts, and as tables where nothing draws.
import { type Chart, type LineChart, type Point, type Series, tableHtml } from "../plot/index.ts";
import type { SourceReport, StepReport, ValuesReport } from "./report.ts";

/** A chart as a part of a page. */
export type Figure = (chart: Chart) => string;

/** Documents by their length, before and behind all steps. */
export function lengthsChart({ read, kept }: SourceReport["lengths"]): LineChart {
  const bins = Math.max(read.length, kept.length);
  const points = (counts: readonly number[]) => Array.from({ length: bins }, (_, i) => ({ x: 2 ** (i + 0.5), y: counts[i] ?? 0 }));
  return {
    ...{ kind: "lines", title: "documents by their length" },
    x: { label: "characters", scale: "log" },
    y: { label: "documents per octave" },
    series: [
      { name: "read", as: "dashed", points: points(read) },
      { name: "kept", as: "line", points: points(kept) },
    ],
  };
}

/** What a step measured of documents: of those that it kept, of those that it dropped, and the limits between. */
export function valuesChart({ values, reasons }: Pick<StepReport, "reasons"> & { readonly values: ValuesReport }): LineChart {
  const bins = binsOf(values);
  const isLog = (bins.at(-1) ?? 0) > 1;
  const points = (counts: Readonly<Record<string, number>>): Point[] => {
    const held = new Map<string, number>();
    for (const [bin, count] of Object.entries(counts)) held.set(nameOf(Number(bin)), (held.get(nameOf(Number(bin))) ?? 0) + count);
    return bins.map((bin) => ({ x: bin, y: held.get(nameOf(bin)) ?? 0 }));
  };
  const [kept, dropped] = [points(values.kept), points(values.dropped)];
  const most = Math.max(1, ...[...kept, ...dropped].map(({ y }) => y));
  const limits: Series[] = limitsOf(reasons).map((limit) => ({
    ...{ name: "limit", as: "dashed", group: "limit" },
    points: [
      { x: limit, y: 0 },
      { x: limit, y: most, label: String(Number(limit.toPrecision(4))) },
    ],
  }));
  return {
    ...{ kind: "lines", title: `documents by ${values.fact || "what was measured"}` },
    x: { label: values.fact || "measured", ...(isLog && { scale: "log" }) },
    y: { label: isLog ? "documents per quarter of an octave" : "documents per fiftieth" },
    series: [{ name: "kept", as: "line", points: kept }, { name: "dropped", as: "line", points: dropped }, ...limits],
  };
}

/** How many clusters have how many documents. */
export function clustersChart(sizes: Readonly<Record<string, number>>): LineChart {
  return {
    ...{ kind: "lines", title: "clusters by their size" },
    x: { label: "documents of a cluster", scale: "log" },
    y: { label: "clusters", scale: "log" },
    series: [{ name: "", as: "dots", points: Object.entries(sizes).map(([size, clusters]) => ({ x: Number(size), y: clusters })) }],
  };
}

/** The points of a line chart as a table. */
export const tableFigure: Figure = (chart) => {
  if (chart.kind !== "lines") return "";
  const rows = chart.series.flatMap(({ name, points }) => points.filter(({ y }) => y > 0).map(({ x, y }) => [name, x, y]));
  return tableHtml({ title: chart.title, columns: ["", chart.x.label, chart.y.label], rows });
};

/** The bins between the least and the greatest that hold a document, those that hold none included. */
function binsOf({ kept, dropped }: ValuesReport): readonly number[] {
  const held = [...Object.keys(kept), ...Object.keys(dropped)].map(Number);
  const [least, greatest] = [Math.min(...held), Math.max(...held)];
  const bins: number[] = [];
  if (least <= 1) for (let i = Math.round(least * 50); i <= Math.min(50, Math.round(greatest * 50)); i++) bins.push(i / 50);
  for (let i = Math.max(0, Math.round(Math.log2(least) * 4)); i <= Math.round(Math.log2(greatest) * 4); i++) bins.push(2 ** (i / 4));
  return [...new Set(bins)];
}

/** A bin by its least value: 1 ends the fiftieths and begins the octaves. */
function nameOf(bin: number): string {
  return bin.toPrecision(4);
}

function limitsOf(reasons: StepReport["reasons"]): readonly number[] {
  const limits = Object.values(reasons).flatMap(({ nearest }) => nearest.map(({ limit }) => limit));
  return [...new Set(limits.filter((limit) => typeof limit === "number"))].sort((a, b) => a - b);
}
