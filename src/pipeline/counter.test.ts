// A report is the same whatever the tasks: one counter over all documents against several whose reports are added, in any order.
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { CleanDocument, type Outcome } from "../clean/index.ts";
import { changeOf } from "./change-texts.ts";
import { Counter } from "./counter.ts";
import { binOf, mostFound, reportSchema, type SourceReport } from "./report.ts";
import { joinReports, sumReports } from "./sum-reports.ts";

const rng = new Rng(6);
const documents = Array.from({ length: 300 }, (_, i) => {
  const text = `${i} `.repeat(1 + rng.below(40));
  return new CleanDocument(text, {
    id: `a#${i}`,
    ...(i % 4 === 0 && { truth: i % 8 === 0 ? "kept" : i === 4 ? "__proto__" : "first" }),
    language: i % 3 === 0 ? "de" : "en",
  });
});

/** Drops short texts, finds a number about the others, and changes some. */
function first(document: CleanDocument): Outcome {
  const { length } = document.text;
  if (length < 40) return { reason: "short", measured: length, limit: 40 };
  const found = document.withFacts({ perplexity: length / 2 });
  return length % 2 === 0 ? found : found.withText(`x${document.text}`);
}

function counted(part: readonly CleanDocument[]): SourceReport {
  const counter = new Counter(["first", "second"], new Set(["kept", "first"]));
  for (const document of part) {
    const bytes = document.text.length;
    counter.read(document, bytes);
    const outcome = first(document);
    const left = counter.step(0, document, bytes, outcome);
    if ("reason" in outcome) continue;
    if (bytes < 60) counter.near(0, document, { reason: "short", measured: bytes, limit: 40 });
    counter.step(1, outcome, left, outcome);
    counter.kept(outcome, left);
  }
  return JSON.parse(JSON.stringify(counter.report()));
}

test("tasks' reports come to that of all documents, in any order", () => {
  const whole = counted(documents);
  const parts = [documents.slice(0, 7), documents.slice(7, 160), documents.slice(160)].map(counted);
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
  ])
    expect(order.map((i) => parts[i]!).reduce(sumReports)).toEqual(whole);
  expect(whole.read.documents).toBe(300);
});

test("what of a list was found and languages are counted by documents, and very many names are counted as others", () => {
  const report = (items: readonly (readonly string[])[]) => {
    const counter = new Counter(["tests"]);
    for (const found of items) {
      counter.step(0, new CleanDocument("text"), 4, { reason: "contaminated", measured: found[0] ?? "", found });
      counter.kept(new CleanDocument("text", { language: found[0] ?? "" }), 4);
    }
    return counter.report();
  };
  const reports = [report([["a:1", "a:2"], ["a:1"]]), report([["a:2"], ["a:7"]])];
  const found = ({ steps }: SourceReport) => steps[0]?.reasons.contaminated?.found;
  expect(found(reports.reduce(sumReports))).toEqual({ "a:1": 2, "a:2": 2, "a:7": 1 });
  const many = report(Array.from({ length: mostFound + 5 }, (_, i) => [`a:${i}`]));
  expect(Object.keys(many.languages)).toHaveLength(mostFound + 1);
  expect(Object.keys(found(many) ?? {})).toHaveLength(mostFound + 1);
  expect(found(many)?.[""]).toBe(5);
  expect(found(sumReports(many, report([["b:1", "a:3"]])))).toMatchObject({ "": 6, "a:3": 2 });
});

test("names may be those of what every object has", () => {
  const names = ["constructor", "toString", "__proto__", "de"];
  const report = (languages: readonly string[]) => {
    const counter = new Counter(["words"]);
    for (const language of languages) {
      const document = new CleanDocument("text", { language });
      counter.step(0, document, 4, { reason: "blocked", found: [language] });
      counter.step(0, document, 4, { reason: "toString", measured: 1, limit: 2 });
      counter.kept(document, 4);
    }
    return reportSchema.parse(JSON.parse(JSON.stringify(counter.report())));
  };
  const { languages, steps } = sumReports(report(names), report(names));
  expect(Object.entries(languages)).toEqual([
    ["constructor", 2],
    ["toString", 2],
    ['"__proto__"', 2],
    ["de", 2],
  ]);
  expect(steps[0]?.reasons.blocked?.found).toEqual(languages);
  expect(steps[0]?.reasons.toString).toMatchObject({ documents: 8 });
});

test("examples are a sample of all, and the nearest are those nearest to the limit", () => {
  const { steps, examples, truths } = counted(documents);
  const { short } = steps[0]!.reasons;
  const dropped = documents.filter(({ text }) => text.length < 40);
  expect(short?.documents).toBe(dropped.length);
  expect(short?.nearest.map(({ measured }) => measured)).toEqual(
    dropped
      .map(({ text }) => text.length)
      .sort((a, b) => b - a)
      .slice(0, 3),
  );
  const barely = documents.map(({ text }) => text.length).filter((length) => length >= 40 && length < 60);
  expect(steps[0]!.barely.short?.map(({ measured }) => measured)).toEqual(barely.sort((a, b) => a - b).slice(0, 3));
  const numbers = (short?.examples ?? []).map(({ id }) => Number(id.slice(2)));
  expect(new Set(numbers).size).toBe(5);
  expect(Math.max(...numbers)).toBeGreaterThan(50); // The first five would all be below twenty or so.
  expect(examples).toHaveLength(5);
  const found = documents.filter(({ text }) => text.length >= 40).map(({ text }) => text.length / 2);
  const { values } = steps[0]!;
  expect(values?.fact).toBe("perplexity");
  expect(values?.least.map(({ measured }) => measured)).toEqual(found.sort((a, b) => a - b).slice(0, 3));
  expect(values?.greatest.map(({ measured }) => measured)).toEqual(found.slice(-3).reverse());
  expect(Object.values(values?.kept ?? {}).reduce((a, b) => a + b)).toBe(found.length);
  expect(
    Object.values(truths)
      .flatMap((counts) => Object.values(counts))
      .reduce((a, b) => a + b),
  ).toBe(74);
  expect(counted(documents).strayTruths).toEqual({ documents: 1, example: "__proto__" });
});

test("what several passes keep is counted once, by the last", () => {
  const passes = [counted(documents), counted(documents.slice(0, 100))];
  const joined = joinReports(passes);
  expect(joined.steps.map(({ name }) => name)).toEqual(["first", "second", "first", "second"]);
  expect(joined.truths.kept?.kept).toBe(passes[1]!.truths.kept?.kept);
  expect(joined.truths.kept?.["first.short"]).toBe(
    (passes[0]!.truths.kept?.["first.short"] ?? 0) + (passes[1]!.truths.kept?.["first.short"] ?? 0),
  );
});

test("a change is shown from some lines in front of it on", () => {
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i} of a long text`);
  const { before, after } = changeOf(lines.join("\n"), lines.filter((_, i) => i !== 150).join("\n"));
  for (const text of [before, after]) {
    expect(text).toMatch(/^…line 14\d of/);
    expect(text.length).toBeLessThan(700);
  }
  expect(before).toContain("line 150 ");
  expect(after).not.toContain("line 150 ");
  expect(changeOf("a b", "a c")).toEqual({ before: "a b", after: "a c" });
  expect(changeOf(`${"𝛼".repeat(300)}b`, `${"𝛼".repeat(300)}c`).before).toMatch(/^…𝛼+b$/u);
});

test("bins are fiftieths up to 1, and quarters of octaves above", () => {
  expect([0, 0.019, 0.5, 0.999, 1].map(binOf)).toEqual(["0", "0", "0.5", "0.98", "1"]);
  expect([1.1, 2, 2.2, 2.4, 1000].map(binOf)).toEqual(["1.000", "2.000", "2.000", "2.378", "861.1"]);
});
