// plan.json in the folder of intermediate files: the job as it was begun. What a source's tasks make lies in a folder that is named by a hash of all that they
// depend on, so that tasks of two recipes never stand in one place. A later run with another recipe takes the folder over: sources that did not change keep
// what is done, the others begin anew beside what was. A machine of many never takes over, because others may do the job as it is written down.
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { byteSize, check, fail } from "../base/index.ts";
import { stepEntries } from "../clean/index.ts";
import { formNames, pageContents } from "../corpus/index.ts";
import { againWhenStale, explainIo, makeFolder, readCheckedJson, writeCheckedJson } from "../files/index.ts";
import { isAbsent } from "./input-files.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import type { OpenJobOptions } from "./open-job.ts";
import { folderOf } from "./phases.ts";

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
      id: z.string(),
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

/** What of a job all of its sources depend on. */
type Frame = Pick<PipelineJob, "rules" | "stretchBytes" | "taskBytes">;

/** A source with the hash of what its tasks depend on: its files as they are, its steps and their files, and how all sources are cut. */
export function identified(source: Omit<JobSource, "id">, { rules, stretchBytes, taskBytes }: Frame): JobSource {
  const all = JSON.stringify({ source, rules, stretchBytes, taskBytes });
  const { name, ...more } = source;
  return { name, id: createHash("sha256").update(all).digest("hex").slice(0, 12), ...more };
}

/** Who begins or goes on. */
type Beginning = Pick<OpenJobOptions, "isOneOfMany" | "onChange">;

/** Writes a job down, or holds it against what is written. @throws CriaError naming what differs and cannot be taken over, or what else stands in the folder */
export async function keepPlan(job: PipelineJob, { isOneOfMany = false, onChange }: Beginning = {}): Promise<void> {
  await makeFolder(job.folder, where);
  const mine = writtenForm(job);
  // Another process writes the plan first of all: what stood here before there is one is no work of ours.
  const other = (await readdir(job.folder)).find((name) => !name.startsWith(planName));
  const known = await readPlan(job.folder);
  if (known !== undefined) {
    if (isSame(known, mine)) return;
    const what = otherFrame(known, mine);
    if (what !== undefined) fail(where, `${job.folder}: ${what}: undo that, or ${wayOut}`);
    if (isOneOfMany)
      fail(
        where,
        `${job.folder}: ${difference(known, mine)}: undo that, or, when no machine does the work as it was begun any more, begin by the changed recipe`,
        { ways: ["plan"] },
      );
    for (const sentence of await changes(job, known)) onChange?.(sentence);
  } else
    check(
      other === undefined,
      where,
      () => `${job.folder} holds ${other}, but is to be the folder of intermediate files, which goes in the end: name another one`,
    );
  await writeCheckedJson(join(job.folder, planName), mine, where);
}

/** Tells a run whose folder another one has taken over with another recipe. */
export class PlanWatch {
  readonly #job: PipelineJob;
  /** The file as it was when it was read last. */
  #seen = "";

  constructor(job: PipelineJob) {
    this.#job = job;
  }

  /** Looks at the file, and reads it where it is another one. @throws CriaError naming what differs from the run's own job */
  async check(): Promise<void> {
    const { folder } = this.#job;
    const path = join(folder, planName);
    const { ino, size, mtimeMs } = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
    const seen = [ino, size, mtimeMs].join();
    if (seen === this.#seen) return;
    const known = await againWhenStale(() => readPlan(folder));
    const mine = writtenForm(this.#job);
    if (known === undefined || !isSame(known, mine))
      fail(
        where,
        `${folder}: another run has taken the folder over, and ${known === undefined ? "its plan is gone" : `by its recipe ${difference(mine, known)}`}: what this run has done is kept; stop the other one, and begin again by the recipe that is to hold`,
      );
    this.#seen = seen;
  }
}

/** The job without what is other on each machine. */
function writtenForm(job: PipelineJob): PipelineJob {
  return JSON.parse(JSON.stringify({ ...job, folder: ".", base: "." }));
}

function isSame(a: PipelineJob, b: PipelineJob): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is other of that on which all tasks depend. */
function otherFrame(known: PipelineJob, mine: PipelineJob): string | undefined {
  if (known.rules !== mine.rules) return `steps decide by version ${mine.rules} of their rules, but it was begun by version ${known.rules}`;
  if (known.taskBytes !== mine.taskBytes)
    return `its tasks take ${byteSize(mine.taskBytes)} of memory each, but took ${byteSize(known.taskBytes)} when it was begun by a run of other memory`;
  if (known.stretchBytes !== mine.stretchBytes)
    return `files are cut into parts of ${byteSize(mine.stretchBytes)}, but were cut into ${byteSize(known.stretchBytes)} when it was begun`;
  return undefined;
}

/** What is other of the sources than when the folder was begun. */
function difference(known: PipelineJob, mine: PipelineJob): string {
  for (const source of mine.sources) {
    const before = known.sources.find(({ name }) => name === source.name);
    const changed = before === undefined ? `source "${source.name}" is new since it was begun` : sourceChange(before, source);
    if (changed !== undefined) return changed;
  }
  const gone = known.sources.find(({ name }) => !mine.sources.some((source) => source.name === name));
  if (gone !== undefined) return `source "${gone.name}" is not in the recipe any more, but was when it was begun`;
  return otherFrame(known, mine) ?? "its sources stand in another order than when it was begun";
}

/** What is other of a source; undefined where its tasks are the same. */
function sourceChange(before: JobSource, now: JobSource): string | undefined {
  if (before.id === now.id) return undefined;
  const key = (["paths", "steps", "text"] as const).find((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));
  if (key !== undefined) return `the ${key === "text" ? "form" : key} of source "${now.name}" changed since it was begun`;
  const file = otherFile(before, now);
  return `${file === undefined ? `files of source "${now.name}" are` : `${file} of source "${now.name}" is`} new, gone or changed since it was begun`;
}

/** Sentences on what is kept and what is made anew, where a folder is taken over. */
async function changes(job: PipelineJob, known: PipelineJob): Promise<readonly string[]> {
  const kept: string[] = [];
  const told: string[] = [];
  const stays = async (source: JobSource) => {
    const folder = folderOf(job, source);
    return (await isAbsent(folder)) ? "" : `; what was made of it before stays in ${folder} until you remove it`;
  };
  for (const source of job.sources) {
    const before = known.sources.find(({ name }) => name === source.name);
    const change = before === undefined ? `source "${source.name}" is new since it was begun` : sourceChange(before, source);
    if (change === undefined) {
      kept.push(source.name);
      continue;
    }
    const isKnown = !(await isAbsent(folderOf(job, source)));
    const anew = isKnown ? "what was done of it as it is now is taken up again" : "it is made anew";
    told.push(`${job.folder}: ${change}: ${anew}${before === undefined ? "" : await stays(before)}`);
  }
  for (const before of known.sources)
    if (!job.sources.some(({ name }) => name === before.name))
      told.push(`${job.folder}: source "${before.name}" is not in the recipe any more${await stays(before)}`);
  return kept.length === 0 ? told : [...told, `${job.folder}: what is done of the other sources is kept: ${kept.join(", ")}`];
}

function otherFile(before: JobSource, now: JobSource): string | undefined {
  const filesOf = ({ files, stepFiles }: JobSource): JobSource["stepFiles"] => [...files, ...stepFiles];
  const known = filesOf(before);
  const found = filesOf(now);
  return (found.find((file, i) => JSON.stringify(known[i]) !== JSON.stringify(file)) ?? known[found.length])?.path;
}

function isPlan(value: unknown): value is PipelineJob {
  return planSchema.safeParse(value).success;
}
