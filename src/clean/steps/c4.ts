// C4's rules for lines and pages (Raffel et al. 2020, arXiv 1910.10683, section 2.2), with the parameters that its prose, its released generator
// (tensorflow/datasets, c4_utils.py) and datatrove (0.10.1, c4_filters.py) have differently.
import { z } from "zod";
import type { CleanDocument } from "../document.ts";
import { type Outcome, stepRow } from "../step.ts";
import { countCharacters, splitLines, strip } from "../text/python-text.ts";
import { countSentences } from "../text/sentences.ts";
import { measureWords } from "../text/words.ts";

const parameters = z.strictObject({
  minWords: z.number().default(3).describe("the fewest words of a line; 3 in the prose and in datatrove, 5 in the generator"),
  minSentences: z.number().default(5).describe("the fewest sentences of a page; 5 in the prose and in datatrove, 3 in the generator"),
  maxWordLength: z.number().default(1000).describe("the most characters of a word; a line with a longer one goes"),
  maxCharacters: z.number().optional().describe("the most characters of a page; 190,000 in the generator, any number elsewhere"),
  lineEnds: z
    .array(z.string().min(1))
    .default([".", "?", "!", '"'])
    .describe("what a line must end with; datatrove has a single quotation mark beside the four; of an empty list, anything"),
  dropsEllipses: z.boolean().default(true).describe("whether a line goes that ends with three full stops; not said in the prose"),
  removesCitations: z.boolean().default(true).describe("whether [1], [edit] and [citation needed] are cut out; not said in the prose"),
  countsCitations: z
    .boolean()
    .default(true)
    .describe("whether words are counted before citations are cut out, as in datatrove; the generator counts what is left"),
});

type Parameters = z.output<typeof parameters>;

/** Lines with one of them go. */
const policies = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];
const citation = /\[\d*\]|\[edit\]|\[citation needed\]/g;

/** C4's quality rules. */
export const c4Quality = stepRow({
  name: "c4Quality",
  summary: "keeps lines that are sentences, and pages that have some of them",
  source: "Raffel et al. 2020, arXiv 1910.10683, section 2.2; tensorflow/datasets, c4_utils.py; datatrove 0.10.1",
  deeds: ["rewrites", "drops"],
  reasons: {
    loremIpsum: "has filler text",
    brace: "has a curly bracket, as code has",
    fewSentences: "has few sentences in the lines that stay",
    manyCharacters: "is longer than a page",
  },
  limits: { fewSentences: "minSentences", manyCharacters: "maxCharacters" },
  parameters,
  open: (options) => ({ apply: (document) => keepSentences(document, options) }),
});

function keepSentences(document: CleanDocument, options: Parameters): Outcome {
  const { minSentences, maxCharacters = Number.POSITIVE_INFINITY } = options;
  // A text has no more characters than units, so that those of few texts are counted.
  if (document.text.length > maxCharacters && document.characters > maxCharacters)
    return { reason: "manyCharacters", measured: document.characters, limit: maxCharacters };
  const kept: string[] = [];
  let sentences = 0;
  for (const whole of splitLines(document.text)) {
    const line = sentenceLine(whole, options);
    if (line === undefined) continue;
    const lower = line.toLowerCase();
    if (lower.includes("lorem ipsum")) return { reason: "loremIpsum" };
    if (lower.includes("javascript")) continue;
    if (line.includes("{")) return { reason: "brace" };
    if (policies.some((policy) => lower.includes(policy))) continue;
    sentences += countSentences(line);
    kept.push(line);
  }
  if (sentences < minSentences) return { reason: "fewSentences", measured: sentences, limit: minSentences };
  return document.withText(strip(kept.join("\n")));
}

/** The line without citations; undefined where it is none that ends as sentences do. */
function sentenceLine(
  whole: string,
  { maxWordLength, lineEnds, dropsEllipses, removesCitations, countsCitations, minWords }: Parameters,
): string | undefined {
  const stripped = strip(whole);
  const line = removesCitations && stripped.includes("[") ? stripped.replace(citation, "") : stripped;
  const isEnded = lineEnds.length === 0 || lineEnds.some((end) => line.endsWith(end));
  if (!isEnded || (dropsEllipses && line.endsWith("..."))) return undefined;
  const { count, longest } = measureWords(stripped);
  const words = countsCitations || line === stripped ? count : measureWords(line).count;
  return words < minWords || longest > maxWordLength ? undefined : line;
}

/** mC4's rule for paragraphs. */
export const c4Paragraphs = stepRow({
  name: "c4Paragraphs",
  summary: "keeps pages with some long lines",
  source: "Xue et al. 2021, arXiv 2010.11934, section 3.1; datatrove 0.10.1",
  deeds: ["drops"],
  reasons: { fewParagraphs: "has few long lines" },
  limits: { fewParagraphs: "minLines" },
  parameters: z.strictObject({
    minLines: z.number().int().default(3).describe("the fewest lines that are long enough"),
    minCharacters: z.number().default(200).describe("the fewest characters of a long line"),
  }),
  open: ({ minLines, minCharacters }) => ({
    apply(document) {
      const long = document.text.split("\n").filter((line) => countCharacters(line) >= minCharacters).length;
      return long < minLines ? { reason: "fewParagraphs", measured: long, limit: minLines } : document;
    },
  }),
});
