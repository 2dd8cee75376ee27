// The language of a document by one of fastText's classifiers, as CCNet tells it (Wenzek et al. 2020, arXiv 1911.00359, section 3.2).
import { z } from "zod";
import { check, didYouMean } from "../../base/index.ts";
import { stepRow } from "../step.ts";
import { openClassifier } from "../text/shared-classifier.ts";

const parameters = z.strictObject({
  model: z
    .string()
    .min(1)
    .describe(
      "the file of the classifier, .bin or .ftz; CCNet has fastText's lid.176, https://fasttext.cc/docs/en/language-identification.html",
    ),
  languages: z.array(z.string().min(1)).optional().describe("the languages that stay, as the classifier calls them; all when absent"),
  minScore: z.number().min(0).max(1).default(0.5).describe("the least probability of the language; 0.5 in CCNet"),
  lineEnds: z
    .enum(["spaces", "deleted"])
    .default("spaces")
    .describe("what line ends become before the classifier reads the text as one line; CCNet deletes them, which joins words"),
});

/** Language identification. */
export const language = stepRow({
  name: "language",
  summary: "finds the language of a text, and keeps some languages",
  source: "Wenzek et al. 2020, arXiv 1911.00359, section 3.2; facebookresearch/cc_net, split_by_lang.py",
  deeds: ["finds", "drops"],
  reasons: {
    unknown: "has no word that the classifier knows",
    unsure: "is of no language that is sure enough",
    other: "is of another language",
  },
  parameters,
  files: ({ model }) => [model],
  async open({ model, languages, minScore, lineEnds }, files) {
    const classifier = await openClassifier(model, files);
    const wanted = languages === undefined ? undefined : new Set(languages);
    for (const name of wanted ?? [])
      check(
        classifier.labels.includes(name),
        "data",
        () =>
          `language: ${model} knows no "${name}"${didYouMean(name, classifier.labels) || `: it knows ${classifier.labels.slice(0, 8).join(", ")}, and others`}`,
      );
    return {
      apply(document) {
        const text = lineEnds === "spaces" ? document.text : document.text.replaceAll("\n", "");
        const [found] = classifier.classify(text);
        if (found === undefined) return { reason: "unknown" };
        const { label, probability } = found;
        if (probability < minScore) return { reason: "unsure", measured: probability, limit: minScore };
        if (wanted !== undefined && !wanted.has(label)) return { reason: "other", measured: label, found: [label] };
        return document.withFacts({ language: label, languageScore: Number(probability.toFixed(4)) });
      },
    };
  },
});
