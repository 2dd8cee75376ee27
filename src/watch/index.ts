export type { SamplesRow } from "../runs/index.ts";
export { findRuns, type RunState, type RunSummary } from "./found-runs.ts";
export { idOf } from "./id-of.ts";
export { type FoundReport, findReports, readReport } from "./reports.ts";
export { type Curve, mostPoints, type Series, type SeriesQuery } from "./series.ts";
export { WatchedRuns } from "./watched-runs.ts";
