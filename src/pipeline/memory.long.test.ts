// Peaks of memory, in processes of their own.
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";

/** Cleans lines in a process of its own, and says how much memory that took at most. */
const program = `
const { openJob, runPhases } = await import(process.argv[1]);
const [folder, work, taskBytes] = process.argv.slice(2);
const { job } = await openJob([{ name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupLines"] }], { folder, work, taskBytes: Number(taskBytes) });
await runPhases(job, { threads: 1 });
console.log(process.resourceUsage().maxRSS);
`;

test("keys of a task take the memory that they may, however many there are", async () => {
  await withFolder(async (folder) => {
    const lines = (document: number) =>
      Array.from({ length: 100_000 }, (_, i) => String.fromCharCode(0x3400 + document, 0x4e00 + (i % 1000), 0x4e00 + Math.floor(i / 1000)));
    const documents = Array.from({ length: 100 }, (_, i) => `${JSON.stringify({ text: lines(i).join("\n") })}\n`);
    await writeFile(join(folder, "a.jsonl"), documents.join(""));
    const peak = (work: string, taskBytes: number) => {
      const args = ["--max-old-space-size=64", "--input-type=module", "-e", program, new URL("./index.js", import.meta.url).href];
      const { stdout, stderr } = spawnSync(process.execPath, [...args, folder, join(folder, work), String(taskBytes)], {
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      return 1024 * Number(stdout);
    };
    // Ten million keys of eight bytes are 80 MB.
    expect(peak("much", 2 ** 30)).toBeGreaterThan(peak("little", 2 ** 20) + 60e6);
  });
});
