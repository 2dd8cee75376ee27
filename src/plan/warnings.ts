// Where a plan's numbers say less than they seem to.
import type { LlamaConfig } from "../model/index.ts";
import { amount, short } from "./amount.ts";
import type { ScalingLaw } from "./law.ts";
import type { Asked } from "./question.ts";
import type { Solution } from "./solve.ts";

/** A sentence each, without a full stop. */
export function warningsOf({ law, vocabSize, model }: Asked, plan: Solution, config: LlamaConfig): string[] {
  const fitted = vocabSize === undefined ? law.name : "the law of your runs";
  return [
    extrapolated(fitted, law, plan),
    knowsNothing(plan, config),
    ...(model ? [otherTokenizer(model.name, config, vocabSize), ...model.warnings] : []),
  ].filter((warning) => warning !== undefined);
}

function extrapolated(name: string, { parameters, tokens }: ScalingLaw, plan: Solution): string | undefined {
  const isBeyond = (value: number, [least, most]: readonly [number, number]) => value < least || value > most;
  const beyond = [...(isBeyond(plan.parameters, parameters) ? ["N"] : []), ...(isBeyond(plan.tokens, tokens) ? ["D"] : [])];
  if (beyond.length === 0) return undefined;
  const [sizes, lengths] = [parameters, tokens].map((range) => range.map(amount).join(" to "));
  return `${name} was fitted to models of ${sizes} parameters on ${lengths} tokens: here it is extrapolated in ${beyond.join(" and ")}`;
}

function knowsNothing({ loss }: Solution, { vocabSize }: LlamaConfig): string | undefined {
  if (loss <= Math.log(vocabSize)) return undefined;
  const pieces = vocabSize.toLocaleString("en-US");
  return `a loss of ${short(loss)} is above ln(${pieces}) = ${short(Math.log(vocabSize))}, that of guessing among a vocabulary of ${pieces}: no trained model has it, the law does not hold here`;
}

/** @param vocabSize of the runs that the law was fitted to */
function otherTokenizer(name: string, config: LlamaConfig, vocabSize: number | undefined): string | undefined {
  if (vocabSize === undefined || vocabSize === config.vocabSize) return undefined;
  const [theirs, yours] = [config.vocabSize, vocabSize].map((size) => size.toLocaleString("en-US"));
  return `your runs have a vocabulary of ${yours} and ${name} one of ${theirs}: nats per token do not compare, so their law says little of it`;
}
