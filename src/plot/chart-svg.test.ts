import { expect, test } from "vitest";
import type { Chart } from "./chart.ts";
import { chartSvg } from "./chart-svg.ts";

const lines: Chart = {
  kind: "lines",
  title: "loss < 3 & falling",
  x: { label: "steps", scale: "log" },
  y: { label: "loss" },
  series: [
    { name: "measured", as: "line", points: [1, 10, 100].map((x) => ({ x, y: 3 / x, low: 2 / x, high: 4 / x })) },
    { name: "theory", as: "dashed", group: "measured", points: [1, 100].map((x) => ({ x, y: 3 / x })) },
    { name: "models", as: "dots", points: [{ x: 10, y: 1, label: "7B" }] },
  ],
};
const ranges: Chart = { kind: "ranges", title: "ranges", x: { label: "loss" }, rows: [{ name: "relu", values: [1, 2] }] };
const heat: Chart = {
  kind: "heat",
  title: "heat",
  x: "key",
  y: "query",
  value: "score",
  rows: [
    [1, -1],
    [0, 1],
  ],
};

test.each([lines, ranges, heat].map((chart) => ({ kind: chart.kind, chart })))(
  "$kind: one svg with nothing from elsewhere",
  ({ chart }) => {
    const svg = chartSvg(chart);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.endsWith("</svg>")).toBe(true);
    expect(svg.replaceAll('"http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|NaN|undefined|Infinity/);
    expect(chartSvg(chart)).toBe(svg);
  },
);

test("names, labels and the title are there, as text and not as markup", () => {
  const svg = chartSvg(lines);
  for (const part of ["loss &lt; 3 &amp; falling", "━ measured", "╌ theory", "● models", ">7B<"]) expect(svg).toContain(part);
});

test("a group has one colour, groups have different ones", () => {
  const strokes = [...chartSvg(lines).matchAll(/<g [^>]*aria-label="line"[^>]*>/g)].map(([g]) => /stroke="([^"]+)"/.exec(g)?.[1]);
  expect(strokes).toHaveLength(2);
  expect(strokes[0]).toBe(strokes[1]);
});

test("what cannot be drawn is left out: no value, none above 0 on a logarithm, outside the domain", () => {
  const points = [
    { x: 1, y: Number.NaN },
    { x: 0, y: 1 },
    { x: 2, y: Number.POSITIVE_INFINITY },
    { x: 5, y: 1 },
    { x: 50, y: 1 },
  ];
  const svg = chartSvg({ ...lines, x: { label: "x", scale: "log", domain: [1, 10] }, series: [{ name: "dots", as: "dots", points }] });
  expect(svg.match(/<circle/g)).toHaveLength(1);
  expect(svg).not.toContain("NaN");
});

test("an axis is marked where it is said to be", () => {
  const svg = chartSvg({ ...lines, x: { label: "steps", scale: "log", ticks: [2, 32] } });
  const axis = /aria-label="x-axis tick label"[\s\S]*?<\/g>/.exec(svg)![0];
  expect([...axis.matchAll(/<text[^>]*>([^<]+)</g)].map(([, words]) => words)).toEqual(["2", "32"]);
});

const marksOf = (svg: string, axis: string) => {
  const labels = new RegExp(`aria-label="${axis}-axis tick label"[\\s\\S]*?</g>`).exec(svg)![0];
  return [...labels.matchAll(/<text[^>]*>([^<]+)</g)].map(([, words]) => words);
};

test("axes are marked at round numbers, with the spread counted in", () => {
  const points = [512, 1024, 8192].map((x) => ({ x, y: x, low: x / 4, high: 2 * x }));
  const pieces = { label: "pieces", scale: "log", ticks: [512, 1024, 8192] } as const;
  const svg = chartSvg({ ...lines, x: pieces, y: { label: "steps" }, series: [{ name: "a", as: "line", points }] });
  expect(marksOf(svg, "x")).toEqual(["512", "1k", "8k"]);
  expect(marksOf(svg, "y")).toEqual(["2k", "4k", "6k", "8k", "10k", "12k", "14k", "16k"]);
  const tall = chartSvg({ ...lines, y: { label: "steps", scale: "log" }, series: [{ name: "a", as: "line", points }] });
  expect(marksOf(tall, "y")).toEqual(["300", "1k", "3k", "10k"]);
});

test("a heat map has a bar that says which colour is which value", () => {
  const svg = chartSvg(heat);
  const bar = /<g[^>]*aria-label="colour bar"[^>]*>[\s\S]*?<\/g>/.exec(svg)![0];
  expect([...bar.matchAll(/<text[^>]*>([^<]+)</g)].map(([, words]) => words)).toEqual(["−1", "−0.5", "0", "0.5", "1", "score"]);
  const fills = [...bar.matchAll(/<rect[^>]*fill="([^"]+)"/g)].map(([, fill]) => fill);
  expect(fills.length).toBeGreaterThan(32);
  expect(new Set(fills).size).toBe(fills.length); // every colour has one value
});

test("a heat map of zeros has no bar: no colour stands for a value", () => {
  expect(chartSvg({ ...heat, rows: [[0, 0]] } as Chart)).not.toContain("colour bar");
});

test("nothing to draw is an empty frame", () => {
  expect(chartSvg({ ...lines, series: [] })).toContain("<svg");
  expect(chartSvg({ ...ranges, rows: [] } as Chart)).toContain("<svg");
  expect(chartSvg({ ...heat, rows: [] } as Chart)).toContain("<svg");
});
