// The flags of sampling, by the sampler's options.
import { CriaError, UsageError } from "../base/index.ts";
import type { GenerateOptions } from "../index.ts";
import { createSampler, type SamplerName, type SamplingOptions, samplerNames } from "../infer/index.ts";
import type { FlagRow, Flags } from "./command.ts";
import { stringFlag } from "./flag-values.ts";

type NumberOption = Exclude<keyof SamplingOptions, "logitBias" | "order" | "dryBreakers" | "choice">;

/** The flags that are numbers, each with its option. */
const numberFlags = {
  temperature: {
    name: "temperature",
    help: "above 1 more random, below 1 less random, 0 always the most probable token (default: what generation_config.json says, else 0.8; where that leaves do_sample out cria samples, transformers does not)",
  },
  topK: {
    name: "top-k",
    help: "draw from the K most probable tokens only; 0: from all (default: what generation_config.json says, else 0, or 50 beside other numbers there)",
  },
  topP: {
    name: "top-p",
    help: "draw from the most probable tokens that together reach this share; 1: from all (default: what generation_config.json says, else 0.95, or 1 beside other numbers there)",
  },
  minP: { name: "min-p", help: "draw from tokens at least this share as probable as the most probable; 0: from all" },
  typicalP: {
    name: "typical-p",
    help: "draw from tokens that surprise as much as is expected, which together reach this share; 1: from all",
  },
  topNSigma: {
    name: "top-n-sigma",
    help: "draw from tokens whose logits are at most so many standard deviations below the largest; 0: from all",
  },
  xtcProbability: { name: "xtc-probability", help: "how often all probable tokens but the least of them are left out; 0: never" },
  xtcThreshold: { name: "xtc-threshold", help: "the probability from which --xtc-probability counts a token as probable (default: 0.1)" },
  repetitionPenalty: { name: "repeat-penalty", help: "above 1 makes tokens that prompt and text already have less probable" },
  frequencyPenalty: { name: "frequency-penalty", help: "subtracted from a token's logit each time that it was written" },
  presencePenalty: { name: "presence-penalty", help: "subtracted from a token's logit once it was written" },
  penaltyLast: { name: "penalty-last", help: "these penalties look at so many of the last tokens; 0: at all (default)" },
  dryMultiplier: { name: "dry-multiplier", help: "above 0 makes tokens less probable that go on with a repetition (DRY); 0.8 is usual" },
  dryBase: { name: "dry-base", help: "how fast that grows with the length of the repetition (default: 1.75)" },
  dryAllowedLength: { name: "dry-allowed-length", help: "tokens of a repetition that cost nothing (default: 2)" },
  dryLast: { name: "dry-last", help: "DRY looks at so many of the last tokens; 0: at all (default)" },
  temperatureRange: {
    name: "temperature-range",
    help: "the temperature moves so far to both sides, by how sure the model is; 0: not (default)",
  },
  temperatureExponent: { name: "temperature-exponent", help: "how it moves with the share of the greatest entropy (default: 1)" },
  mirostat: {
    name: "mirostat",
    help: "1 or 2 holds the surprise of tokens by this version of Mirostat, in place of what else chooses tokens; 0: not (default)",
  },
  mirostatTau: { name: "mirostat-tau", help: "the surprise that Mirostat holds, in bits (default: 5)" },
  mirostatEta: { name: "mirostat-eta", help: "how fast Mirostat learns (default: 0.1)" },
  seed: { name: "seed", help: "an integer; the same seed gives the same text" },
} as const satisfies Record<NumberOption, { readonly name: string; readonly help: string }>;

/** Flags that mean nothing without another one, which is off where it is not given. */
const needed: Partial<Readonly<Record<NumberOption, NumberOption>>> = {
  xtcThreshold: "xtcProbability",
  ...{ dryBase: "dryMultiplier", dryAllowedLength: "dryMultiplier", dryLast: "dryMultiplier" },
  temperatureExponent: "temperatureRange",
  ...{ mirostatTau: "mirostat", mirostatEta: "mirostat" },
};

/** All flags of sampling. */
export const samplingFlags: readonly FlagRow[] = [
  ...Object.values(numberFlags).map(({ name, help }): FlagRow => ({ name, type: "number", help })),
  {
    name: "logit-bias",
    type: "string",
    repeat: true,
    value: "ID=BIAS",
    help: "added to a token's logit; -inf rules it out; may be given several times",
  },
  { name: "samplers", type: "string", value: "NAME,…", help: `the steps that hold, in this order (default: ${samplerNames.join(",")})` },
];

/**
 * The options that flags give, with a seed, which is drawn here where none is given, so that it can be told.
 * @throws UsageError naming the flag that is out of its range or does nothing by itself, before anything is loaded
 */
export function readSampling(flags: Flags, where: string): GenerateOptions & { readonly seed: number } {
  checkNeeded(flags, where);
  const rows = Object.entries(numberFlags).filter(([, { name }]) => flags[name] !== undefined);
  const order = stringFlag(flags, "samplers")
    ?.split(",")
    .map((name) => name.trim() as SamplerName);
  const logitBias = readBias(flags, where);
  const given: SamplingOptions = {
    ...Object.fromEntries(rows.map(([option, { name }]) => [option, flags[name]])),
    ...(order !== undefined && { order }),
    ...(logitBias.size > 0 && { logitBias }),
  };
  const { dryBreakers: _, ...options } = given;
  return { ...options, seed: checkedSeed(given, where) };
}

function checkNeeded(flags: Flags, where: string): void {
  for (const [option, other] of Object.entries(needed)) {
    const [{ name }, { name: otherName }] = [numberFlags[option as NumberOption], numberFlags[other]];
    if (flags[name] !== undefined && flags[otherName] === undefined)
      throw new UsageError(where, `--${name} ${flags[name]} changes nothing without --${otherName}: give that too, or omit --${name}`);
  }
}

function readBias(flags: Flags, where: string): Map<number, number> {
  const rows = (flags["logit-bias"] ?? []) as readonly string[];
  return new Map(
    rows.map((text) => {
      const [, id, bias = ""] = /^(\d+)=(.+)$/.exec(text) ?? [];
      const value = bias === "-inf" ? Number.NEGATIVE_INFINITY : Number(bias);
      if (id === undefined || Number.isNaN(value))
        throw new UsageError(where, `--logit-bias is "${text}" but must be ID=BIAS, such as 42=-1.5 or 42=-inf`);
      return [Number(id), value];
    }),
  );
}

function checkedSeed(given: SamplingOptions, where: string): number {
  try {
    return createSampler(given).seed;
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    throw new UsageError(where, asFlags(error.message.replace(/^\[\w+\] /, "")), { cause: error });
  }
}

/** A message of the sampler's, whose options are named as flags; names of steps in an order stay. */
function asFlags(message: string): string {
  if (message.startsWith("order ")) return message.replace("order", "--samplers");
  const names = new Map<string, string>(Object.entries(numberFlags).map(([option, { name }]) => [option, name]));
  return message
    .replace(/\b[a-z]+[A-Za-z]*\b/g, (word) => (names.has(word) ? `--${names.get(word)}` : word))
    .replace(/^logitBias/, "--logit-bias");
}
