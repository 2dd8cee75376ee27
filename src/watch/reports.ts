// Reports that runs, studies and preparations of data left behind, each one HTML file that needs nothing from elsewhere.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fail } from "../base/index.ts";
import { openRegular, readTextFile } from "../files/index.ts";
import { idOf } from "./id-of.ts";
import { walk } from "./walk.ts";

const where = "watch";
/** Folders below the one that is watched in which reports are looked for. */
const mostDepth = 4;
/** Bytes in which the title stands. */
const headBytes = 4096;
/** What reports are called, and what each is about where nothing else stands beside it. */
const kinds = { "report.html": "study", "cleaning.html": "data" } as const;

/** A report as a list shows it. */
export interface FoundReport {
  /** The file's path below the folder that is watched, with slashes. */
  readonly id: string;
  readonly kind: "study" | "data" | "run";
  readonly title: string;
  /** The time of its last change, in milliseconds since 1970. */
  readonly changed: number;
}

/** The reports at most some levels below `root`, the newest first. @throws CriaError when `root` cannot be read */
export async function findReports(root: string): Promise<FoundReport[]> {
  const found: FoundReport[] = [];
  await walk(resolve(root), mostDepth, async (folder, entries) => {
    const isRun = entries.some(({ name }) => name === "train.yaml");
    for (const [name, kind] of Object.entries(kinds)) {
      if (!entries.some((entry) => entry.name === name && entry.isFile())) continue;
      const path = join(folder, name);
      const { mtimeMs: changed } = await stat(path);
      found.push({ id: idOf(root, path), kind: isRun ? "run" : kind, title: (await titleOf(path)) ?? basename(folder), changed });
    }
    return !isRun;
  });
  return found.sort((a, b) => b.changed - a.changed);
}

/** The HTML of a report. @throws CriaError when it is none of those that {@link findReports} finds, or cannot be read */
export async function readReport(root: string, id: string): Promise<string> {
  const known = (await findReports(root)).some((report) => report.id === id);
  return known ? await readTextFile(join(resolve(root), id), where) : fail(where, `there is no report "${id}" here: ask for the list`);
}

async function titleOf(path: string): Promise<string | undefined> {
  const { handle } = await openRegular(path, where);
  try {
    const head = new Uint8Array(headBytes);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const [, title] = /<title>([^<]*)<\/title>/.exec(new TextDecoder().decode(head.subarray(0, bytesRead))) ?? [];
    return title?.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  } finally {
    await handle.close();
  }
}
