// What others may ask of a run that trains: small files in RUN/control, which training looks for between two steps. Each is there or not, so that
// nobody who asks and nobody who obeys ever writes over the other.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, explainIo, makeFolder } from "../files/index.ts";

const where = "run";
/** Steps may take a millisecond, and the folder may be on a network. */
const lookMs = 100;

/** "pause" holds while it is asked for; "stop" ends the run as Ctrl-C does, and saves; "samples" has the model write now, once. */
export const requests = ["pause", "stop", "samples"] as const;
/** See {@link requests}. */
export type ControlRequest = (typeof requests)[number];

/** @throws CriaError when the file cannot be written */
export async function askRun(folder: string, request: ControlRequest): Promise<void> {
  await makeFolder(controlFolder(folder), where);
  await atomicWrite(pathOf(folder, request), new Uint8Array(), where);
}

/** Takes back what was asked for, if it stands yet. @throws CriaError when the file cannot be removed */
export async function takeBack(folder: string, request: ControlRequest): Promise<void> {
  await rm(pathOf(folder, request), { force: true }).catch((error) => {
    throw explainIo(where, pathOf(folder, request), error);
  });
}

/** What is asked of a run at this moment. @throws CriaError when that cannot be read */
export async function askedOf(folder: string): Promise<ReadonlySet<ControlRequest>> {
  const names: readonly string[] = await readdir(controlFolder(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, controlFolder(folder), error);
  });
  return new Set(requests.filter((request) => names.includes(request)));
}

/** What training has of the folder: it looks now and then, and what was asked of an earlier run does not count. */
export class Control {
  readonly #folder: string;
  #looked = Number.NEGATIVE_INFINITY;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Control> {
    for (const request of await askedOf(folder)) await takeBack(folder, request);
    return new Control(folder);
  }

  /** What is asked for; behind a step that follows closely on a look, nothing, so that short steps do not wait for files. */
  async look(when: "behind a step" | "now" = "behind a step"): Promise<ReadonlySet<ControlRequest>> {
    const now = performance.now();
    if (when === "behind a step" && now - this.#looked < lookMs) return new Set();
    this.#looked = now;
    return await askedOf(this.#folder);
  }

  /** Takes back a request that is about to be obeyed, so that what is asked for meanwhile counts again. */
  async obeyed(request: Exclude<ControlRequest, "pause">): Promise<void> {
    await takeBack(this.#folder, request);
  }
}

function controlFolder(folder: string): string {
  return join(folder, "control");
}

function pathOf(folder: string, request: ControlRequest): string {
  return join(controlFolder(folder), request);
}
