// Scaling laws by oneself (Hoffmann et al. 2022, arXiv 2203.15556): small runs, a law through them, and a larger run that it has not seen.
import { join } from "node:path";
import { check } from "../../base/index.ts";
import { type PreparedText, prepareText } from "../encoded-text.ts";
import { Lab } from "../lab.ts";
import type { Section } from "../report.ts";
import type { Study, StudyContext } from "../study.ts";
import { concluded } from "../unfinished.ts";
import { judgeLaw } from "./judge.ts";
import { lawTrials, leastSteps, vocabSize } from "./measure.ts";
import { lawHead, tellLaw } from "./tell.ts";

/** The study of a scaling law: four sizes at three lengths, a law fitted to them, and its prediction of a larger and longer run. */
export const scalingStudy: Study = {
  name: "scaling",
  title: "A scaling law from small runs",
  summary: "four sizes at three lengths, a law fitted to them, and its prediction of a larger and longer run",
  seeds: 2,
  next: (folder, [section]) =>
    section?.verdict === "shown" || section?.verdict === "partly shown"
      ? { text: "the law by all of these runs, and the size to go on with", runsToFit: runsIn(folder) }
      : { text: `the runs are in ${runsIn(folder)}; longer ones are needed for a law to go on with` },
  async run(context) {
    const { steps } = context;
    check(
      steps === undefined || steps >= leastSteps,
      "study",
      () => `steps is ${steps} but scaling needs at least ${leastSteps}, or its runs would not differ in length: raise it`,
    );
    await using text = await prepareText(context, vocabSize, 256);
    return await lawSection(context, text);
  },
};

function runsIn(folder: string): string {
  return join(folder, "runs");
}

async function lawSection(context: StudyContext, text: PreparedText): Promise<Section[]> {
  const runs = { folder: runsIn(context.folder), data: text.data, tokenizer: text.tokenizer.model };
  using lab = new Lab({ ...context, runs });
  const { trials, held } = lawTrials(text);
  const outcomes = await lab.run({
    trials: [...trials, held],
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 10 * leastSteps,
    heldOutTokens: 32768,
  });
  return concluded(lawHead, outcomes, trials.length + 1, context, (whole) => tellLaw(judgeLaw(whole, held)));
}
