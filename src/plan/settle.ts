// Makes one plan of what was given: its size, its tokens, and the shape of its model.
import { fail } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { flopsIn } from "./cost.ts";
import { lossOf } from "./law.ts";
import type { Machine } from "./machine.ts";
import type { Asked, Budget } from "./question.ts";
import { type RunOn, runOn } from "./run-on.ts";
import { servingOptimum, servingOptimumForCompute } from "./serving.ts";
import { shapeOf } from "./shape-of.ts";
import { type Solution, solve } from "./solve.ts";

/** Where a number comes from: the person, the model that was named, the paper, the budget, one's own runs, the scaling law, or C = 6·N·D. */
export type Origin = "given" | "model" | "paper" | "budget" | "runs" | "law" | "arithmetic";

/** A plan's numbers, and why they are these. */
export interface Chosen extends Solution {
  /** Why this size and these tokens. */
  readonly because: string;
  readonly from: Readonly<Record<"parameters" | "tokens" | "flops" | "loss", Origin>>;
}

/** A plan with its model's shape and its run. */
export interface Settled extends RunOn {
  readonly plan: Chosen;
  readonly config: LlamaConfig;
  /** That the budget pays for, where there is one. */
  readonly flops?: number;
}

/** Rounds in which the shape may follow the budget; after them it stays, so that what is left to find is in proportion to the budget. */
const looseRounds = 4;

/**
 * A budget of time pays for attention, for what the layout costs, and for a shape, none of which the law's 6·N·D knows: the operations
 * are found by what the run comes to. @throws CriaError for what no model reaches
 */
export function settle(asked: Asked, machine: Machine): Settled {
  const hours = hoursOf(asked, machine);
  let flops = asked.budget?.kind === "operations" ? asked.budget.value : hours && flopsIn(hours, machine.peak, machine.utilisation);
  let config = asked.model?.config;
  for (let round = 1; ; round++) {
    const plan = choose(asked, flops);
    if (config === undefined || round <= looseRounds) config = asked.model?.config ?? shapeOf(plan.parameters, asked);
    const settled = { plan, config, ...runOn(asked, machine, plan, config) };
    if (flops === undefined) return settled;
    if (hours === undefined || round === looseRounds + 2) return { ...settled, flops };
    flops *= hours / settled.run.acceleratorHours;
  }
}

/** Hours of one accelerator; undefined where the budget is of operations, or there is none. */
function hoursOf({ budget }: Asked, { count, price, name }: Machine): number | undefined {
  switch (budget?.kind) {
    case undefined:
    case "operations":
      return undefined;
    case "accelerator-hours":
      return budget.value;
    case "hours":
      return budget.value * count;
    case "dollars":
      return budget.value / (price ?? fail("plan", `${name} has no price: give one`, { ways: ["price"] }));
  }
}

/** What was given decides; of a budget or a loss alone, with tokens to serve, the cheapest life that the one pays for or the other allows. */
function choose(asked: Asked, flops: number | undefined): Chosen {
  const { given, law, served, isPapersTokens } = asked;
  const known = { ...given, ...(flops !== undefined && { flops }) };
  const from = originsOf(asked, flops);
  const names = Object.keys(known);
  if (names.length === 1 && served !== undefined && (flops !== undefined || given.loss !== undefined)) {
    const cheapest = flops === undefined ? servingOptimum(law, given.loss!, served) : servingOptimumForCompute(law, flops, served);
    const { parameters, tokens, training } = cheapest;
    const because = `the cheapest life ${flops === undefined ? "at the loss" : "that the budget pays for"}`;
    return { parameters, tokens, flops: training, loss: lossOf(law, cheapest), because, from };
  }
  const times = asked.budget?.timesLargest;
  const budget = times === undefined ? "the budget" : `${times} times the operations of the largest run`;
  const what = names.map((name) => (name === "flops" ? budget : `the ${name}`)).join(" and ");
  const because = isPapersTokens ? "as in the paper" : `${names.length === 2 ? "decided by" : "compute-optimal for"} ${what}`;
  return { ...solve(law, known), because, from };
}

function originsOf({ given, model, isPapersTokens, budget }: Asked, flops: number | undefined): Chosen["from"] {
  const decided = (other: number | undefined) => (flops !== undefined && other !== undefined ? "arithmetic" : "law");
  const parameters = given.parameters === undefined ? decided(given.tokens) : model ? "model" : "given";
  const tokens = given.tokens === undefined ? decided(given.parameters) : isPapersTokens ? "paper" : "given";
  const operations = budget === undefined ? "arithmetic" : originOf(budget);
  return { parameters, tokens, flops: operations, loss: given.loss === undefined ? "law" : "given" };
}

function originOf({ kind, timesLargest }: Budget): Origin {
  if (kind !== "operations") return "budget";
  return timesLargest === undefined ? "given" : "runs";
}
