// Charts to SVG by Observable Plot, in a light DOM, so that neither a browser nor a canvas is needed.
import { type Markish, type PlotOptions, plot, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Chart } from "./chart.ts";
import { heatPlot } from "./heat-plot.ts";
import { linePlot } from "./line-plot.ts";
import { rangePlot } from "./range-plot.ts";

/** The chart as one `<svg>` element that needs nothing from elsewhere: a file by itself, or part of a page. Its title is in it. */
export function chartSvg(chart: Chart): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const { marks = [], ...options } = plotOf(chart);
  const svg = plot({ document, ...look, ...options, marks: [...marks, titleMark(chart.title)] });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.title);
  return svg.outerHTML;
}

/** A chart as a figure of a page. */
export function figureHtml(chart: Chart): string {
  return `<figure>${chartSvg(chart)}</figure>`;
}

const look: PlotOptions = { marginTop: 48, style: { background: "white", color: "#222", fontSize: "12px" } };

function plotOf(chart: Chart): PlotOptions {
  switch (chart.kind) {
    case "lines":
      return linePlot(chart);
    case "ranges":
      return rangePlot(chart);
    case "heat":
      return heatPlot(chart);
  }
}

/** Plot's own title would be HTML around the drawing. */
function titleMark(title: string): Markish {
  return text([title], { frameAnchor: "top-left", dy: -40, fontSize: 14, fontWeight: "bold", lineAnchor: "top" });
}
