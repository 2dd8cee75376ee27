// Files of steps: read once, and what they become made once, for all sources and threads.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openJob } from "./index.ts";
import { SharedStepFiles } from "./step-files.ts";

test("what a file becomes is made once and counted once, and no file's bytes stay that became something else", async () => {
  await withFolder(async (folder) => {
    await writeFile(
      join(folder, "model"),
      Uint8Array.from({ length: 1000 }, (_, i) => i),
    );
    const files = new SharedStepFiles(folder);
    let times = 0;
    const make = (bytes: Uint8Array) => {
      times++;
      const values = new Uint8Array(new SharedArrayBuffer(10)).fill(bytes[7]!);
      return { input: { values }, output: { values }, words: ["a"] };
    };
    const [one, other] = await Promise.all([files.made("model", "tens", make), files.made("./model", "tens", make)]);
    expect(one).toBe(other);
    expect([one.input.values[9], times, files.bytes, files.mostBytes]).toEqual([7, 1, 10, 1010]);
    const [bytes, again] = await Promise.all([files.read("model"), files.read("model")]);
    expect(bytes).toBe(again);
    expect([bytes.length, files.bytes, files.mostBytes]).toEqual([1000, 1010, 1010]);
    // Another thread reads nothing, and has the same memory.
    const there = new SharedStepFiles(folder, structuredClone(files.contents));
    const same = await there.made("model", "tens", make);
    same.input.values[0] = 99;
    expect([one.output.values[0], times, there.bytes]).toEqual([99, 1, 1010]);
    await expect(there.read("absent")).rejects.toThrow(/absent/);
    expect(await there.read("model")).toEqual(bytes);
  });
});

test("what steps say of their files is told with the source", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "a.jsonl"), '{"text":"one"}\n');
    await writeFile(join(folder, "t.txt"), "too short\none two three four five six seven eight\n");
    const source = { name: "web", weight: 1, paths: "a.jsonl", steps: [{ decontaminate: { tests: ["t.txt"] } }] };
    const { notes } = await openJob([source], { folder, work: join(folder, "work") });
    expect(notes).toEqual(['source "web", decontaminate: 1 of 2 items of t.txt have fewer than 8 words, and are not looked for']);
  });
});
