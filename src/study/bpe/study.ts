// Byte-pair encoding: the textbook's algorithm step by step, what a larger vocabulary buys, and what digits as tokens of their own do.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { type Sides, splitText } from "../encoded-text.ts";
import { Lab } from "../lab.ts";
import type { Section } from "../report.ts";
import type { Study, StudyContext } from "../study.ts";
import { concluded, inTurn } from "../unfinished.ts";
import { judgeArithmetic, judgeCuts, judgeGrowth, judgeTrace } from "./judge.ts";
import {
  type Accuracy,
  arithmeticTrials,
  bothKinds,
  bytesPerToken,
  classic,
  type Digits,
  measureAnswers,
  measureCuts,
  measureGrowth,
  measureTrace,
  numberTokenizer,
  tokensPerLine,
  writeTasks,
} from "./measure.ts";
import { arithmeticHead, tellArithmetic, tellCuts, tellGrowth, tellTrace } from "./tell.ts";

/** The study of byte-pair encoding: merges step by step, vocabulary size, digits alone or merged. */
export const bpeStudy: Study = {
  name: "bpe",
  title: "Byte-pair encoding: merges, vocabulary size, and digits",
  summary: "the textbook's algorithm step by step; bytes per token by vocabulary; digits alone: counting and adding",
  seeds: 3,
  async run(context) {
    const sides = await splitText(context);
    return inTurn(context.signal, [
      async () => [tellTrace(judgeTrace(await measureTrace(context.trace ?? classic)))],
      () => growthSection(context, sides),
      async () => [await cutSection(context)],
      () => arithmeticSection(context),
    ]);
  },
};

/** A size counts when both kinds have been measured with it: when the text gives no more pieces, or a person stops it, the others stay. */
async function growthSection(context: StudyContext, sides: Sides): Promise<Section[]> {
  const rows = await measureGrowth(bytesPerToken(sides, context), context.signal);
  return rows.length === 0 ? [] : [tellGrowth(judgeGrowth(rows, context.signal.aborted))];
}

async function cutSection(context: StudyContext): Promise<Section> {
  const { training } = writeTasks(context.seeds[0]!);
  const cutsOf = async (digits: Digits) => measureCuts(await numberTokenizer(digits, training, context));
  return tellCuts(judgeCuts({ "digits alone": await cutsOf("digits alone"), "digits merged": await cutsOf("digits merged") }));
}

async function arithmeticSection(context: StudyContext): Promise<Section[]> {
  const tasks = writeTasks(context.seeds[0]!);
  using lab = new Lab(context);
  const tokenizers = new Map<string, Tokenizer>();
  for (const digits of bothKinds) tokenizers.set(digits, await numberTokenizer(digits, tasks.training, context));
  const trials = arithmeticTrials(tokenizers, tasks, context);
  const outcomes = await lab.run<Accuracy>({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 8192,
    examine: (weights, trial) => measureAnswers(context.backend, trial, weights, tokenizers.get(trial.variant.name)!, tasks),
  });
  const perLine = new Map([...tokenizers].map(([name, tokenizer]) => [name, tokensPerLine(tokenizer, tasks)]));
  return concluded(arithmeticHead, outcomes, trials.length, context, (whole) => tellArithmetic(judgeArithmetic(whole, perLine)));
}
