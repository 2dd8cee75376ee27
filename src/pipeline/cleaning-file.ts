// What cleaning did, in the prepared folder: cleaning.json, the same for any threads and machines, cleaning-times.json with what is not, cleaning.html to look
// at, and SOURCE.STEP.json with what a step found that decides by a statistic.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../base/index.ts";
import type { Manifest } from "../corpus/index.ts";
import { atomicWrite, atomicWriteJson, explainIo } from "../files/index.ts";
import { loadPlots, PlotsMissing } from "../plot/index.ts";
import { parseWith } from "../schema/index.ts";
import type { CleanedTexts } from "./cleaned.ts";
import { reportSchema, type SourceReport } from "./report.ts";
import { cleaningPage } from "./report-page.ts";
import { type StepTimes, stepTimes } from "./step-times.ts";

const where = "data";
const [reportName, timesName] = ["cleaning.json", "cleaning-times.json"];
/** The page in a prepared folder that shows what cleaning did. */
export const cleaningPageName = "cleaning.html";

const tokens = z.object({ bytes: z.int(), tokens: z.int() });

const reports = z.object({
  version: z.literal(1),
  sources: z.array(
    z.object({
      name: z.string(),
      /** What training reads of the source: its text without what is held out, in bytes and in tokens. */
      tokens: tokens.optional(),
      /** What steps found that decide by a statistic, by their names. */
      found: z.record(z.string(), z.unknown()).default({}),
      ...reportSchema.shape,
    }),
  ),
});

const times = z.object({ version: z.literal(1), sources: z.array(z.object({ name: z.string(), times: stepTimes })) });

/** A source that was cleaned, and all that is told of it. */
export interface ToldSource {
  readonly name: string;
  readonly report: SourceReport;
  readonly tokens?: z.output<typeof tokens> | undefined;
  readonly found: Readonly<Record<string, unknown>>;
  /** Empty where none were kept. */
  readonly times: StepTimes;
}

/** What there is to tell of cleaned sources. @param manifest of their tokens */
export function toldSources(cleaned: readonly CleanedTexts[], { sources }: Pick<Manifest, "sources">): readonly ToldSource[] {
  return cleaned.map(({ name, report, times, summaries }) => {
    const source = sources.find((one) => one.name === name);
    const tokens = source && { bytes: source.bytes, tokens: source.tokens };
    return { name, report, times, tokens, found: Object.fromEntries(summaries.map(({ step, summary }) => [step, summary])) };
  });
}

/** Writes all of it into a prepared folder. Where the packages that draw are not installed, the page has tables instead of charts. */
export async function writeCleaning(folder: string, sources: readonly ToldSource[]): Promise<void> {
  const told = sources.map(({ name, report, tokens, found }) => ({ name, ...(tokens && { tokens }), found, ...report }));
  await atomicWriteJson(join(folder, reportName), { version: 1, sources: told } satisfies z.input<typeof reports>, where);
  const measured = sources.map(({ name, times }) => ({ name, times: [...times] }));
  await atomicWriteJson(join(folder, timesName), { version: 1, sources: measured } satisfies z.input<typeof times>, where);
  for (const { name, found } of sources)
    for (const [step, summary] of Object.entries(found))
      if (summary !== null) await atomicWriteJson(join(folder, `${name}.${step}.json`), summary, where);
  const plots = await loadPlots().catch((error: unknown) => {
    if (error instanceof PlotsMissing) return undefined;
    throw error;
  });
  await atomicWrite(join(folder, cleaningPageName), cleaningPage(sources, plots?.figureHtml), where);
}

/** What cleaning did to the sources of a prepared folder; undefined where none was cleaned. @throws CriaError where a file of it is of another form */
export async function readCleaning(folder: string): Promise<readonly ToldSource[] | undefined> {
  const found = await readForm(join(folder, reportName), reports);
  if (found === undefined) return undefined;
  const measured = await readForm(join(folder, timesName), times);
  return found.sources.map(({ name, tokens, found, ...report }) => {
    return { name, report, tokens, found, times: measured?.sources.find((one) => one.name === name)?.times ?? [] };
  });
}

async function readForm<Form extends z.ZodType>(path: string, form: Form): Promise<z.output<Form> | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw explainIo(where, path, error);
  });
  return text === undefined ? undefined : parseWith(form, parseJson(where, path, text), where, path);
}
