// A model is trained once and served for ever: the size for which training and serving together cost least at a given loss
// (Sardana et al. 2023, arXiv 2401.00448: minimise 6·N·D + 2·N·S subject to L(N, D) = ℓ), and when a smaller model has paid for itself.
import { check } from "../base/index.ts";
import { amount } from "./amount.ts";
import {
  type Allocation,
  excessOf,
  optimumForCompute,
  optimumForLoss,
  type ScalingLaw,
  servingFlops,
  tokensForLoss,
  trainingFlops,
} from "./law.ts";

/** A model, and the operations of its training and serving. */
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

/**
 * The model that so many operations of training pay for and whose life is the cheapest at the loss that it reaches: smaller than the
 * compute-optimal one, and a little worse. With no tokens to serve it is that one.
 */
export function servingOptimumForCompute(law: ScalingLaw, flops: number, served: number): ServingPlan {
  const { A, B, alpha, beta } = law;
  // Where the life is cheapest, the gradients of cost and loss by N and D are parallel: α·A/N^α = β·B/D^β · (1 + S / 3D).
  // With N = C / 6D the left side grows with D and the right side falls: bisection.
  const isTooFew = (tokens: number) =>
    (alpha * A) / (flops / 6 / tokens) ** alpha < ((beta * B) / tokens ** beta) * (1 + served / (3 * tokens));
  const least = optimumForCompute(law, flops).tokens;
  let [low, high] = [Math.log(least), Math.log(least)];
  while (isTooFew(Math.exp(high))) high += 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (isTooFew(Math.exp(middle))) low = middle;
    else high = middle;
  }
  const tokens = Math.exp(high);
  return life({ parameters: flops / 6 / tokens, tokens }, served);
}

/** What a model of this size costs over its life at the loss; undefined where no data brings it there. */
export function lifeOf(law: ScalingLaw, parameters: number, loss: number, served: number): ServingPlan | undefined {
  const tokens = tokensForLoss(law, parameters, loss);
  return tokens === undefined ? undefined : life({ parameters, tokens }, served);
}

/** Operations of training a model and serving so many tokens with it. */
export function life(model: Allocation, served: number): ServingPlan {
  const [training, serving] = [trainingFlops(model), servingFlops(model.parameters, served)];
  return { ...model, training, serving, total: training + serving };
}

/** When a smaller model that was trained longer has cost less than the compute-optimal one. */
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
    () => `${amount(model.parameters)} parameters are not fewer than the ${amount(optimum.parameters)} of the compute-optimal model`,
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
