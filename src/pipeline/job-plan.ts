// plan.json in the folder of intermediate files: the job as it was begun. A later run does the same or hears what differs; a machine of many takes the list
// of files from it, which would otherwise be looked for by all of them.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { byteSize, check, fail } from "../base/index.ts";
import { stepEntries } from "../clean/index.ts";
import { formNames, pageContents } from "../corpus/index.ts";
import { makeFolder, readCheckedJson, writeCheckedJson } from "../files/index.ts";
import { isAbsent } from "./input-files.ts";
import type { JobSource, PipelineJob } from "./job.ts";

const where = "data";
const planName = "plan.json";
const wayOut = "remove the folder to begin anew";

const namedFile = { path: z.string(), name: z.string(), bytes: z.int().min(0), changed: z.number() };
const planSchema = z.strictObject({
  rules: z.number(),
  folder: z.string(),
  base: z.string(),
  stretchBytes: z.int().min(1),
  taskBytes: z.int().min(1),
  sources: z.array(
    z.strictObject({
      name: z.string(),
      paths: z.array(z.string()),
      files: z.array(z.strictObject({ ...namedFile, label: z.string(), form: z.enum(formNames), root: z.string() })),
      text: z.strictObject({
        format: z.enum(formNames).optional(),
        field: z.string().optional(),
        separator: z.string().optional(),
        content: z.enum(pageContents).optional(),
        newlines: z.enum(["lf", "keep"]).optional(),
      }),
      parts: z.array(
        z.strictObject({ file: z.int().min(0), end: z.int().min(1).optional(), stretch: z.int().min(0).optional(), bytes: z.int().min(0) }),
      ),
      steps: stepEntries,
      stepFiles: z.array(z.strictObject(namedFile)),
    }),
  ),
});

/** A job that was written down; undefined where none was. @throws CriaError where it is of another version */
export async function readPlan(folder: string): Promise<PipelineJob | undefined> {
  const path = join(folder, planName);
  if (await isAbsent(path)) return undefined;
  const plan = await readCheckedJson(path, where, wayOut);
  return isPlan(plan) ? plan : fail(where, `${path}: it says nothing that this version knows: ${wayOut}`);
}

/** Writes a job down, or holds it against what is written. @throws CriaError naming what differs, or what else stands in the folder */
export async function keepPlan(job: PipelineJob): Promise<void> {
  await makeFolder(job.folder, where);
  const mine: PipelineJob = JSON.parse(JSON.stringify({ ...job, folder: ".", base: "." }));
  // Another process writes the plan first of all: what stood here before there is one is no work of ours.
  const other = (await readdir(job.folder)).find((name) => !name.startsWith(planName));
  const known = await readPlan(job.folder);
  if (known !== undefined) return checkSame(job.folder, known, mine);
  check(
    other === undefined,
    where,
    () => `${job.folder} holds ${other}, but is to be the folder of intermediate files, which goes in the end: name another one`,
  );
  await writeCheckedJson(join(job.folder, planName), mine, where);
}

function checkSame(folder: string, known: PipelineJob, mine: PipelineJob): void {
  if (JSON.stringify(known) !== JSON.stringify(mine))
    fail(where, `${folder}: ${difference(known, mine)}: undo that, or remove the folder to begin anew`);
}

/** What is other than when the folder was begun. */
function difference(known: PipelineJob, mine: PipelineJob): string {
  if (known.rules !== mine.rules) return `steps decide by version ${mine.rules} of their rules, but it was begun by version ${known.rules}`;
  for (const [i, source] of mine.sources.entries()) {
    const before = known.sources[i];
    if (before === undefined) return `source "${source.name}" is new since it was begun`;
    if (before.name !== source.name) return `source ${i} is "${source.name}", but was "${before.name}" when it was begun`;
    const key = (["paths", "steps", "text"] as const).find((key) => JSON.stringify(before[key]) !== JSON.stringify(source[key]));
    if (key !== undefined) return `the ${key === "text" ? "form" : key} of source "${source.name}" changed since it was begun`;
    const file = otherFile(before, source);
    if (file !== undefined) return `${file} is new or was changed since it was begun`;
  }
  if (known.taskBytes !== mine.taskBytes)
    return `its tasks take ${byteSize(mine.taskBytes)} of memory each, but took ${byteSize(known.taskBytes)} when it was begun by a run of other memory`;
  return "its sources or the size of their parts are others than when it was begun";
}

function otherFile(before: JobSource, now: JobSource): string | undefined {
  const filesOf = ({ files, stepFiles }: JobSource): JobSource["stepFiles"] => [...files, ...stepFiles];
  const known = filesOf(before);
  return filesOf(now).find((file, i) => JSON.stringify(known[i]) !== JSON.stringify(file))?.path;
}

function isPlan(value: unknown): value is PipelineJob {
  return planSchema.safeParse(value).success;
}
