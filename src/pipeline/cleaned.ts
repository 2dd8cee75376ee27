// What a pipeline leaves when all is done: files of clean documents for each source, and a report.
import type { JobSource, PipelineJob } from "./job.ts";
import { fileOf, type OpenedSource, openSources } from "./phases.ts";
import { joinReports, reportSchema, type SourceReport, sumReports } from "./report.ts";
import { readReport } from "./run-task.ts";

/** A source that is cleaned. */
export interface CleanedTexts {
  readonly name: string;
  /** JSON lines whose "text" is a clean document. */
  readonly files: readonly string[];
  readonly report: SourceReport;
}

/** What a finished job made, source by source. @param ready the sources, where they are opened already */
export async function cleanedTexts(job: PipelineJob, ready?: readonly OpenedSource[]): Promise<readonly CleanedTexts[]> {
  const cleaned: CleanedTexts[] = [];
  for (const { source, stages } of ready ?? (await openSources(job))) {
    const passes: SourceReport[] = [];
    for (const stage of stages.keys()) passes.push(sumReports(await reportsOf(job, source, stage)));
    const last = { kind: "pass", stage: stages.length - 1 } as const;
    const files = source.parts.map((_, part) => fileOf(job, last, source, part));
    cleaned.push({ name: source.name, files, report: joinReports(passes) });
  }
  return cleaned;
}

/** One file after another, because a dump has more parts than a process may have open files. */
async function reportsOf(job: PipelineJob, source: JobSource, stage: number): Promise<SourceReport[]> {
  const reports: SourceReport[] = [];
  for (const part of source.parts.keys()) reports.push(reportSchema.parse(await readReport(job, source, stage, part)));
  return reports;
}
