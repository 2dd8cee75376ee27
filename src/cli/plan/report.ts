// What a plan says, as data: --json prints it as it is, text.ts and chart.ts show it.
import { CriaError } from "../../base/index.ts";
import { type LlamaConfig, parameterCount } from "../../model/index.ts";
import {
  type Allocation,
  activationBytes,
  type BreakEven,
  breakEven,
  carbonOf,
  energyOf,
  flopsIn,
  type Kept,
  keptActivations,
  kvCacheBytes,
  type Layout,
  laws,
  layouts,
  life,
  lossOf,
  optimumForLoss,
  optimumForParameters,
  type PublishedRun,
  publishedRuns,
  rootRuleForCompute,
  type ScalingLaw,
  type ServingPlan,
  type Solution,
  servingFlopsPerToken,
  servingOptimum,
  servingPrecisions,
  shapeFor,
  solve,
  tokensPerParameter,
  trainingFlops,
  trainingFlopsPerToken,
  trainingPrecisions,
  trainingStateBytes,
  utilisationOf,
  weightBytes,
} from "../../plan/index.ts";
import { type Asked, lengthFor } from "./ask.ts";
import type { Machine } from "./machine.ts";

export interface Optimum extends Solution {
  readonly law: string;
  readonly source: string;
}

export interface PlanReport {
  readonly law: ScalingLaw;
  readonly plan: Solution & {
    /** Why this size and these tokens. */
    readonly because: string;
    /** Tokens over those with which this size is compute-optimal, by the law and by 20 a parameter. */
    readonly timesOptimal: number;
    readonly timesTwenty: number;
  };
  /** The operations of the budget, or else of the plan, spent compute-optimally. */
  readonly flops: number;
  readonly optima: readonly Optimum[];
  readonly serving?: ServingReport;
  readonly model: {
    readonly name: string;
    readonly config: LlamaConfig;
    readonly length: number;
    /** Of what is trained. */
    readonly parameters: number;
    readonly trainingFlopsPerToken: number;
    /** With a full context. */
    readonly servingFlopsPerToken: number;
  };
  readonly memory: ReturnType<typeof memoryOf>;
  readonly run: RunReport;
  /** The fastest first, or why there is none. */
  readonly layouts?: readonly Layout[] | { readonly problem: string };
  readonly published?: PublishedRun;
}

export interface ServingReport {
  /** Absent when no number was given: then only the break-even is said. */
  readonly served?: number;
  readonly loss: number;
  readonly computeOptimal: ServingPlan;
  readonly yours: ServingPlan;
  readonly cheapest?: ServingPlan;
  /** Of `yours` when it is smaller than the compute-optimal model, otherwise of the cheapest. */
  readonly breakEven?: BreakEven & { readonly parameters: number };
}

export interface RunReport {
  readonly machine: Omit<Machine, "accelerator">;
  /** Of one accelerator. */
  readonly tokensPerSecond: number;
  /** Of the whole run: what was assumed, less what the layout costs. */
  readonly utilisation: number;
  readonly hours: number;
  readonly acceleratorHours: number;
  /** MWh, tonnes of CO2 equivalent, US dollars. */
  readonly energy?: number;
  readonly carbon?: number;
  readonly cost?: number;
}

/** @throws CriaError for what no model reaches */
export function buildReport(asked: Asked, machine: Machine): PlanReport {
  const { plan, config, flops = plan.flops } = settle(asked, machine);
  const { law } = asked;
  const length = lengthFor(config, asked.length);
  const found = asked.isCluster ? tryLayouts(asked, machine, config, length) : undefined;
  const best = Array.isArray(found) ? (found[0] as Layout) : undefined;
  const published = publishedRuns.find((run) => run.preset !== undefined && run.preset === asked.model?.name && run.tokens === plan.tokens);
  const serving = servingReport(asked, plan);
  return {
    ...{ law, plan: { ...plan, ...excesses(law, plan) }, flops, optima: optimaFor(asked, flops) },
    ...(serving && { serving }),
    model: {
      ...{ name: asked.model?.name ?? "a LLaMA of about this size", config, length, parameters: parameterCount(config) },
      trainingFlopsPerToken: trainingFlopsPerToken(config, length),
      servingFlopsPerToken: servingFlopsPerToken(config, config.contextLength),
    },
    memory: memoryOf(config, length),
    run: runReport(plan, machine, config, length, best),
    ...(found && { layouts: found }),
    ...(published && { published }),
  };
}

type Settled = Solution & { readonly because: string };

/** The plan, and the shape of its model. A budget in hours pays for attention too, which the law's 6·N·D leaves out: the shape says how much. */
function settle(asked: Asked, machine: Machine): { plan: Settled; config: LlamaConfig; flops?: number } {
  const budget = budgetFlops(asked, machine);
  let flops = budget;
  for (let i = 0; ; i++) {
    const plan = choose(asked, flops);
    const config = asked.model?.config ?? shapeFor(plan.parameters, asked.vocabSize);
    if (budget === undefined || flops === undefined) return { plan, config };
    if (asked.budget?.kind === "operations" || i === 4) return { plan, config, flops };
    flops = (budget * 6 * parameterCount(config)) / trainingFlopsPerToken(config, lengthFor(config, asked.length));
  }
}

function budgetFlops({ budget }: Asked, { count, peak, utilisation, price, name }: Machine): number | undefined {
  switch (budget?.kind) {
    case undefined:
      return undefined;
    case "operations":
      return budget.value;
    case "accelerator-hours":
      return flopsIn(budget.value, peak, utilisation);
    case "hours":
      return flopsIn(budget.value * count, peak, utilisation);
    case "dollars":
      if (price === undefined) throw new CriaError("plan", `${name} has no price: give one with --price`);
      return flopsIn(budget.value / price, peak, utilisation);
  }
}

/** What was given decides; with one thing given and tokens to serve, the cheapest life at the loss that it would have had. */
function choose({ given, law, served, isPapersTokens }: Asked, flops: number | undefined): Settled {
  const known = { ...given, ...(flops !== undefined && { flops }) };
  const solution = solve(law, known);
  const names = Object.keys(known);
  const what = names.map((name) => (name === "flops" ? "the budget" : `the ${name}`)).join(" and ");
  if (names.length === 2) return { ...solution, because: isPapersTokens ? "as in the paper" : `decided by ${what}` };
  if (served === undefined || known.parameters !== undefined || known.tokens !== undefined)
    return { ...solution, because: `compute-optimal for ${what}` };
  const cheapest = servingOptimum(law, solution.loss, served);
  const { parameters, tokens, training } = cheapest;
  const beyond = flops === undefined ? "" : `, with ${(training / flops).toPrecision(3)} times the budget for training`;
  return { parameters, tokens, flops: training, loss: solution.loss, because: `the cheapest life at the loss that ${what} gives${beyond}` };
}

function excesses(law: ScalingLaw, { parameters, tokens }: Allocation) {
  const timesOptimal = tokens / optimumForParameters(law, parameters).tokens;
  return { timesOptimal, timesTwenty: tokens / parameters / tokensPerParameter };
}

function optimaFor({ law }: Asked, flops: number): Optimum[] {
  const own = Object.values(laws).some(({ name }) => name === law.name) ? [] : [law];
  const solved = [...own, ...Object.values(laws)].map((one) => ({ law: one.name, source: one.source, ...solve(one, { flops }) }));
  const rule = rootRuleForCompute(flops);
  const source = "Hoffmann et al. 2022, approaches 1 and 2; the loss by the law of the plan";
  return [...solved, { law: `${tokensPerParameter} tokens a parameter`, source, ...rule, flops, loss: lossOf(law, rule) }];
}

function servingReport({ law, served }: Asked, plan: Settled): ServingReport | undefined {
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
    ...(pays && { breakEven: { ...pays, parameters: small.parameters } }),
  };
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

function tryLayouts(asked: Asked, machine: Machine, config: LlamaConfig, length: number): PlanReport["layouts"] {
  const { accelerator, count, peak, utilisation, arithmetic } = machine;
  if (accelerator === undefined) return { problem: "--gpus counts accelerators: name them with --gpu" };
  const precision = arithmetic === "float32" || arithmetic === "tf32" ? trainingPrecisions.float32 : trainingPrecisions.mixed;
  try {
    return layouts({ config, precision, batchTokens: asked.batchTokens, length }, { accelerator, count, peak, utilisation });
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return { problem: error.message };
  }
}

function runReport(plan: Settled, machine: Machine, config: LlamaConfig, length: number, layout: Layout | undefined): RunReport {
  const { accelerator: _, ...shown } = machine;
  const { count, peak, utilisation, watts, price } = machine;
  const flops = trainingFlopsPerToken(config, length);
  // A plan's own size, where the nearest shape differs by a few percent.
  const perToken = (flops * trainingFlops(plan)) / (6 * parameterCount(config) * plan.tokens);
  const tokensPerSecond = layout ? layout.tokensPerSecond / count : (peak * utilisation) / perToken;
  const acceleratorHours = plan.tokens / tokensPerSecond / 3600;
  const energy = watts === undefined ? undefined : energyOf(acceleratorHours, watts);
  return {
    ...{ machine: shown, tokensPerSecond, utilisation: utilisationOf(layout ? flops : perToken, tokensPerSecond, peak) },
    ...{ hours: acceleratorHours / count, acceleratorHours },
    ...(energy !== undefined && { energy, carbon: carbonOf(energy) }),
    ...(price !== undefined && { cost: acceleratorHours * price }),
  };
}
