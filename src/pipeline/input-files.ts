// The files that a job reads: what is written down of them when it begins, and that they are still the same when their turn comes.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { check } from "../base/index.ts";
import type { TextFile } from "../corpus/index.ts";
import { explainIo } from "../files/index.ts";
import type { JobFile, JobSource } from "./job.ts";

const where = "data";

type StepFile = JobSource["stepFiles"][number];

/** Whether there is nothing at a path; what cannot be looked at is told when it is read. */
export async function isAbsent(path: string): Promise<boolean> {
  const error: NodeJS.ErrnoException | undefined = await stat(path).then(
    () => undefined,
    (error) => error,
  );
  return error?.code === "ENOENT";
}

/** What a job says of a file of texts. @throws CriaError where it is not there */
export async function jobFileOf({ path, name, label, form, root }: TextFile): Promise<JobFile> {
  return { ...(await stepFileOf(resolve(path))), name, label, form: form.name, root: resolve(root) };
}

/** What a job says of a file that a step names. @throws CriaError where it is not there */
export async function stepFileOf(path: string): Promise<StepFile> {
  const { size, mtimeMs } = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  return { path, name: path, bytes: size, changed: mtimeMs };
}

/** A machine of many takes the list of files from the job and looks at each when it reads it. @throws CriaError where one is not what it was */
export async function checkUnchanged({ path, bytes, changed }: JobFile): Promise<void> {
  const found = await stepFileOf(path);
  check(
    found.bytes === bytes && found.changed === changed,
    where,
    () =>
      `${path}: it has ${found.bytes} bytes of ${dateOf(found.changed)}, but had ${bytes} of ${dateOf(changed)} when the work was begun: bring it back, or begin by the changed file, which makes its source anew`,
  );
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
