export type { Axis, Chart, HeatChart, LineChart, Point, RangeChart, Series } from "./chart.ts";
export { chartSvg } from "./chart-svg.ts";
