export type { Axis, Chart, HeatChart, LineChart, Point, RangeChart, Series } from "./chart.ts";
export { loadPlots, PlotsMissing } from "./load-plots.ts";
export { asText, type Page, pageHtml, type Table, tableHtml } from "./page.ts";
