// Small files taken together: every file once and in order, no part larger than asked, and the documents of a stream.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import type { TextPart } from "../corpus/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { cleanedTexts, openJob, runPhases, streamSource } from "./index.ts";
import { filesOfPart, gatherParts } from "./job-parts.ts";

test("every file and every stretch is in one part, in order, and parts are neither too large nor too few", () => {
  const rng = new Rng(8);
  for (let round = 0; round < 50; round++) {
    const parts: TextPart[] = [];
    for (let file = 0, files = 1 + rng.below(600); file < files; file++)
      if (round % 2 === 0 || rng.below(9) > 0) parts.push({ file, bytes: rng.below(50) });
      else for (let stretch = 0; stretch < 3; stretch++) parts.push({ file, stretch, bytes: 1000 });
    const gathered = gatherParts(parts, 900);
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(gathered.flatMap((part) => filesOfPart(part).map((file) => [file, part.stretch]))).toEqual(
      parts.map(({ file, stretch }) => [file, stretch]),
    );
    expect(gathered.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total);
    for (const part of gathered) if (part.end !== undefined) expect(part.bytes).toBeLessThanOrEqual(900);
    expect(gathered.length).toBeGreaterThanOrEqual(Math.min(64, parts.length));
    if (parts.every(({ stretch }) => stretch === undefined)) expect(gathered.length).toBeLessThan(130);
  }
});

test("documents of many small files are those of a stream, with their files and numbers", async () => {
  await withFolder(async (folder) => {
    for (let i = 0; i < 200; i++) {
      const texts = Array.from({ length: i % 4 }, (_, k) => `llama ${i % 50} ${k}`);
      await writeFile(join(folder, `${i}.jsonl`), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    }
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps: [{ length: { minCharacters: 9 } }] };
    const { job, sources } = await openJob([source], { folder, work: join(folder, "work") });
    expect(job.sources[0]?.parts.length).toBeLessThan(100);
    await runPhases(job, {}, sources);
    const [cleaned] = await cleanedTexts(job, sources);
    const lines = (await Promise.all((cleaned?.files ?? []).map((path) => readFile(path, "utf8")))).join("").split("\n").filter(Boolean);
    const streamed: object[] = [];
    for await (const { text, facts } of streamSource(source, { folder })) streamed.push({ text, facts });
    expect(lines.map((line) => JSON.parse(line))).toEqual(streamed);
    expect(streamed.length).toBeGreaterThan(200);
  });
});
