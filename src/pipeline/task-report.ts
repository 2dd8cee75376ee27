// What a pass' task counted, in a file beside its documents, with their size and checksum, which lines of JSON have no room for.
import { stat } from "node:fs/promises";
import { z } from "zod";
import { check } from "../base/index.ts";
import { explainIo, writeCheckedJson } from "../files/index.ts";
import { parseWith } from "../schema/index.ts";
import { checkDocuments } from "./documents.ts";
import { readTaskJson, wayOutOf } from "./numbers.ts";
import { reportFileOf } from "./phases.ts";
import { reportSchema } from "./report.ts";

const where = "data";

const form = z.strictObject({
  /** The size of the file of documents, and its checksum. */
  bytes: z.int().min(0),
  crc32: z.int().min(0),
  report: reportSchema,
});

/** What a task counted, and the size and checksum of its file of documents. */
export type TaskReport = z.output<typeof form>;

/** Writes what a task counted. @param documents the path of its file of documents */
export async function writeTaskReport(documents: string, report: TaskReport): Promise<void> {
  await writeCheckedJson(reportFileOf(documents), report, where);
}

/** What a task counted. @param documents the path of its file of documents @throws CriaError where it cannot be read, was changed or is of another form */
export async function readTaskReport(documents: string): Promise<TaskReport> {
  const path = reportFileOf(documents);
  return parseWith(form, await readTaskJson(path), where, path);
}

/** @throws CriaError where a file of documents is not as long as its task has written it */
export async function checkWhole(documents: string, { bytes }: Pick<TaskReport, "bytes">): Promise<void> {
  const { size } = await stat(documents).catch((error) => Promise.reject(explainIo(where, documents, error)));
  check(size === bytes, where, () => `${documents}: it has ${size} bytes, but its task wrote ${bytes}: ${wayOutOf(documents)}`);
}

/** Reads a file of documents. @throws CriaError where it is not what its task has written */
export async function checkUnharmed(documents: string, signal?: AbortSignal): Promise<void> {
  const written = await readTaskReport(documents);
  await checkWhole(documents, written);
  await checkDocuments(documents, written.crc32, signal);
}
