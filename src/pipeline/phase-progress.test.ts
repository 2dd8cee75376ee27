// What people are told while a pipeline runs: the phase by its number and name, bytes within long tasks, and what it comes to at the end.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openJob, runPhases } from "./index.ts";

test.each([1, 2])("phases tell how far they are, within tasks too, with %i threads", async (threads) => {
  await withFolder(async (folder) => {
    for (const name of ["a", "b"])
      await writeFile(join(folder, `${name}.jsonl`), `${JSON.stringify({ text: `${name} llama sleeps.`.repeat(8) })}\n`.repeat(8000));
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupNear"] };
    const { job } = await openJob([source], { folder, work: join(folder, "work") });
    const events: ProgressEvent[] = [];
    await runPhases(job, { threads, progress: (event) => events.push(event) });
    const tasks = [...new Set(events.map(({ task }) => task))];
    expect(tasks).toEqual(["phase 1/4, cleaning", "phase 2/4, comparing", "phase 3/4, joining clusters", "phase 4/4, cleaning"]);
    for (const task of tasks) {
      const told = events.filter((event) => event.task === task);
      const total = told[0]?.total ?? 0;
      expect(told.at(-1)?.done).toBeCloseTo(total, 3);
      for (const [i, { done }] of told.entries()) expect(done).toBeGreaterThanOrEqual(told[i - 1]?.done ?? 0);
      expect(told[0]?.note).toMatch(/^web(, dedupNear)? · [\d.,]+ MB\/s$/);
      // Each file is read in chunks of a megabyte, after each of which a part of its task is done.
      if (threads === 1) expect(told.some(({ done }) => done % (total / 2) !== 0)).toBe(true);
    }
  });
});
