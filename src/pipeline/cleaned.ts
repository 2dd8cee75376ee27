// What a pipeline leaves when all is done: files of clean documents for each source, and a report.

import { isClusterStep, isStatisticStep } from "../clean/index.ts";
import { inOrder } from "../files/index.ts";
import { parseWith } from "../schema/index.ts";
import { readClusters } from "./clusters-file.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import { readTaskJson } from "./numbers.ts";
import { clustersFileOf, fileOf, type OpenedSource, openSources, timesFileOf } from "./phases.ts";
import type { SourceReport, StepReport } from "./report.ts";
import { type StepTimes, stepTimes, sumTimes } from "./step-times.ts";
import { emptyReport, joinReports, sumReports } from "./sum-reports.ts";
import { checkWhole, readTaskReport } from "./task-report.ts";

const where = "data";

/** A source that is cleaned. */
export interface CleanedTexts {
  readonly name: string;
  /** JSON lines whose "text" is a clean document. */
  readonly files: readonly string[];
  readonly report: SourceReport;
  /** How long steps took, in documents that were measured. */
  readonly times: StepTimes;
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
    const { source } = opened;
    cleaned.push({
      name: source.name,
      files: cleanedFiles(job, opened),
      ...(await countsOf(job, opened)),
      summaries: await summariesOf(job, opened),
    });
  }
  return cleaned;
}

async function countsOf(job: PipelineJob, opened: OpenedSource): Promise<Pick<CleanedTexts, "report" | "times">> {
  const { source, stages } = opened;
  const passes: SourceReport[] = [];
  const times: StepTimes[] = [];
  for (const stage of stages.keys()) {
    let [report, time]: [SourceReport | undefined, StepTimes] = [undefined, []];
    const read = async (part: number) => {
      const path = fileOf(job, { kind: "pass", stage }, source, part);
      const [counted, timed] = await Promise.all([readTaskReport(path), readTaskTimes(path)]);
      if (stage === stages.length - 1) await checkWhole(path, counted);
      return [counted.report, timed] as const;
    };
    for await (const [found, timed] of inOrder(source.parts.length, read)) {
      report = report === undefined ? found : sumReports(report, found);
      time = sumTimes(time, timed);
    }
    passes.push(await withClusters(job, opened, stage, report ?? emptyReport()));
    times.push(time);
  }
  return { report: withParameters(joinReports(passes), source), times: times.flat() };
}

/** A report whose steps tell what the source's recipe says of their parameters. */
function withParameters(report: SourceReport, { steps: entries }: JobSource): SourceReport {
  const given = entries.map((entry) => (typeof entry === "string" ? undefined : Object.values(entry)[0]));
  return { ...report, steps: report.steps.map((step, i) => ({ ...step, parameters: { ...(given[i] ?? {}) } })) };
}

async function readTaskTimes(documents: string): Promise<StepTimes> {
  const path = timesFileOf(documents);
  return parseWith(stepTimes, await readTaskJson(path), where, path);
}

/** The clusters that the step in front of a pass has decided by go to its report, with the beginnings that the pass has kept. */
async function withClusters(
  job: PipelineJob,
  { source, stages }: OpenedSource,
  stage: number,
  report: SourceReport,
): Promise<SourceReport> {
  const step = stages[stage]?.before?.step;
  const [first, ...others] = report.steps;
  if (step === undefined || isStatisticStep(step) || !isClusterStep(step) || first === undefined) return report;
  const found = await readClusters(clustersFileOf(fileOf(job, { kind: "join", stage: stage - 1 }, source, 0)));
  const { copies, sizes, leftApart } = found;
  const largest = found.largest.map(({ documents }, cluster) => ({ documents, texts: textsOf(first, cluster) }));
  return { ...report, steps: [{ ...first, members: [], clusters: { copies, sizes, leftApart, largest } }, ...others] };
}

function textsOf({ members }: StepReport, wanted: number): { id: string; text: string }[] {
  const texts = members.filter(({ cluster }) => cluster === wanted).sort((a, b) => a.member - b.member);
  return texts.map(({ id, text }) => ({ id, text }));
}

async function summariesOf(job: PipelineJob, { source, stages }: OpenedSource): Promise<readonly StepSummary[]> {
  const summaries: StepSummary[] = [];
  for (const [stage, { behind }] of stages.entries()) {
    if (behind === undefined || !isStatisticStep(behind.step)) continue;
    const { name } = behind.row;
    const earlier = summaries.filter(({ step }) => step.replace(/-\d+$/, "") === name).length;
    const summary = await readTaskJson(fileOf(job, { kind: "summarise", stage }, source, 0));
    summaries.push({ step: earlier === 0 ? name : `${name}-${earlier + 1}`, summary });
  }
  return summaries;
}

/** The files that the last pass over a source makes, one per part. */
export function cleanedFiles(job: PipelineJob, { source, stages }: Pick<OpenedSource, "source" | "stages">): readonly string[] {
  const last = { kind: "pass", stage: stages.length - 1 } as const;
  return source.parts.map((_, part) => fileOf(job, last, source, part));
}
