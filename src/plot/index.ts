export type { Axis, Chart, HeatChart, LineChart, Point, RangeChart, Series } from "./chart.ts";
export { chartSvg } from "./chart-svg.ts";
export { asText, figureHtml, type Page, pageHtml, type Table, tableHtml } from "./page.ts";
