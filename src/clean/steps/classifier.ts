// A linear classifier that tells good pages from others, as LLaMA has it of pages that Wikipedia's articles refer to and random ones.
import { z } from "zod";
import { check, didYouMean } from "../../base/index.ts";
import { calibrated } from "../../fasttext/index.ts";
import { stepRow } from "../step.ts";
import { readCalibration } from "../text/calibration-file.ts";
import { openClassifier } from "../text/shared-classifier.ts";

const parameters = z.strictObject({
  model: z.string().min(1).describe("the file of the classifier, .bin or .ftz, as fastText trains it"),
  label: z.string().min(1).describe("the label of the documents that stay"),
  calibration: z
    .string()
    .min(1)
    .optional()
    .describe(
      "the file that makes the classifier's probabilities as often right as they say, as `cria data classifier` writes it; none when absent",
    ),
  minScore: z.number().min(0).max(1).default(0.25).describe("the least probability of the label; 0.25 in RedPajama"),
});

/** A filter by a classifier of fastText's. */
export const classifier = stepRow({
  name: "classifier",
  summary: "keeps texts that a classifier finds likely to be of a kind",
  source: "Touvron et al. 2023, arXiv 2302.13971, section 2.1; the probability: togethercomputer/RedPajama-Data, rp_v1",
  deeds: ["finds", "drops"],
  reasons: { unknown: "has no word that the classifier knows", unlikely: "is too unlikely to be of the kind" },
  parameters,
  files: ({ model, calibration }) => (calibration === undefined ? [model] : [model, calibration]),
  async open({ model, label, minScore, calibration }, files) {
    const found = await openClassifier(model, files);
    const place = found.labels.indexOf(label);
    check(
      place >= 0,
      "data",
      () => `${model} knows no label "${label}"${didYouMean(label, found.labels) || `: it knows ${found.labels.slice(0, 10).join(", ")}`}`,
    );
    const fitted = calibration === undefined ? undefined : readCalibration(calibration, await files.read(calibration), label);
    return {
      apply(document) {
        const probability = found.probabilities(document.text)?.[place];
        if (probability === undefined) return { reason: "unknown" };
        const score = fitted === undefined ? probability : calibrated(probability, fitted);
        if (score < minScore) return { reason: "unlikely", measured: score, limit: minScore };
        return document.withFacts({ [`score:${label}`]: Number(score.toFixed(4)) });
      },
    };
  },
});
