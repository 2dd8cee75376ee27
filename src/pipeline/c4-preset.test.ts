// Every rule of C4's released generator (tensorflow/datasets, c4_utils.py) in the preset c4, end to end: pages go through its steps with a small classifier
// of languages, and what is left of each stands beside it.
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { cleanedTexts, openJob, runPhases } from "./index.ts";

interface Golden {
  readonly models: readonly { readonly model: string }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/fasttext.golden.json", import.meta.url), "utf8"));

/** Three sentences with a word that is the page's own; marks stand by themselves, because the classifier knows words without them. */
const story = (page: string) =>
  `the ${page} llama walked to the water . the ${page} others drank on the cold hill . it was cold with the ${page} llama .`;
/** What is left behind a story whose further lines go. */
const kept = "";

interface Page {
  readonly rule: string;
  /** What stands behind the story, which is kept by itself. */
  readonly more?: string;
  /** The page in place of the story. */
  readonly text?: string;
  /** What is left behind the story; undefined where the page goes. */
  readonly left?: string;
}

const pages: readonly Page[] = [
  { rule: "a page of three sentences stays", left: kept },
  { rule: "two sentences are too few", text: "the llama walked to the water . the others drank on the hill ." },
  { rule: "five words are enough for a line", more: "\nllama walked to the water.", left: "\nllama walked to the water." },
  { rule: "four words are too few", more: "\nllama walked to water.", left: kept },
  { rule: "words are counted without citations", more: "\nllama walked to [1] water.", left: kept },
  { rule: "a question mark ends a line", more: "\nllama walked to the hill?", left: "\nllama walked to the hill?" },
  { rule: "an exclamation mark ends a line", more: "\nllama walked to the hill!", left: "\nllama walked to the hill!" },
  { rule: "a quotation mark ends a line", more: '\nllama walked to "the others"', left: '\nllama walked to "the others"' },
  { rule: "a single quotation mark does not", more: "\nllama walked to the 'others'", left: kept },
  { rule: "a comma does not", more: "\nllama walked to the others,", left: kept },
  { rule: "three full stops do not", more: "\nllama walked to the cold...", left: kept },
  {
    rule: "citations are removed",
    more: "\nllama[12] walked[edit] to the water[citation needed] and drank[].",
    left: "\nllama walked to the water and drank.",
  },
  { rule: "a line with JavaScript goes", more: "\nthe llama walked to the JavaScript.", left: kept },
  { rule: "a line of policies goes", more: "\nthe llama drank with the Privacy Policy.", left: kept },
  { rule: "a line with an endless word goes", more: `\nthe llama walked to the ${"w".repeat(1001)}.`, left: kept },
  { rule: "a page with filler text goes", more: "\nthe llama walked to Lorem ipsum." },
  { rule: "a page with a curly bracket goes", more: "\nthe llama walked to { water." },
  { rule: "a page with a bad word goes", more: "\nthe llama drank with the Badword ." },
  {
    rule: "a bad word in a longer one is none",
    more: "\nthe llama drank the badwords of it.",
    left: "\nthe llama drank the badwords of it.",
  },
  { rule: "190,001 characters are too many", text: `${story("long")}${" the llama".repeat(18_991)} .` },
  { rule: "another language goes", text: "das Lama ging zum Wasser . das Lama trank mit den anderen . es war kalt auf dem Hügel ." },
  { rule: "a line that an earlier page has goes, in any case", more: "\nLLAMA WALKED TO THE WATER.", left: kept },
  { rule: "and a line of the same page", more: "\nit was so cold there.\nit was so cold there.", left: "\nit was so cold there." },
  {
    rule: "digits tell lines apart",
    more: "\nllama walked to 2 hills.\nllama walked to 3 hills.",
    left: "\nllama walked to 2 hills.\nllama walked to 3 hills.",
  },
];

test("each rule of C4's generator does what it says", async () => {
  await withFolder(async (folder) => {
    const texts = pages.map(({ text, more = "" }, i) => text ?? story(nameOf(i)) + more);
    await writeFile(join(folder, "lid.bin"), Buffer.from(golden.models[0]?.model ?? "", "base64"));
    await writeFile(join(folder, "bad.txt"), "badword\n");
    await writeFile(join(folder, "pages.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const steps = [{ preset: "c4", languageModel: "lid.bin", badWords: "bad.txt" }];
    const { job } = await openJob([{ name: "web", weight: 1, paths: "*.jsonl", steps }], { folder, work: join(folder, "work") });
    await runPhases(job);
    const [cleaned] = await cleanedTexts(job);
    const lines = (await Promise.all((cleaned?.files ?? []).map((file) => readFile(file, "utf8")))).join("").trimEnd().split("\n");
    const found = new Map(lines.map((line) => JSON.parse(line)).map(({ text, facts }) => [Number(facts.id.split("#")[1]), text]));
    for (const [i, { rule, left }] of pages.entries())
      expect(found.get(i), rule).toBe(left === undefined ? undefined : story(nameOf(i)) + left);
  });
});

/** A word of its own for each page. */
function nameOf(page: number): string {
  return Array.from(String(page), (digit) => "abcdefghij"[Number(digit)]).join("");
}
