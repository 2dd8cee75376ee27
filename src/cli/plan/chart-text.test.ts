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
