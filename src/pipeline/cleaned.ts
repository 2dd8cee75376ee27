// What a pipeline leaves when all is done: files of clean documents for each source, and a report.
import type { PipelineJob } from "./job.ts";
import { fileOf, openSources } from "./phases.ts";
import { joinReports, reportSchema, type SourceReport, sumReports } from "./report.ts";
import { readReport } from "./run-task.ts";

/** A source that is cleaned. */
export interface CleanedTexts {
  readonly name: string;
  /** JSON lines whose "text" is a clean document. */
  readonly files: readonly string[];
  readonly report: SourceReport;
}

/** What a finished job made, source by source. */
export async function cleanedTexts(job: PipelineJob): Promise<readonly CleanedTexts[]> {
  return Promise.all(
    (await openSources(job)).map(async ({ source, stages }) => {
      const passes: SourceReport[] = [];
      for (const stage of stages.keys()) {
        const reports = source.parts.map(async (_, part) => reportSchema.parse(await readReport(job, source, stage, part)));
        passes.push(sumReports(await Promise.all(reports)));
      }
      const last = { kind: "pass", stage: stages.length - 1 } as const;
      return { name: source.name, files: source.parts.map((_, part) => fileOf(job, last, source, part)), report: joinReports(passes) };
    }),
  );
}
