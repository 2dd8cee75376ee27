// The feed-forward layer's activation: plain ones and the GLU family at equal parameters (Shazeer 2020, arXiv 2002.05202).
import { type EncodedText, encodeText } from "../encoded-text.ts";
import { Lab } from "../lab.ts";
import type { Section } from "../report.ts";
import type { Study, StudyContext } from "../study.ts";
import { concluded, inTurn } from "../unfinished.ts";
import { judgeCurves, judgeLosses, judgeParameters } from "./judge.ts";
import { lossTrials, vocabSize } from "./measure.ts";
import { lossHead, tellCurves, tellLosses, tellParameters } from "./tell.ts";

/** The study of activations: curves, the 2/3 rule in numbers, losses over seeds. */
export const activationStudy: Study = {
  name: "activation",
  title: "Activations: plain ones and the GLU family at equal parameters",
  summary: "ReLU, GELU, Swish, GLU, Bilinear, ReGLU, GEGLU, SwiGLU: curves, the 2/3 rule in numbers, losses over seeds",
  seeds: 3,
  async run(context) {
    const text = await encodeText(context, vocabSize, 256);
    return inTurn(context.signal, [
      async () => [tellCurves(judgeCurves()), tellParameters(judgeParameters())],
      () => lossSection(context, text),
    ]);
  },
};

async function lossSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const trials = lossTrials(text);
  const outcomes = await lab.run({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 16384,
  });
  return concluded(lossHead, outcomes, trials.length, context, (whole) => tellLosses(judgeLosses(whole)));
}
