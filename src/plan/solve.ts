// Any of operations, parameters, tokens and loss → all four. One of them alone is completed by the cheapest way to have it.
import { check, fail } from "../base/index.ts";
import { amount, digits, exponent } from "./amount.ts";
import {
  type Allocation,
  lossOf,
  optimumForCompute,
  optimumForLoss,
  optimumForParameters,
  optimumForTokens,
  parametersForLoss,
  type ScalingLaw,
  tokensForLoss,
  trainingFlops,
} from "./law.ts";

const where = "plan";

/** Numbers that are known of a plan; any of them may be. */
export interface Given {
  readonly flops?: number;
  readonly parameters?: number;
  readonly tokens?: number;
  readonly loss?: number;
}

/** All four numbers of a plan. */
export interface Solution extends Allocation {
  readonly flops: number;
  readonly loss: number;
}

/**
 * One or two of the four; with operations and a loss, the smallest model that reaches the loss within them.
 * @throws CriaError for none, for three and more, and for what no model reaches
 */
export function solve(law: ScalingLaw, given: Given): Solution {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  check(names.length > 0, where, () => "nothing is given: say operations, parameters, tokens or a loss");
  check(names.length < 3, where, () => `${names.join(", ")} are given, but two of them decide the rest: leave one out`);
  for (const [name, value] of Object.entries(given))
    check(value === undefined || (value > 0 && Number.isFinite(value)), where, () => `${name} is ${value} but must be above 0`);
  const found = allocate(law, given);
  return { ...found, flops: trainingFlops(found), loss: lossOf(law, found) };
}

function allocate(law: ScalingLaw, { flops, parameters, tokens, loss }: Given): Allocation {
  if (parameters !== undefined) {
    if (tokens !== undefined) return { parameters, tokens };
    if (flops !== undefined) return { parameters, tokens: flops / 6 / parameters };
    if (loss !== undefined) return { parameters, tokens: tokensForLoss(law, parameters, loss) ?? tooSmall(law, parameters, loss) };
    return optimumForParameters(law, parameters);
  }
  if (tokens !== undefined) {
    if (flops !== undefined) return { parameters: flops / 6 / tokens, tokens };
    if (loss !== undefined) return { parameters: parametersForLoss(law, tokens, loss) ?? tooFew(law, tokens, loss), tokens };
    return optimumForTokens(law, tokens);
  }
  if (loss === undefined) return optimumForCompute(law, flops!);
  return flops === undefined ? optimumForLoss(law, loss) : smallestWithin(law, flops, loss);
}

/** Bisects, as less and less size takes more and more operations on the smaller side of the optimum. */
function smallestWithin(law: ScalingLaw, flops: number, loss: number): Allocation {
  const optimum = optimumForLoss(law, loss);
  const least = trainingFlops(optimum);
  check(
    least <= flops,
    where,
    () => `the loss ${digits(loss)} takes ${exponent(least)} operations by ${law.name}, but ${exponent(flops)} are there: raise either`,
  );
  let [low, high] = [0, optimum.parameters];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    const tokens = tokensForLoss(law, middle, loss);
    if (tokens !== undefined && trainingFlops({ parameters: middle, tokens }) <= flops) high = middle;
    else low = middle;
  }
  return { parameters: high, tokens: tokensForLoss(law, high, loss)! };
}

function tooSmall(law: ScalingLaw, parameters: number, loss: number): never {
  const best = law.E + law.A / parameters ** law.alpha;
  return fail(
    where,
    `${amount(parameters)} parameters do not get below the loss ${digits(best)} by ${law.name}, whatever the data, but ${digits(loss)} is asked for: raise either`,
  );
}

function tooFew(law: ScalingLaw, tokens: number, loss: number): never {
  const best = law.E + law.B / tokens ** law.beta;
  return fail(
    where,
    `${amount(tokens)} tokens do not bring any model below the loss ${digits(best)} by ${law.name}, but ${digits(loss)} is asked for: raise either`,
  );
}
