// Several real processes that take locks at the same time.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Order, Report } from "./lock-taker.test.helper.ts";

const script = fileURLToPath(new URL("./lock-taker.test.helper.js", import.meta.url));

export async function openTakers(count: number) {
  const root = await mkdtemp(join(tmpdir(), "cria-takers-"));
  const gone = fork(script, { execArgv: [] });
  gone.disconnect();
  await once(gone, "exit");
  const takers = Array.from({ length: count }, () => fork(script, { execArgv: [] }));
  const tell = (order: Order): Promise<Report>[] =>
    takers.map((taker) => {
      taker.send(order);
      return once(taker, "message").then(([report]) => report as Report);
    });
  return {
    /** Every program takes the lock of a new folder at once, in which a killed one left its own. */
    async round(stale: "training.lock" | "training.lock.1" | "none"): Promise<void> {
      const folder = await mkdtemp(join(root, "run-"));
      if (stale !== "none") await writeFile(join(folder, stale), JSON.stringify({ pid: gone.pid, host: hostname(), token: "gone" }));
      const reports = await Promise.all(tell({ order: "take", folder }));
      expect(reports.slice().sort()).toEqual(["held", ...Array(count - 1).fill("refused")]);
      expect((await readdir(folder)).length).toBe(1);
      await Promise.all(tell({ order: "release" }));
      expect(await readdir(folder)).toEqual([]);
      await rm(folder, { recursive: true });
    },
    /** Every program takes the lock and gives it back so many times; no two may ever hold it at once. @returns how often it was held */
    async churn(times: number): Promise<number> {
      const folder = await mkdtemp(join(root, "churn-"));
      const reports = await Promise.all(tell({ order: "churn", folder, times, dead: gone.pid! }));
      for (const report of reports) expect(report).toEqual(expect.any(Number));
      return reports.reduce((sum: number, report) => sum + (report as number), 0);
    },
    async [Symbol.asyncDispose]() {
      for (const taker of takers) taker.disconnect();
      await Promise.all(takers.map((taker) => once(taker, "exit")));
      await rm(root, { recursive: true, force: true });
    },
  };
}
