// Perplexity by percentiles of the source itself: the same as measuring first and deciding then, whatever the parts, threads, machines and stops.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { CleanDocument, type Measure, MeasureSample, openMeter, percentilesOf, type StatisticStep, samplePlace } from "../clean/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { filesFrom, openJob, openSources, phasesOf, runPhases } from "./index.ts";
import { blockMeasures, MeasureReader, SampleMeter, WrittenMeasures } from "./measures.ts";
import { fileOf } from "./phases.ts";

const words = "llama water hill stone grass night morning shepherd".split(" ");

/** A model in which each word is half as likely as the one before. */
const arpa = [
  ...["\\data\\", `ngram 1=${words.length + 3}`, "ngram 2=0", "\\1-grams:", "-3\t<unk>", "-2\t<s>", "-0.5\t</s>"],
  ...words.map((word, i) => `${(-0.3 * (i + 1)).toFixed(2)}\t${word}`),
  ...["\\2-grams:", "\\end\\", ""],
].join("\n");

const languages = ["en", "de", undefined] as const;

async function writeSource(folder: string): Promise<readonly { text: string; language: string | undefined }[]> {
  const rng = new Rng(3);
  const documents = Array.from({ length: 900 }, (_, i) => {
    const hardest = 1 + rng.below(words.length);
    const text = Array.from({ length: 5 + rng.below(20) }, () => words[rng.below(hardest)] ?? "").join(" ");
    return { text, language: languages[i % 3] };
  });
  await writeFile(join(folder, "m.arpa"), arpa);
  await writeFile(join(folder, "a.jsonl"), documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
  return documents;
}

const step = { model: "m.arpa", cutoffs: "sampled", share: 0.5, mostSampled: 350 };
const files = /jsonl$|measures$|summary\.json$/;

async function jobIn(folder: string, work: string, perplexity: object = step, stretchBytes = 25_000) {
  const source = { name: "web", weight: 1, paths: "*.jsonl", steps: [{ perplexity }] };
  return (await openJob([source], { folder, work: join(folder, work), stretchBytes })).job;
}

/** The texts and facts of the last pass, without the places of documents in their parts. */
async function keptBy(folder: string, work: string, pass: string): Promise<unknown[]> {
  const [id = ""] = await readdir(join(folder, work, "web"));
  const place = join(folder, work, "web", id, pass, "000");
  const names = (await readdir(place)).filter((name) => name.endsWith(".jsonl")).sort();
  const lines = (await Promise.all(names.map((name) => readFile(join(place, name), "utf8")))).join("").split("\n").filter(Boolean);
  return lines.map((line) => {
    const { text, facts } = JSON.parse(line);
    return { text, facts: { ...facts, id: undefined } };
  });
}

async function contents(folder: string): Promise<Record<string, string>> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => files.test(path)).sort();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), "base64")])));
}

test("a sample of the source says the cutoffs, as measuring first and deciding then does", async () => {
  await withFolder(async (folder) => {
    const documents = await writeSource(folder);
    const job = await jobIn(folder, "work");
    expect(phasesOf(await openSources(job)).map(({ kind, tasks }) => [kind, tasks.length > 1])).toEqual([
      ["pass", true],
      ["summarise", false],
      ["pass", true],
    ]);
    await runPhases(job, { threads: 2 });

    const meter = await openMeter({ model: "m.arpa", normalise: true, lineEnds: "sentences" }, filesFrom(folder));
    const sample = new MeasureSample(step.mostSampled);
    for (const { text, language = "" } of documents)
      if (samplePlace(text) < step.share) sample.add({ place: samplePlace(text), value: meter.measure(text), group: language });
    const found = percentilesOf(sample.groups(), meter.mark);
    expect(found.documents).toBe(350);
    expect(Object.keys(found.languages ?? {})).toEqual(["de", "en"]);
    expect(JSON.parse(await readFile(fileOf(job, { kind: "summarise", stage: 0 }, job.sources[0]!, 0), "utf8")).content).toEqual(found);
    await writeFile(join(folder, "cutoffs.json"), JSON.stringify(found));
    await runPhases(await jobIn(folder, "apart", { model: "m.arpa", cutoffs: "cutoffs.json" }, 1 << 20), { threads: 1 });
    const kept = await keptBy(folder, "work", "pass-1");
    expect(kept).toEqual(await keptBy(folder, "apart", "pass-0"));
    expect(kept.length / documents.length).toBeCloseTo(0.6, 1);

    await runPhases(await jobIn(folder, "parts", step, 1 << 20), { threads: 1 });
    expect(await keptBy(folder, "parts", "pass-1")).toEqual(kept);
  });
});

test("machines and stops change no byte of it", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder);
    const job = await jobIn(folder, "work");
    await runPhases(job, { threads: 1 });
    const whole = await contents(join(folder, "work"));
    expect(Object.keys(whole).length).toBeGreaterThan(8);
    const shared = await jobIn(folder, "shared");
    for (const phase of [0, 1, 2]) for (const index of [1, 0]) await runPhases(shared, { phase, shard: { index, count: 2 }, threads: 1 });
    expect(await contents(join(folder, "shared"))).toEqual(whole);
    const rng = new Rng(5);
    for (const name of Object.keys(whole)) if (/jsonl$|summary/.test(name) && rng.below(2) === 0) await rm(join(folder, "work", name));
    await runPhases(job, { threads: 1 });
    expect(await contents(join(folder, "work"))).toEqual(whole);
    const [measures] = Object.keys(whole).filter((name) => name.endsWith(".measures"));
    await writeFile(join(folder, "work", measures!), "cut short");
    await rm(fileOf(job, { kind: "summarise", stage: 0 }, job.sources[0]!, 0));
    await expect(runPhases(job, { threads: 1 })).rejects.toThrow(
      /\.measures: it does not hold what its task writes: remove \S+\.jsonl, and run the command again/,
    );
  });
});

test("each document is measured once, in the first pass or in the second", async () => {
  await withFolder(async (folder) => {
    const measured: string[] = [];
    const counting: StatisticStep = {
      share: 0.4,
      mostMeasures: 10,
      groupOf: ({ text }) => (text.startsWith("no ") ? undefined : text.slice(0, 1)),
      measure({ text }) {
        measured.push(text);
        return text.length;
      },
      summarise: (groups) => [...groups.keys()],
      decider: () => (document) => document,
    };
    const documents = Array.from({ length: 1200 }, (_, i) => new CleanDocument(`${i % 5 === 0 ? "no " : ""}${"ä字xyz"[i % 5]} ${i ** 3}`));
    await using meter = await SampleMeter.open(counting, join(folder, "m"));
    for (const document of documents) await meter.add(document);
    const first = measured.length;
    await meter.finish();
    const reader = new MeasureReader(counting, await WrittenMeasures.open(join(folder, "m")));
    for (const document of documents)
      expect(reader.next(document)).toBe(document.text.startsWith("no ") ? undefined : document.text.length);
    const measuredOnce = [...measured];
    reader.end();
    const other = new MeasureReader(counting, await WrittenMeasures.open(join(folder, "m")));
    for (const document of documents.slice(0, 600)) other.next(document);
    expect(() => other.end()).toThrow(
      new RegExp(`/m: it has measures of ${first} documents of a task, which has \\d+ in the sample: files of different runs`),
    );
    for (const document of documents.slice(600)) other.next(document);
    expect(() => documents.map((document) => other.next(document))).toThrow(/which has more in the sample/);
    expect(measuredOnce.length).toBe(960);
    expect(new Set(measuredOnce).size).toBe(960);
    const written = await WrittenMeasures.open(join(folder, "m"));
    expect(written.count).toBe(first);
    expect(new Set(Array.from({ length: first }, () => written.take().group))).toEqual(new Set(["字", "x", "y", "z"]));
  });
});

test("however many documents there are, memory holds a block of their measures, and twice the sample", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "m");
    const step = {
      share: 1,
      groupOf: ({ text }: CleanDocument) => text.slice(0, 1),
      measure: ({ text }: CleanDocument) => Number(text.slice(1)),
    };
    const all = 3 * blockMeasures + 5;
    let [blocks, most] = [0, 0];
    await using meter = await SampleMeter.open(
      { ...step, mostMeasures: 1, summarise: () => null, decider: () => (document) => document },
      path,
    );
    for (let i = 0; i < all; i++) {
      const written = meter.add(new CleanDocument(`${i % 7}${i}`));
      if (written !== undefined) blocks++;
      await written;
    }
    await meter.finish();
    expect(blocks).toBe(3);
    const [measures, sample] = [await WrittenMeasures.open(path), new MeasureSample(300)];
    const found: Measure[] = [];
    while (measures.left > 0) {
      found.push(measures.take());
      sample.add(found.at(-1)!);
      most = Math.max(most, sample.held);
    }
    expect(most).toBe(599);
    expect(found.map(({ value, group }) => `${group}${value}`)).toEqual(Array.from({ length: all }, (_, i) => `${i % 7}${i}`));
    const least = found.sort((a, b) => a.place - b.place).slice(0, 300);
    for (const [group, values] of sample.groups())
      expect([...values]).toEqual(least.filter((one) => one.group === group).map(({ value }) => value));
  });
});
