export type { SamplesRow } from "../runs/index.ts";
export type { RunState, RunSummary } from "./found-runs.ts";
export { type FoundReport, findReports, readReport } from "./reports.ts";
export { type Curve, mostPoints, type Series, type SeriesQuery } from "./series.ts";
export { WatchedRuns } from "./watched-runs.ts";
