// A model is trained once and served for ever: the size for which training and serving together cost least at a given loss
// (Sardana et al. 2023, arXiv 2401.00448: minimise 6·N·D + 2·N·S subject to L(N, D) = ℓ), and when a smaller model has paid for itself.
import { check } from "../base/index.ts";
import { type Allocation, excessOf, optimumForLoss, type ScalingLaw, servingFlops, tokensForLoss, trainingFlops } from "./law.ts";

export interface ServingPlan extends Allocation {
  readonly training: number;
  readonly serving: number;
  /** Operations of both. */
  readonly total: number;
}

/** The cheapest life of a model of this loss that serves so many tokens; with none it is the compute-optimal one. @throws CriaError where the loss is not above E */
export function servingOptimum(law: ScalingLaw, loss: number, served: number): ServingPlan {
  const largest = optimumForLoss(law, loss).parameters;
  const smallest = (law.A / excessOf(law, loss)) ** (1 / law.alpha); // reaches the loss with boundless data only
  const cost = (logN: number) => lifeOf(law, Math.exp(logN), loss, served)?.total ?? Number.POSITIVE_INFINITY;
  const logN = served > 0 ? lowest(cost, Math.log(smallest), Math.log(largest)) : Math.log(largest);
  return lifeOf(law, Math.exp(logN), loss, served)!;
}

/** What a model of this size costs over its life at the loss; undefined where no data brings it there. */
export function lifeOf(law: ScalingLaw, parameters: number, loss: number, served: number): ServingPlan | undefined {
  const tokens = tokensForLoss(law, parameters, loss);
  return tokens === undefined ? undefined : life({ parameters, tokens }, served);
}

export function life(model: Allocation, served: number): ServingPlan {
  const [training, serving] = [trainingFlops(model), servingFlops(model.parameters, served)];
  return { ...model, training, serving, total: training + serving };
}

export interface BreakEven {
  /** The compute-optimal model of the same loss. */
  readonly optimum: Allocation;
  /** Operations of training beyond that model's. */
  readonly extra: number;
  /** Served tokens after which the smaller model has cost less. */
  readonly served: number;
}

/** When a model smaller than the compute-optimal one of its loss has paid for its longer training. @throws CriaError for one that is not smaller */
export function breakEven(law: ScalingLaw, model: Allocation, loss: number): BreakEven {
  const optimum = optimumForLoss(law, loss);
  check(
    model.parameters < optimum.parameters,
    "plan",
    () => `${model.parameters} parameters are not fewer than the ${Math.round(optimum.parameters)} of the compute-optimal model`,
  );
  const extra = trainingFlops(model) - trainingFlops(optimum);
  return { optimum, extra, served: extra / servingFlops(optimum.parameters - model.parameters, 1) };
}

/** Golden-section search (Kiefer 1953): the cost falls, then rises. */
function lowest(cost: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  while (b - a > 1e-9 * (high - low)) {
    const [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (cost(left) < cost(right)) b = right;
    else a = left;
  }
  return (a + b) / 2;
}
