// A pipeline against a plain loop over all documents in memory: the same documents stay, whatever the parts, threads, machines and stops.
import fs from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { CleanDocument, isDropped, openStages } from "../clean/index.ts";
import { writeCheckedJson } from "../files/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { joinLists } from "./clusters.test.helper.ts";
import { cleanedTexts, openJob, openSources, type PipelineJob, phasesOf, runPhases } from "./index.ts";
import { checkDoneBefore } from "./open-tasks.ts";
import { clustersFileOf, fileOf } from "./phases.ts";

const steps = [
  { c4Quality: { minSentences: 1, minWords: 2 } },
  "dedupDocuments",
  { finewebQuality: { maxShortLines: 1, maxLinesPerWord: 1 } },
  "dedupLines",
];

/** Documents of a few lines, many of which stand elsewhere too. */
function someDocuments(seed: number, count: number): string[] {
  const rng = new Rng(seed);
  // Letters, because CCNet's comparison of lines takes every digit for 0.
  const number = () =>
    (rng.below(3) === 0 ? rng.below(9) : rng.below(1e6)).toString().replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "");
  const line = () => `line ${number()} of llamas${rng.below(8) === 0 ? "" : "."}`;
  const documents: string[] = [];
  while (documents.length < count) {
    const earlier = documents[rng.below(5 * documents.length + 1)];
    documents.push(earlier ?? Array.from({ length: 1 + rng.below(5) }, line).join("\n"));
  }
  return documents;
}

/** The same steps one after another over a list. */
async function inMemory(documents: readonly string[]): Promise<string[]> {
  let left = documents.map((text) => new CleanDocument(text));
  for (const { before, chain } of await openStages(steps)) {
    if (before?.row.name === "dedupLines") {
      const seen = new Set<string>();
      const isNew = (line: string) => !seen.has(line) && seen.add(line).has(line);
      left = left
        .map((document) => document.withText(document.text.split("\n").filter(isNew).join("\n")))
        .filter(({ text }) => text !== "");
    } else if (before !== undefined) left = left.filter(({ text }, i) => left.findIndex((other) => other.text === text) === i);
    left = left.flatMap((document) => {
      const { outcome } = chain.apply(document);
      return isDropped(outcome) ? [] : [outcome];
    });
  }
  return left.map(({ text }) => text);
}

async function writeSource(folder: string, documents: readonly string[]): Promise<void> {
  const lines = documents.map((text) => `${JSON.stringify({ text })}\n`);
  await writeFile(join(folder, "a.jsonl"), lines.slice(0, 150).join(""));
  await writeFile(join(folder, "b.jsonl"), lines.slice(150).join(""));
}

async function jobIn(folder: string, work: string, stretchBytes = 2000) {
  const source = { name: "web", weight: 1, paths: "*.jsonl", steps };
  return (await openJob([source], { folder, work: join(folder, work), stretchBytes })).job;
}

async function textsOf(job: Awaited<ReturnType<typeof jobIn>>): Promise<string[]> {
  const [cleaned] = await cleanedTexts(job);
  const files = await Promise.all((cleaned?.files ?? []).map((file) => readFile(file, "utf8")));
  return files
    .join("")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).text);
}

/** All files of a finished job with their contents, but for times. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && !entry.name.endsWith(".times.json"),
  );
  const paths = names.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(folder.length), await readFile(path, "base64")])));
}

test("what stays is what a loop in memory leaves, for any parts and threads", async () => {
  await withFolder(async (folder) => {
    const documents = someDocuments(1, 400);
    await writeSource(folder, documents);
    const expected = await inMemory(documents);
    expect(expected.length).toBeGreaterThan(3);
    for (const [work, stretchBytes, threads] of [
      ["one", 1 << 20, 1],
      ["many", 1500, 1],
      ["threads", 3000, 2],
    ] as const) {
      const job = await jobIn(folder, work, stretchBytes);
      await runPhases(job, { threads });
      expect(await textsOf(job)).toEqual(expected);
      const [cleaned] = await cleanedTexts(job);
      expect(cleaned?.report.read.documents).toBe(400);
      expect(cleaned?.report.kept.documents).toBe(expected.length);
      expect(cleaned?.report.steps.map(({ name }) => name)).toEqual(["c4Quality", "dedupDocuments", "finewebQuality", "dedupLines"]);
      for (const step of cleaned?.report.steps ?? []) {
        const dropped = Object.values(step.reasons).reduce((sum, reason) => sum + reason.documents, 0);
        expect(step.in.documents).toBe(step.out.documents + dropped);
      }
    }
  });
});

test("where no copy of a line stays, groups of parts are compared each by itself, and never all of a source", async () => {
  await withFolder(async (folder) => {
    const files = ["a\nboth", "b\nlate", "b\nc", "both\nlate", "d\nlate"];
    for (const [i, text] of files.entries()) await writeFile(join(folder, `${i}.txt`), text);
    const left = async (work: string, dedupLines: object) => {
      const source = { name: "web", weight: 1, paths: "*.txt", steps: [{ dedupLines }] };
      const { job } = await openJob([source], { folder, work: join(folder, work) });
      await runPhases(job);
      return textsOf(job);
    };
    expect(await left("two", { keep: "none", groups: 2 })).toEqual(["a\nboth", "late", "c", "both", "d"]);
    expect(await left("usual", { keep: "none" })).toEqual(files); // a group for each part, as there are fewer than 33
    expect(await left("first", {})).toEqual(["a\nboth", "b\nlate", "c", "d"]);
    await expect(left("all", { keep: "none", groups: 1 })).rejects.toThrow(
      /dedupLines: groups is 1: no copy of a line would stay in all of the source, .*say keep: first/,
    );
  });
});

test("machines that share the work make the same bytes as one, phase by phase", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(2, 300));
    const [alone, shared] = [await jobIn(folder, "alone"), await jobIn(folder, "shared")];
    await runPhases(alone);
    await expect(runPhases(shared, { phase: 1 })).rejects.toThrow(/phase 1 needs phase 0, of which \d+ of \d+ tasks are not done/);
    await expect(runPhases(shared, { shard: { index: 0, count: 3 } })).rejects.toThrow(/name the phase/);
    for (const phase of phasesOf(await openSources(shared)).keys())
      for (const index of [2, 0, 1]) await runPhases(shared, { phase, shard: { index, count: 3 } });
    expect(await contents(join(folder, "shared"))).toEqual(await contents(join(folder, "alone")));
  });
});

test("a machine that finds another one's first tasks when it begins takes them for the work, not for somebody else's files", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(8, 100));
    const { readdir: list } = fs.promises;
    let haveOthersBegun = false;
    const begun = async () => runPhases(await jobIn(folder, "work"), { phase: 0, shard: { index: 0, count: 2 }, threads: 1 });
    const whileOthersBegin = async (path: string, ...more: never[]) => {
      const isFirst = path === join(folder, "work") && !haveOthersBegun;
      haveOthersBegun ||= isFirst;
      if (isFirst) await begun();
      return (list as (path: string, ...more: never[]) => Promise<string[]>)(path, ...more);
    };
    Object.assign(fs.promises, { readdir: whileOthersBegin });
    syncBuiltinESMExports();
    try {
      await runPhases(await jobIn(folder, "work"), { phase: 0, threads: 1 });
    } finally {
      Object.assign(fs.promises, { readdir: list });
      syncBuiltinESMExports();
    }
    expect(haveOthersBegun).toBe(true);
    await runPhases(await jobIn(folder, "alone"), { phase: 0, threads: 1 });
    expect(await contents(join(folder, "work"))).toEqual(await contents(join(folder, "alone")));
  });
});

test("a phase waits as long as the listing of another machine's work may be old", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(7, 200));
    const job = await jobIn(folder, "work");
    const sources = await openSources(job);
    const phases = phasesOf(sources);
    const waits: number[] = [];
    const otherMachine = async (milliseconds: number) => {
      waits.push(milliseconds);
      if (waits.length === 3) await runPhases(job, { phase: 0, threads: 1 });
    };
    await checkDoneBefore({ job, sources, patience: { listAge: 60, wait: otherMachine } }, phases, 1, [0]);
    expect(waits).toEqual([5000, 5000, 5000]);
    const refused = checkDoneBefore({ job, sources, patience: { listAge: 12, wait: otherMachine } }, phases, 2, [0]);
    await expect(refused).rejects.toThrow(/phase 2 needs phase 1/);
    expect(waits.slice(3)).toEqual([5000, 5000, 2000]);
  });
});

test("a machine of many takes the files that were found when the work was begun, and hears what changed since", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(6, 200));
    const begun = await jobIn(folder, "work");
    const source = { name: "web", weight: 1, paths: "*.jsonl", steps };
    const open = (one: typeof source) => openJob([one], { folder, work: join(folder, "work"), isOneOfMany: true });
    await writeFile(join(folder, "c.jsonl"), '{"text":"a later file"}\n');
    expect((await open(source)).job).toEqual(begun); // The size of parts is that of the work, too.
    await expect(open({ ...source, paths: "a.jsonl" })).rejects.toThrow(/the paths of source "web" changed since it was begun/);
    await expect(open({ ...source, steps: ["dedupLines"] })).rejects.toThrow(/the steps of source "web" changed since it was begun/);
    await rm(join(folder, "c.jsonl"));
    await writeFile(join(folder, "b.jsonl"), '{"text":"x"}\n');
    const { job } = await open(source);
    await expect(runPhases(job, { phase: 0, shard: { index: 0, count: 1 } })).rejects.toThrow(
      /b\.jsonl: it has 13 bytes of \S+, but had \d+ of \S+ when the work was begun: bring it back, or begin by the changed file/,
    );
  });
});

test("what a stop left undone is done again to the same bytes", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(3, 300));
    const job = await jobIn(folder, "work");
    await runPhases(job);
    const whole = await contents(join(folder, "work"));
    const rng = new Rng(4);
    for (const name of Object.keys(whole))
      if (name !== "/plan.json" && rng.below(3) === 0 && /jsonl$|marks$|compared$/.test(name)) await rm(join(folder, "work", name));
    await runPhases(await jobIn(folder, "work"));
    expect(await contents(join(folder, "work"))).toEqual(whole);
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    const first = join(folder, "work", "web", job.sources[0]!.id, "pass-0");
    await rm(first, { recursive: true });
    await expect(runPhases(job, { signal: stop.signal })).rejects.toThrow("stopped");
    let asked = 0;
    const later = new AbortController().signal;
    later.throwIfAborted = () => {
      if (++asked > 5) throw new Error("stopped later");
    };
    await expect(runPhases(job, { signal: later, threads: 1 })).rejects.toThrow("stopped later");
    expect(asked).toBe(7); // Once for the task, five times for its documents, and once more to tell a stop from a failure.
    expect(await readdir(join(first, "000"))).toEqual([]);
  });
});

test("a folder whose work is cut or decided in another way, or that is somebody else's, is refused with what differs", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder, someDocuments(5, 200));
    await jobIn(folder, "work");
    const plan = join(folder, "work", "plan.json");
    const written = await readFile(plan, "utf8");
    await writeCheckedJson(plan, { ...JSON.parse(written).content, rules: 1 });
    await expect(jobIn(folder, "work")).rejects.toThrow(
      /steps decide by version \d+ of their rules, but it was begun by version 1: undo that, or remove the folder/,
    );
    await writeFile(plan, written);
    await expect(jobIn(folder, "work", 3000)).rejects.toThrow(/files are cut into parts of 3 kB, but were cut into 2 kB when it was begun/);
    await mkdir(join(folder, "theirs"));
    await writeFile(join(folder, "theirs", "letter.txt"), "dear");
    await expect(jobIn(folder, "theirs")).rejects.toThrow(/theirs holds letter\.txt, but is to be the folder of intermediate files/);
    const wrong = openJob([{ name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupLine"] }], { folder, work: join(folder, "work") });
    await expect(wrong).rejects.toThrow(/source "web": steps\[0\]: "dedupLine" is no step, did you mean "dedupLines"/);
  });
});

test("near-duplicates go, and others stay: planted ones are found as often as the theory says", async () => {
  await withFolder(async (folder) => {
    const rng = new Rng(9);
    const word = () => rng.below(50_000).toString(36);
    const originals = Array.from({ length: 120 }, () => Array.from({ length: 120 }, word));
    // A copy with some words changed: each changed word takes five n-grams of 116 along.
    const changed = (words: readonly string[], count: number) => words.map((one, i) => (i % 24 === 7 && i / 24 < count ? word() : one));
    const near = originals.slice(0, 60).map((words) => changed(words, 1)); // similarity 111 / 121
    const far = originals.slice(60).map((words) => words.map((one, i) => (i % 8 === 3 ? word() : one))); // few n-grams in common
    const documents = [...originals, ...near, ...far, originals[0]!].map((words) => words.join(" "));
    await writeFile(join(folder, "a.jsonl"), documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const kept: string[][] = [];
    const jobs: PipelineJob[] = [];
    for (const [work, stretchBytes] of [
      ["one", 1 << 20],
      ["many", 20_000],
    ] as const) {
      const source = { name: "web", weight: 1, paths: "*.jsonl", steps: ["dedupNear"] };
      const { job } = await openJob([source], { folder, work: join(folder, work), stretchBytes });
      expect(phasesOf(await openSources(job)).map(({ kind }) => kind)).toEqual(["pass", "compare", "join", "pass"]);
      jobs.push(job);
      await runPhases(job);
      kept.push(await textsOf(job));
    }
    expect(kept[1]).toEqual(kept[0]);
    const isKept = (words: readonly string[]) => kept[0]!.includes(words.join(" "));
    expect(originals.every(isKept)).toBe(true);
    expect(far.filter(isKept).length).toBe(60);
    // 1 - (1 - s^8)^14 for s = 111 / 121 is 0.9999.
    expect(near.filter(isKept).length).toBe(0);
    expect(kept[0]!.length).toBe(180);
    const clusters = JSON.parse(
      await readFile(clustersFileOf(fileOf(jobs[0]!, { kind: "join", stage: 0 }, jobs[0]!.sources[0]!, 0)), "utf8"),
    );
    expect(clusters.content).toMatchObject({
      copies: 61,
      sizes: { 2: 59, 3: 1 },
      largest: expect.arrayContaining([
        {
          documents: 3,
          members: [
            [0, 0],
            [0, 120],
            [0, 240],
          ],
        },
      ]),
      leftApart: 0,
    });
  });
});

test("of long texts with small changes the first stays, by fingerprints", async () => {
  await withFolder(async (folder) => {
    const rng = new Rng(16);
    const word = () => rng.uint32().toString(36);
    const books = Array.from({ length: 12 }, () => Array.from({ length: 3000 }, word));
    const editions = books.slice(0, 8).map((words) => words.map((one, i) => (i % 1500 === 7 ? word() : one)));
    const documents = [...books, ...editions].map((words) => words.join(" "));
    await writeFile(join(folder, "a.jsonl"), documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    for (const [work, stretchBytes] of [
      ["one", 1 << 24],
      ["many", 50_000],
    ] as const) {
      const { job } = await openJob([{ name: "books", weight: 1, paths: "*.jsonl", steps: ["dedupSimhash"] }], {
        ...{ folder, work: join(folder, work), stretchBytes },
      });
      await runPhases(job);
      expect(await textsOf(job)).toEqual(documents.slice(0, 12));
    }
  });
});

test("a cluster grows to what it may have, and what is left apart is told", async () => {
  const chain = Array.from({ length: 9 }, (_, i) => [10 + i, 11 + i]).flat();
  const all = await joinLists([...chain, 3, 7], 100);
  expect(all.list).toEqual([7, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  expect(all).toMatchObject({
    largest: [
      { documents: 10, members: [10, 11, 12, 13, 14] },
      { documents: 2, members: [3, 7] },
    ],
    leftApart: 0,
  });
  const capped = await joinLists(chain, 4);
  expect(capped).toMatchObject({
    largest: [
      { documents: 4, members: [10, 11, 12, 13] },
      { documents: 4, members: [14, 15, 16, 17] },
      { documents: 2, members: [18, 19] },
    ],
    leftApart: 2,
  });
});

test("pages without main content are read whole and counted, and a source may ask for whole pages", async () => {
  await withFolder(async (folder) => {
    const words = "Words of a text that is long enough, with commas, to be the main content of its page. ".repeat(3).trim();
    await writeFile(join(folder, "a.html"), `<div class="menu"><a href="/">Menu</a></div><div class="text"><p>${words}</p></div>`);
    await writeFile(join(folder, "b.html"), `<p>${words}</p>${"<b>".repeat(200)}`);
    const sources = [undefined, "whole" as const].map((content) => ({
      name: content ?? "main",
      weight: 1,
      paths: "*.html",
      content,
      steps: [],
    }));
    const { job } = await openJob(sources, { folder, work: join(folder, "work") });
    await runPhases(job, { threads: 1 });
    const [main, whole] = await cleanedTexts(job);
    const texts = async (files: readonly string[] = []) =>
      (await Promise.all(files.map((file) => readFile(file, "utf8"))))
        .join("")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).text);
    expect(await texts(main?.files)).toEqual([`${words}\n`, `${words}\n`]);
    expect(await texts(whole?.files)).toEqual([`Menu\n\n${words}\n`, `${words}\n`]);
    const what = "page of elements too deep in each other for a search of main content";
    expect(main?.report.notes).toEqual([{ kind: "read whole", what, place: expect.stringMatching(/b\.html$/), count: 1 }]);
    expect(whole?.report.notes).toEqual([]);
  });
});

test("what a dump has beside documents is counted, part by part, and facts go along", async () => {
  await withFolder(async (folder) => {
    const record = (type: string, content: string, length = content.length) =>
      `WARC/1.0\r\nWARC-Type: ${type}\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: ${length}\r\n\r\n${content}\r\n\r\n`;
    const wet = [
      record("warcinfo", "x: y"),
      record("conversion", "a llama"),
      record("conversion", "cut", 9),
      record("conversion", "another"),
    ];
    for (const name of ["a.wet", "b.wet"]) await writeFile(join(folder, name), wet.join(""));
    const source = { name: "web", weight: 1, paths: "*.wet", steps: [] };
    const { job } = await openJob([source], { folder, work: join(folder, "work") });
    await runPhases(job, { threads: 1 });
    const [cleaned] = await cleanedTexts(job);
    expect(cleaned?.report.notes).toEqual([
      { kind: "left out", what: "record of type warcinfo", place: expect.stringMatching(/a\.wet: byte 0$/), count: 2 },
      { kind: "damaged", what: "record whose length is wrong", place: expect.stringMatching(/a\.wet: byte \d+$/), count: 2 },
    ]);
    const lines = (await Promise.all((cleaned?.files ?? []).map((file) => readFile(file, "utf8")))).join("").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(
      ["a.wet#0", "a.wet#1", "b.wet#0", "b.wet#1"].map((id, i) => ({
        text: i % 2 === 0 ? "a llama" : "another",
        facts: { url: "http://a.example/", id: expect.stringContaining(id) },
      })),
    );
  });
});
