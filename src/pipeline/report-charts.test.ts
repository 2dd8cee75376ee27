import { expect, test } from "vitest";
import { loadPlots } from "../plot/index.ts";
import { binOf } from "./report.ts";
import { clustersChart, lengthsChart, tableFigure, valuesChart } from "./report-charts.ts";

const counted = (values: readonly number[]) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[binOf(value)] = (counts[binOf(value)] ?? 0) + 1;
  return counts;
};

test.each([
  ["probabilities", [0, 0.011, 0.5, 0.5, 0.99, 1]],
  ["perplexities", [1, 1.1, 40, 41, 523.7, 10_000]],
  ["one value", [77]],
  ["both", [0.3, 1, 1.05, 3]],
])("no document of %s is lost in a chart, which can be drawn", async (_, values) => {
  const report = { fact: "perplexity", kept: counted(values), dropped: counted(values.slice(1)), least: [], greatest: [] };
  const nearest = [{ id: "a", text: "x", place: 0, measured: 3, limit: 2 }];
  const chart = valuesChart({ values: report, reasons: { tail: { documents: 1, examples: [], nearest, found: {} } } });
  const [kept, dropped, limit] = chart.series.map(({ points }) => points);
  expect(kept?.reduce((sum, { y }) => sum + y, 0)).toBe(values.length);
  expect(dropped?.reduce((sum, { y }) => sum + y, 0)).toBe(values.length - 1);
  expect(limit?.map(({ x }) => x)).toEqual([2, 2]);
  const xs = kept?.map(({ x }) => x) ?? [];
  expect(xs).toEqual([...xs].sort((a, b) => a - b));
  const lengths = lengthsChart({ read: [0, 3], kept: [0, 2, 1] }); // A step may make texts longer.
  expect(lengths.series.map(({ points }) => points.map(({ y }) => y))).toEqual([
    [0, 3, 0],
    [0, 2, 1],
  ]);
  const { figureHtml } = await loadPlots();
  for (const one of [chart, lengthsChart({ read: [0, 3, 9], kept: [0, 2] }), clustersChart({ 2: 9, 3: 1 })]) {
    expect(figureHtml(one)).not.toContain("NaN");
    expect(tableFigure(one)).toContain(`<caption>${one.title}</caption>`);
  }
});
