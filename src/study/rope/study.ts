// Rotary position embedding (Su et al. 2021, RoFormer, arXiv 2104.09864) against sinusoids, a learned table and no positions at all.
import type { Backend } from "../../backend/index.ts";
import type { PositionName } from "../../model/index.ts";
import { type EncodedText, encodeText } from "../encoded-text.ts";
import { Lab } from "../lab.ts";
import type { Section } from "../report.ts";
import type { Study, StudyContext } from "../study.ts";
import { concluded, inTurn } from "../unfinished.ts";
import { judgeDecay, judgeExtrapolation, judgeInvariance, judgeMatrix } from "./judge.ts";
import { type ByReading, extrapolationTrials, matrixError, measureInvariance, reach, readLong, trained, vocabSize } from "./measure.ts";
import { extrapolationHead, tellDecay, tellExtrapolation, tellInvariance, tellMatrix } from "./tell.ts";

/** The study of rotary positions: what the score depends on, the matrix form, decay, texts longer than trained on. */
export const ropeStudy: Study = {
  name: "rope",
  title: "Rotary positions: relative by construction, and how far they reach",
  summary: "RoPE's score depends on the distance only; its matrix form; decay; texts longer than trained on",
  seeds: 3,
  async run(context) {
    const { backend } = context;
    const text = await encodeText(context, vocabSize, 4 * reach * trained);
    return inTurn(context.signal, [
      async () => [await invarianceSection(backend), await matrixSection(backend), tellDecay(judgeDecay())],
      () => extrapolationSection(context, text),
    ]);
  },
};

async function invarianceSection(backend: Backend): Promise<Section> {
  const measure = (name: PositionName) => measureInvariance(backend, name);
  const found = [await measure("rope"), await measure("sinusoidal"), await measure("learned"), await measure("none")] as const;
  return tellInvariance(judgeInvariance(found));
}

async function matrixSection(backend: Backend): Promise<Section> {
  return tellMatrix(judgeMatrix(await matrixError(backend, "half"), await matrixError(backend, "neighbours")));
}

async function extrapolationSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const trials = extrapolationTrials(text);
  const outcomes = await lab.run<ByReading>({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 8192,
    examine: (weights, trial) => readLong(context.backend, trial, weights, text),
  });
  return concluded(extrapolationHead, outcomes, trials.length, context, (whole) => tellExtrapolation(judgeExtrapolation(whole)));
}
