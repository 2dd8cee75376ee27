// The shape of a plan's model; where its size has none, what called for that size and which input would change it.
import { fail } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { amount, digits, exponent } from "./amount.ts";
import type { Asked, Budget } from "./question.ts";
import { shapeFor, shapeSizes } from "./shape.ts";

const where = "plan";

/** @throws CriaError for a size that has no shape */
export function shapeOf(parameters: number, asked: Asked): LlamaConfig {
  const { least, most } = shapeSizes;
  if (parameters >= least && parameters <= most) return shapeFor(parameters, asked.vocabSize);
  const range = `where plans are for ${amount(least)} to ${amount(most)}`;
  if (asked.given.parameters !== undefined)
    return fail(where, `parameters is ${amount(parameters)}, ${range}: that is no size to plan for`, { ways: ["parameters"] });
  const { calls, way, ways } = whyOf(asked, parameters < least);
  return fail(where, `${calls} for a model of ${amount(parameters)} parameters, which is no size to plan for, ${range}: ${way}`, { ways });
}

/** Reasons in words. */
interface Why {
  readonly calls: string;
  readonly way: string;
  /** The options that it names. */
  readonly ways: readonly string[];
}

/** More operations and more tokens call for a larger model, a higher loss for a smaller one; with a budget, tokens leave less for size. */
function whyOf({ given: { tokens, loss }, budget }: Asked, isSmall: boolean): Why {
  if (budget?.timesLargest !== undefined) return whyOn(budget.timesLargest, isSmall);
  const [larger, smaller] = isSmall ? ["raise", "lower"] : ["lower", "raise"];
  const ways = [
    ...(budget ? [[options[budget.kind], budgetText(budget), larger]] : []),
    ...(tokens === undefined ? [] : [["tokens", amount(tokens), budget ? smaller : larger]]),
    ...(loss === undefined ? [] : [["loss", digits(loss), smaller]]),
  ];
  const named = ways.map(([name, value]) => `${name} ${value}`).join(" and ");
  const way = ways.map(([name, , change]) => `${change} ${name}`).join(" or ");
  return { ways: ways.map(([name = ""]) => name), calls: `${named} ${ways.length === 1 ? "calls" : "together call"}`, way };
}

function whyOn(times: number, isSmall: boolean): Why {
  const way = isSmall ? "make longer runs, or ask for more operations" : "ask for fewer operations";
  return { ways: ["flops"], calls: `going on with ${times} times the largest run's operations calls`, way };
}

const options = { operations: "flops", "accelerator-hours": "gpu-hours", hours: "hours", dollars: "money" } as const;

function budgetText({ kind, value }: Budget): string {
  return kind === "operations" ? exponent(value) : amount(value);
}
