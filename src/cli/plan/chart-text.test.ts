import { expect, test } from "vitest";
import type { LineChart } from "../../plot/index.ts";
import { chartText } from "./chart-text.ts";

const chart: LineChart = {
  kind: "lines",
  title: "T",
  x: { label: "x", scale: "log", domain: [1, 100] },
  y: { label: "y", scale: "log", domain: [1, 100] },
  series: [
    { name: "a line", as: "line", points: [1, 10, 100].map((x) => ({ x, y: x })) },
    { name: "a dot", as: "dots", points: [{ x: 10, y: 10, label: "ten" }] },
    { name: "outside", as: "dots", points: [{ x: 1e9, y: 1e9, label: "far" }] },
  ],
};

test("points stand where their numbers are, dots over lines, labels beside, axes at powers of ten", () => {
  expect(chartText(chart, 29, 5).split("\n")).toEqual([
    "T: y over x",
    "   100 │                    ·",
    "       │",
    "    10 │          ● ten",
    "       │",
    "     1 │·",
    "       └┴─────────┴─────────┴",
    "        1         10        1",
    "        · a line   ● a dot",
    "        ◆ outside",
    "",
  ]);
});

test("marks may be fixed, and the legend says which lie under others", () => {
  const dots = (name: string, character: string, xs: readonly number[]): LineChart["series"][number] => ({
    ...{ name, character, as: "dots", points: xs.map((x) => ({ x, y: 10 })) },
  });
  const text = chartText({ ...chart, series: [dots("first", "▲", [2, 10]), dots("second", "■", [10]), dots("third", "○", [10])] }, 80, 5);
  expect(text).toContain("▲ first (1 of 2 under ○)   ■ second (under ○)   ○ third\n");
});
