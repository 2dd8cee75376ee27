// The runs of a folder for somebody who watches them: a list, curves, texts, and requests to what trains there. Nothing is open between two looks.
import { check, fail } from "../base/index.ts";
import { askRun, type ControlRequest, isTraining, type SamplesRow, takeBack } from "../runs/index.ts";
import { findRuns, type RunSummary, WatchedRun } from "./found-runs.ts";
import { idOf } from "./id-of.ts";
import type { RunMetrics } from "./run-metrics.ts";
import { type Series, type SeriesQuery, seriesOf } from "./series.ts";

const where = "watch";
/** How long a list of folders is taken for that which is there. */
const listMs = 2000;

/** The runs below a folder. */
export class WatchedRuns {
  readonly #root: string;
  readonly #runs = new Map<string, WatchedRun>();
  #found: { readonly folders: readonly string[]; readonly at: number } | undefined;

  /** @param root a run's folder, or one with runs below it */
  constructor(root: string) {
    this.#root = root;
  }

  /** All runs: those that train or pause, then the others, each the newest first. @throws CriaError when the folder cannot be read */
  async list(): Promise<RunSummary[]> {
    const folders = await this.#folders();
    const runs = await Promise.all(folders.map((folder) => this.#runIn(folder).summary(this.#root)));
    const isLive = ({ state }: RunSummary) => state === "training" || state === "paused";
    return [...runs.filter(isLive), ...runs.filter((run) => !isLive(run))];
  }

  /** How one run stands. @throws CriaError when there is none of that name */
  async summary(id: string): Promise<RunSummary> {
    return await this.#runIn(await this.#folderOf(id)).summary(this.#root);
  }

  /** @throws CriaError when there is no such run, its metrics cannot be read, or the query is out of its range */
  async series(id: string, query: SeriesQuery): Promise<Series> {
    return seriesOf(await this.#refreshed(id), query);
  }

  /** What the model wrote as it learned, at most some hundred texts over the whole run. @throws CriaError as {@link series} */
  async samples(id: string): Promise<readonly SamplesRow[]> {
    return (await this.#refreshed(id)).samples;
  }

  /** @throws CriaError when no program trains in the run's folder, or there is no such run */
  async ask(id: string, request: ControlRequest): Promise<void> {
    const folder = await this.#folderOf(id);
    check(
      await isTraining(folder),
      where,
      () => `${id}: no program trains in this run, so that none would hear "${request}": go on with the run first`,
    );
    await askRun(folder, request);
  }

  /** Takes back what was asked for. @throws CriaError when there is no such run */
  async takeBack(id: string, request: ControlRequest): Promise<void> {
    await takeBack(await this.#folderOf(id), request);
  }

  async #refreshed(id: string): Promise<RunMetrics> {
    const { metrics } = this.#runIn(await this.#folderOf(id));
    await metrics.refresh();
    return metrics;
  }

  /** Only what the list has is a run: an id is no path. */
  async #folderOf(id: string): Promise<string> {
    const known = (folders: readonly string[]) => folders.find((folder) => idOf(this.#root, folder) === id);
    return (
      known(await this.#folders()) ?? known(await this.#folders("anew")) ?? fail(where, `there is no run "${id}" here: ask for the list`)
    );
  }

  async #folders(how: "anew" | "recent" = "recent"): Promise<readonly string[]> {
    const now = performance.now();
    if (how === "anew" || this.#found === undefined || now - this.#found.at > listMs) {
      const folders = await findRuns(this.#root);
      this.#found = { folders, at: now };
      const there = new Set(folders);
      for (const folder of this.#runs.keys()) if (!there.has(folder)) this.#runs.delete(folder);
    }
    return this.#found.folders;
  }

  #runIn(folder: string): WatchedRun {
    const run = this.#runs.get(folder) ?? new WatchedRun(folder);
    this.#runs.set(folder, run);
    return run;
  }
}
