// What a pipeline leaves when all is done: files of clean documents for each source, and a report.
import { isStatisticStep } from "../clean/index.ts";
import { readSummary } from "./decide.ts";
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
  /** What steps found that decide by a statistic, such as the percentiles of perplexity. */
  readonly summaries: readonly StepSummary[];
}

/** What a step found in the documents of a source. */
export interface StepSummary {
  /** The step's name; with a number behind it where an earlier step of the source has the same one. */
  readonly step: string;
  /** Plain data; null where no document was measured. */
  readonly summary: unknown;
}

/** What a finished job made, source by source. @param ready the sources, where they are opened already */
export async function cleanedTexts(job: PipelineJob, ready?: readonly OpenedSource[]): Promise<readonly CleanedTexts[]> {
  const cleaned: CleanedTexts[] = [];
  for (const opened of ready ?? (await openSources(job))) {
    const { source, stages } = opened;
    const passes: SourceReport[] = [];
    for (const stage of stages.keys()) passes.push(sumReports(await reportsOf(job, source, stage)));
    const files = cleanedFiles(job, opened);
    cleaned.push({ name: source.name, files, report: joinReports(passes), summaries: await summariesOf(job, opened) });
  }
  return cleaned;
}

async function summariesOf(job: PipelineJob, { source, stages }: OpenedSource): Promise<readonly StepSummary[]> {
  const summaries: StepSummary[] = [];
  for (const [stage, { behind }] of stages.entries()) {
    if (behind === undefined || !isStatisticStep(behind.step)) continue;
    const { name } = behind.row;
    const earlier = summaries.filter(({ step }) => step.replace(/-\d+$/, "") === name).length;
    const summary = await readSummary(fileOf(job, { kind: "summarise", stage }, source, 0));
    summaries.push({ step: earlier === 0 ? name : `${name}-${earlier + 1}`, summary });
  }
  return summaries;
}

/** The files that the last pass over a source makes, one per part. */
export function cleanedFiles(job: PipelineJob, { source, stages }: Pick<OpenedSource, "source" | "stages">): readonly string[] {
  const last = { kind: "pass", stage: stages.length - 1 } as const;
  return source.parts.map((_, part) => fileOf(job, last, source, part));
}

/** One file after another, because a dump has more parts than a process may have open files. */
async function reportsOf(job: PipelineJob, source: JobSource, stage: number): Promise<SourceReport[]> {
  const reports: SourceReport[] = [];
  for (const part of source.parts.keys()) reports.push(reportSchema.parse(await readReport(job, source, stage, part)));
  return reports;
}
