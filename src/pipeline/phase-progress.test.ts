// What people are told while a pipeline runs: the phase by its number and name, bytes within long tasks, and what it comes to at the end.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openJob, runPhases } from "./index.ts";

test.each([1, 2])("phases tell how far they are, within tasks too, with %i threads", async (threads) => {
  await withFolder(async (folder) => {
    // The first file is read in two chunks of a megabyte, after each of which a part of its task is done.
    const line = `${JSON.stringify({ text: "the llama sleeps.".repeat(8) })}\n`;
    await writeFile(join(folder, "a.jsonl"), line.repeat(8000));
    await writeFile(join(folder, "b.jsonl"), line);
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: [{ dedupNear: { bands: 2 } }] };
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
      // One document is left for the last phase; the first and the third have one large task each, which tells of itself before it is done.
      if (threads === 1 && task !== tasks[3]) expect(told[0]?.done).toBeLessThan(0.9 * total);
    }
  });
});
