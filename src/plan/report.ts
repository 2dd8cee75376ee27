// What a plan says, as data: --json prints it as it is, show.ts and chart.ts show it.
import { type LlamaConfig, parameterCount } from "../model/index.ts";
import { servingFlopsPerToken, trainingFlopsPerToken } from "./flops.ts";
import {
  type Allocation,
  laws,
  lossOf,
  optimumForLoss,
  optimumForParameters,
  rootRuleForCompute,
  type ScalingLaw,
  tokensPerParameter,
} from "./law.ts";
import { type PublishedRun, publishedRuns } from "./llama-runs.ts";
import type { Machine } from "./machine.ts";
import {
  activationBytes,
  type Kept,
  keptActivations,
  kvCacheBytes,
  servingPrecisions,
  trainingPrecisions,
  trainingStateBytes,
  weightBytes,
} from "./memory.ts";
import { type Asked, lengthFor } from "./question.ts";
import type { LayoutsReport, RunReport } from "./run-on.ts";
import { type BreakEven, breakEven, life, type ServingPlan, servingOptimum } from "./serving.ts";
import { type Chosen, settle } from "./settle.ts";
import { type Solution, solve } from "./solve.ts";
import { warningsOf } from "./warnings.ts";

/** A compute-optimal size by one law. */
export interface Optimum extends Allocation {
  readonly flops: number;
  readonly law: string;
  readonly source: string;
  /** The loss by this very law; absent where it is in nats of other tokens than the plan's. */
  readonly loss?: number;
}

/** All that a plan says. */
export interface PlanReport {
  readonly law: ScalingLaw;
  readonly plan: Chosen & {
    /** Tokens over those with which this size is compute-optimal, by the law and by 20 tokens per parameter. */
    readonly timesOptimal: number;
    readonly timesTwenty: number;
  };
  /** Where these numbers say less than they seem to. */
  readonly warnings: readonly string[];
  /** The operations of the budget, or else of the plan, spent compute-optimally. */
  readonly flops: number;
  readonly optima: readonly Optimum[];
  readonly serving?: ServingReport;
  readonly model: {
    readonly name: string;
    readonly config: LlamaConfig;
    readonly length: number;
    /** Parameters of what is trained. */
    readonly parameters: number;
    readonly trainingFlopsPerToken: number;
    /** Operations per token with a full context. */
    readonly servingFlopsPerToken: number;
  };
  readonly memory: ReturnType<typeof memoryOf>;
  readonly run: RunReport;
  readonly layouts?: LayoutsReport;
  readonly published?: PublishedRun;
}

/** What serving the model costs, beside other models of the same loss. */
export interface ServingReport {
  /** Absent when no number was given: then only the break-even is said. */
  readonly served?: number;
  readonly loss: number;
  readonly computeOptimal: ServingPlan;
  readonly yours: ServingPlan;
  readonly cheapest?: ServingPlan;
  /** Where a budget alone was given: the cheapest life at the loss of its compute-optimal model, which takes more than the budget. */
  readonly budgetOptimum?: ServingPlan & { readonly optimum: Solution; readonly timesBudget: number };
  /** The break-even of `yours` when it is smaller than the compute-optimal model, otherwise that of the cheapest. */
  readonly breakEven?: BreakEven & { readonly parameters: number };
}

/** @throws CriaError for what no model reaches */
export function buildReport(asked: Asked, machine: Machine): PlanReport {
  const { plan, config, flops = plan.flops, ...on } = settle(asked, machine);
  const { law, model } = asked;
  const length = lengthFor(config, asked.length);
  const published = publishedRuns.find((run) => run.preset !== undefined && run.preset === model?.name && run.tokens === plan.tokens);
  const serving = servingReport(asked, plan, flops);
  return {
    ...{
      law,
      plan: { ...plan, ...excesses(law, plan) },
      warnings: warningsOf(asked, plan, config),
      flops,
      optima: optimaFor(asked, flops),
    },
    ...(serving && { serving }),
    model: {
      ...{ name: model?.name ?? "a LLaMA of about this size", config, length, parameters: parameterCount(config) },
      trainingFlopsPerToken: trainingFlopsPerToken(config, length),
      servingFlopsPerToken: servingFlopsPerToken(config, config.contextLength),
    },
    memory: memoryOf(config, length),
    ...on,
    ...(published && { published }),
  };
}

function excesses(law: ScalingLaw, { parameters, tokens }: Allocation) {
  const timesOptimal = tokens / optimumForParameters(law, parameters).tokens;
  return { timesOptimal, timesTwenty: tokens / parameters / tokensPerParameter };
}

function optimaFor({ law }: Asked, flops: number): Optimum[] {
  const isPublished = Object.values(laws).some(({ name }) => name === law.name);
  const rule = { law: `${tokensPerParameter} tokens per parameter`, ...rootRuleForCompute(flops), flops };
  const source = "Hoffmann et al. 2022, approaches 1 and 2";
  const published = Object.values(laws).map((one) => optimumBy(one, flops));
  if (isPublished) return [...published, { ...rule, loss: lossOf(law, rule), source: `${source}; the loss by the ${law.name}` }];
  return [optimumBy(law, flops), ...published.map(({ loss: _, ...one }) => one), { ...rule, source }];
}

function optimumBy(law: ScalingLaw, flops: number): Optimum & Solution {
  return { law: law.name, source: law.source, ...solve(law, { flops }) };
}

function servingReport({ law, served, budget, given }: Asked, plan: Chosen, flops: number): ServingReport | undefined {
  const { loss } = plan;
  const optimum = optimumForLoss(law, loss);
  const isSmaller = plan.parameters < 0.999 * optimum.parameters;
  if (served === undefined && !isSmaller) return undefined;
  const cheapest = served === undefined ? undefined : servingOptimum(law, loss, served);
  const small = isSmaller ? plan : cheapest!;
  const pays = small.parameters < 0.999 * optimum.parameters ? breakEven(law, small, loss) : undefined;
  return {
    ...(served !== undefined && { served }),
    ...{ loss, computeOptimal: life(optimum, served ?? 0), yours: life(plan, served ?? 0) },
    ...(cheapest && { cheapest }),
    ...(served !== undefined && budget && Object.keys(given).length === 0 && { budgetOptimum: budgetOptimum(law, flops, served) }),
    ...(pays && { breakEven: { ...pays, parameters: small.parameters } }),
  };
}

function budgetOptimum(law: ScalingLaw, flops: number, served: number): NonNullable<ServingReport["budgetOptimum"]> {
  const optimum = solve(law, { flops });
  const cheapest = servingOptimum(law, optimum.loss, served);
  return { ...cheapest, optimum, timesBudget: cheapest.training / flops };
}

function memoryOf(config: LlamaConfig, length: number) {
  const parameters = parameterCount(config);
  const training = Object.values(trainingPrecisions).map((precision) => ({
    precision: precision.name,
    ...trainingStateBytes(parameters, precision),
    activations: Object.fromEntries(
      Object.keys(keptActivations).map((kept) => [kept, activationBytes(config, length, kept as Kept, precision.activations)]),
    ) as Record<Kept, number>,
  }));
  const serving = Object.entries(servingPrecisions).map(([precision, size]) => ({
    ...{ precision, weights: weightBytes(config, size), kvCache: kvCacheBytes(config, config.contextLength, size) },
  }));
  return { training, serving };
}
