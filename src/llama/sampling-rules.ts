// The options of sampling at the library's door: what each must be, and which of a model's defaults a caller's own choice takes the place of.
import { choosing, type GenerateTextOptions, type SamplingOptions, stepOf } from "../infer/index.ts";
import { is, type Rule } from "./check-arguments.ts";

/** A rule per option; ranges are the sampler's. */
export const samplingRules = {
  ...{ temperature: is.number, temperatureRange: is.number, temperatureExponent: is.number },
  ...{ topK: is.number, topP: is.number, minP: is.number, typicalP: is.number, topNSigma: is.number },
  ...{ xtcProbability: is.number, xtcThreshold: is.number },
  ...{ repetitionPenalty: is.number, frequencyPenalty: is.number, presencePenalty: is.number, penaltyLast: is.natural },
  ...{ dryMultiplier: is.number, dryBase: is.number, dryAllowedLength: is.number, dryLast: is.natural, dryBreakers: is.texts },
  ...{ mirostat: is.number, mirostatTau: is.number, mirostatEta: is.number },
  ...{ logitBias: is.bias, order: is.texts, seed: is.number, choice: is.natural },
} satisfies Record<keyof SamplingOptions, Rule>;

/**
 * A model's defaults, less those that what is asked for takes the place of: with mirostat the steps that choose candidates, and with an order those of
 * steps that it leaves out.
 */
export function withoutOthers(defaults: GenerateTextOptions, { mirostat = 0, order }: GenerateTextOptions): GenerateTextOptions {
  const isOther = (name: string) => {
    const step = stepOf(name as keyof SamplingOptions);
    const isLeftOut = order !== undefined && step !== undefined && !order.includes(step);
    return isLeftOut || (mirostat > 0 && choosing.some((other) => other === name));
  };
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !isOther(name)));
}
