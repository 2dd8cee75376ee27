// Where the norm stands (Xiong et al. 2020, arXiv 2002.04745), and which one it is (Zhang & Sennrich 2019, arXiv 1910.07467).
import { type EncodedText, encodeText } from "../encoded-text.ts";
import { Lab } from "../lab.ts";
import type { Section } from "../report.ts";
import type { Study, StudyContext } from "../study.ts";
import { concluded, inTurn } from "../unfinished.ts";
import { judgeInitial, judgeKinds, judgeWarmup } from "./judge.ts";
import {
  called,
  type DepthGradients,
  depthGradients,
  depths,
  drawsOf,
  kindTrials,
  placements,
  timeNorms,
  vocabSize,
  warmupTrials,
} from "./measure.ts";
import { kindHead, tellInitial, tellKinds, tellWarmup, warmupHead } from "./tell.ts";

/** The study of norms: gradients at initialisation by depth, training with and without warm-up, RMSNorm against LayerNorm. */
export const normStudy: Study = {
  name: "norm",
  title: "Normalisation: before or after the sub-layer, RMSNorm or LayerNorm",
  summary: "gradients at initialisation by depth; training with and without warm-up; RMSNorm against LayerNorm",
  seeds: 3,
  async run(context) {
    const text = await encodeText(context, vocabSize, 256);
    return inTurn(context.signal, [
      () => initialSection(context, text),
      () => warmupSection(context, text),
      () => kindSection(context, text),
    ]);
  },
};

async function initialSection({ backend, seeds, signal, progress }: StudyContext, text: EncodedText): Promise<Section[]> {
  const draws = await drawsOf(text, seeds);
  const found: DepthGradients[] = [];
  const jobs = placements.flatMap((placement) => depths.map((depth) => ({ placement, depth })));
  for (const [done, { placement, depth }] of jobs.entries()) {
    if (signal.aborted) return [];
    progress({
      task: "gradients at initialisation",
      done,
      total: jobs.length,
      unit: "models",
      note: `${called[placement]}, ${depth} layers`,
    });
    found.push(await depthGradients(backend, placement, depth, draws));
  }
  return [tellInitial(judgeInitial(found))];
}

async function warmupSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const trials = warmupTrials(text);
  const outcomes = await lab.run({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.7,
    leastSteps: 30,
    heldOutTokens: 4096,
  });
  return concluded(warmupHead, outcomes, trials.length, context, (whole) => tellWarmup(judgeWarmup(whole, text.unigramLoss)));
}

async function kindSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  const times = await timeNorms(context);
  using lab = new Lab(context);
  // That a difference is small takes more runs than that one is large: twice as many.
  const seeds = [...context.seeds, ...context.seeds.map((seed) => seed + context.seeds.length)];
  const trials = kindTrials(text);
  const outcomes = await lab.run({
    trials,
    seeds,
    seconds: context.secondsLeft() * 0.95,
    leastSteps: 30,
    heldOutTokens: 8192,
  });
  return concluded(kindHead, outcomes, trials.length, { ...context, seeds }, (whole) => tellKinds(judgeKinds(whole, times)));
}
