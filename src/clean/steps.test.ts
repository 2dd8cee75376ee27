// Every step against another implementation: verdicts of datatrove's filters, with its tokenizers replaced by the ones that are ours.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CleanDocument, isDropped, type Outcome, stepRows } from "./index.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly cases: readonly { readonly step: string; readonly parameters: unknown; readonly verdicts: readonly Verdict[] }[];
}

/** True where a document stays, a rewritten text, or datatrove's reason. */
type Verdict = true | string | { readonly kept: string };

/** Reasons of ours by the name that datatrove has for them. */
const reasons: Readonly<Record<string, string>> = {
  gopher_short_doc: "fewWords",
  gopher_long_doc: "manyWords",
  gopher_below_avg_threshold: "shortWords",
  gopher_above_avg_threshold: "longWords",
  gopher_too_many_hashes: "hashes",
  gopher_too_many_ellipsis: "ellipses",
  gopher_too_many_bullets: "bullets",
  gopher_too_many_end_ellipsis: "ellipsisLines",
  gopher_below_alpha_threshold: "fewLetters",
  gopher_enough_stop_words: "fewStopWords",
  dup_para_frac: "paragraphs",
  dup_para_char_frac: "paragraphCharacters",
  dup_line_frac: "lines",
  dup_line_char_frac: "lineCharacters",
  line_punct_ratio: "unendedLines",
  short_line_ratio: "shortLines",
  char_dup_ratio: "repeatedLines",
  list_ratio: "list",
  lorem_ipsum: "loremIpsum",
  curly_bracket: "brace",
  too_few_sentences: "fewSentences",
};

function ourName(reason: string): string {
  return reasons[reason] ?? reason.replace(/^top_\d+_gram$/, "topGram").replace(/^duplicated_\d+_n_grams$/, "repeatedGrams");
}

function told(outcome: Outcome, text: string): Verdict {
  if (isDropped(outcome)) return outcome.reason;
  return outcome.text === text ? true : { kept: outcome.text };
}

const noFiles = { read: () => Promise.reject(new Error("no step reads a file here")) };

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/clean-filters.golden.json", import.meta.url), "utf8"));

test.each(golden.cases.map((one, i) => ({ ...one, name: `${one.step} ${i}` })))("$name says what datatrove says", async (one) => {
  const row = stepRows.find(({ name }) => name === one.step);
  const step = await row?.open(row.parameters.parse(one.parameters), noFiles);
  const ours = golden.texts.map((text) => step && told(step.apply(new CleanDocument(text)), text));
  expect(ours).toEqual(one.verdicts.map((verdict) => (typeof verdict === "string" ? ourName(verdict) : verdict)));
});

test("each step names its reasons, and tells no other", async () => {
  for (const row of stepRows.filter(({ files }) => files === undefined)) {
    const step = await row.open(row.parameters.parse({}), noFiles);
    for (const text of golden.texts) {
      const outcome = step.apply(new CleanDocument(text));
      if (isDropped(outcome)) expect(Object.keys(row.reasons)).toContain(outcome.reason);
    }
  }
});

test("the language of a text is what the classifier says, and texts of others go", async () => {
  const models: { readonly models: readonly { readonly name: string; readonly model: string }[] } = JSON.parse(
    readFileSync(new URL("../../test/goldens/fasttext.golden.json", import.meta.url), "utf8"),
  );
  const files = { read: async () => new Uint8Array(Buffer.from(models.models[0]!.model, "base64")) };
  const row = stepRows.find(({ name }) => name === "language")!;
  const said = async (text: string, more: object = {}) => {
    const step = await row.open(row.parameters.parse({ model: "lid.bin", ...more }), files);
    const outcome = step.apply(new CleanDocument(text, { id: "a" }));
    return isDropped(outcome) ? outcome : outcome.facts;
  };
  expect(await said("the llama walked to the water")).toMatchObject({ id: "a", language: "en", languageScore: expect.any(Number) });
  expect(await said("das Lama ging\nzum Wasser", { languages: ["de", "ru"] })).toMatchObject({ language: "de" });
  expect(await said("das Lama ging zum Wasser", { languages: ["en"] })).toEqual({ reason: "other", measured: "de" });
  expect(await said("the llama das Lama", { minScore: 0.999999 })).toMatchObject({ reason: "unsure", limit: 0.999999 });
});
