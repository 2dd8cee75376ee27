import { expect, test } from "vitest";
import { z } from "zod";
import {
  CleanDocument,
  corpusStepRows,
  isDropped,
  isStatisticStep,
  KeyList,
  openStages,
  type Step,
  type StepRow,
  stepRow,
  stepRows,
} from "./index.ts";

const shout = stepRow({
  name: "shout",
  summary: "writes in capitals",
  source: "this test",
  deeds: ["rewrites"],
  reasons: { silent: "has no letter" },
  parameters: z.strictObject({ times: z.number().default(1) }),
  open: ({ times }) => ({
    apply: (document) =>
      /\p{L}/u.test(document.text) ? document.withText(document.text.toUpperCase().repeat(times)) : { reason: "silent" },
  }),
});

test("a document goes through the steps until one drops it, and every outcome is told", async () => {
  const stages = await openStages([{ shout: { times: 2 } }, "c4Paragraphs", "shout"], { rows: [...stepRows, shout] });
  expect(stages).toHaveLength(1);
  const passage = stages[0]!.chain.apply(new CleanDocument("llama"));
  expect(passage.outcomes.map((outcome) => (isDropped(outcome) ? outcome.reason : outcome.text))).toEqual(["LLAMALLAMA", "fewParagraphs"]);
  expect(passage.outcome).toEqual({ reason: "fewParagraphs", measured: 0, limit: 3 });
});

test.each([
  ["nothing", () => undefined, "the step mine gives no outcome but undefined: return the document"],
  ["a promise", async (document: CleanDocument) => document, "the step mine gives no outcome but [object Promise]"],
  [
    "an unknown reason",
    () => ({ reason: "constructor" }),
    'the step mine drops a document by the reason "constructor", but its reasons are short: add',
  ],
  ["no number", () => ({ reason: "short", measured: 0 / 0 }), 'the step mine gives NaN for "measured", but it must be a finite number'],
  ["an endless fact", (document: CleanDocument) => document.withFacts({ score: 1 / 0 }), 'the step mine gives Infinity for "score"'],
])("what a step of one's own gives is refused by name: %s", async (_, apply, message) => {
  const row: StepRow = { ...shout, name: "mine", reasons: { short: "is short" }, open: () => ({ apply: apply as Step["apply"] }) };
  const [stage] = await openStages(["mine"], { rows: [row] });
  expect(() => stage!.chain.apply(new CleanDocument("llama"))).toThrow(message);
});

test("a step over all documents stands between two passes", async () => {
  const stages = await openStages(["c4Paragraphs", "dedupLines", { dedupDocuments: { keep: "none" } }, "gopherQuality"]);
  const names = stages.map(({ before, chain, behind }) => [before?.row.name, chain.steps.map(({ row }) => row.name), behind?.row.name]);
  expect(names).toEqual([
    [undefined, ["c4Paragraphs"], "dedupLines"],
    ["dedupLines", [], "dedupDocuments"],
    ["dedupDocuments", ["gopherQuality"], undefined],
  ]);
  expect(stages[2]?.before?.step).toMatchObject({ marks: "every copy" });
});

test("keys of lines do not see what CCNet's do not see", async () => {
  const step = (await openStages(["dedupLines"]))[0]!.behind!.step;
  if (isStatisticStep(step)) throw new Error("lines have keys");
  const keysOf = (text: string) => {
    const keys = new KeyList();
    step.addKeys(new CleanDocument(text), keys);
    return Array.from({ length: keys.count }, (_, i) => keys.halves.slice(2 * i, 2 * i + 2).join());
  };
  const [llama, , empty, other, spaced] = keysOf(" Llama 42… \nx\n\nllama 43\nllama43");
  expect(other).toBe(llama);
  expect(new Set([llama, empty, spaced]).size).toBe(3);
  expect(keysOf("ΟΔΟΣ")).toEqual(keysOf("οδος"));
  expect(keysOf("\u{1d7d8}a")).toEqual(keysOf("0A")); // a digit beyond U+FFFF
});

test.each([
  [["gopherQualty"], '[data] r.yaml: steps[0]: "gopherQualty" is no step, did you mean "gopherQuality"?'],
  [[{ gopherQuality: { minWord: 3 } }], /steps\[0\]\.gopherQuality: unknown key "minWord".*minWords/],
  [[{ c4Quality: { minWords: "3" } }], /steps\[0\]\.c4Quality: minWords is "3": it must be a finite number/],
  [[{ shout: {}, whisper: {} }], /steps\[0\] has 2 keys/],
  [[{}], /steps\[0\] has 0 keys/],
  [{ gopherQuality: {} }, /it must be a list/],
])("entries that are wrong are named: %j", async (entries, message) => {
  await expect(openStages(entries, { name: "r.yaml" })).rejects.toThrow(message);
});

const filesOf = (name: string) =>
  ({
    language: { model: "m.ftz" },
    perplexity: { model: "m.arpa" },
    blockWords: { list: "l" },
    classifier: { model: "m", label: "l" },
    decontaminate: { tests: ["t"] },
  })[name] ?? {};

test("every row has a sentence for each parameter, and defaults for all", () => {
  for (const row of [...stepRows, ...corpusStepRows]) {
    // Only the path of a file has no default.
    expect(row.parameters.parse("files" in row && row.files !== undefined ? filesOf(row.name) : {})).toBeTypeOf("object");
    if (row.parameters instanceof z.ZodObject)
      for (const [key, schema] of Object.entries(row.parameters.shape))
        expect((schema as z.ZodType).description, `${row.name}.${key}`).toBeTruthy();
  }
});
