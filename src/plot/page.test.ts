import { expect, test } from "vitest";
import { figureHtml } from "./chart-svg.ts";
import { colours, darkColours } from "./look.ts";
import { asText, pageHtml, tableHtml } from "./page.ts";

test("a page needs nothing from elsewhere, shows text as it is, and is light or dark", () => {
  const chart = { kind: "ranges", title: "ranges", x: { label: "loss" }, rows: [{ name: "relu", values: [1, 2] }] } as const;
  const table = {
    title: "a < b",
    columns: ["name", "value"],
    rows: [
      ["<script>", 1234.5678],
      ["none", Number.NaN],
    ],
  };
  const html = pageHtml({ title: "x & y", facts: ["1 < 2"], parts: [figureHtml(chart), tableHtml(table)], style: ".own { color: red; }" });
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toMatch(/<\/html>\n$/);
  expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/(?:src|href)=|https?:|@import|url\(|<script/);
  for (const part of ["x &amp; y", "1 &lt; 2", "a &lt; b", "&lt;script&gt;", ">1235<", ">–<", ".own", "prefers-color-scheme: dark"])
    expect(html).toContain(part);
  expect(asText('"<&>"')).toBe("&quot;&lt;&amp;&gt;&quot;");
});

test("every colour has one for dark pages", () => {
  expect(darkColours).toHaveLength(colours.length);
  expect(new Set(darkColours).size).toBe(colours.length);
});
