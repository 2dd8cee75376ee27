// The numbers of sampling: what each means, the value that does nothing, and its range.
import { check } from "../base/index.ts";

/**
 * The steps between logits and a draw, in the order in which they hold unless another one is asked for: first what changes logits, then the
 * temperature, as in Hugging Face's transformers, then what chooses candidates.
 */
export const samplerNames = [
  "logitBias",
  "repetitionPenalty",
  "countPenalties",
  "dry",
  "temperature",
  "topNSigma",
  "topK",
  "topP",
  "minP",
  "typicalP",
  "xtc",
] as const;

/** The name of a step between logits and a draw. */
export type SamplerName = (typeof samplerNames)[number];

/** What each number does when it is absent: nothing. */
export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most probable token, among equals the lowest id. At least 0, 1 by default. */
  readonly temperature?: number;
  /**
   * The temperature lies so far around `temperature` as the candidates' entropy says: least where the model is sure, most where all candidates are equally
   * probable. From 0 to `temperature`, 0 by default (llama.cpp's dynamic temperature).
   */
  readonly temperatureRange?: number;
  /** The share of the greatest entropy to this power places the temperature within its range. Above 0, 1 by default. */
  readonly temperatureExponent?: number;
  /** Only the k most probable tokens stay, among equals the lowest ids; 0 keeps all. 0 by default. */
  readonly topK?: number;
  /**
   * The fewest and most probable tokens stay, of those that are left, that together reach this share. It is above 0 and at most 1;
   * 1 by default (Holtzman et al. 2020, arXiv 1904.09751).
   */
  readonly topP?: number;
  /**
   * Tokens stay whose probability is at least this share of the most probable one's.
   * In [0, 1], 0 by default (Nguyen et al. 2024, arXiv 2407.01082).
   */
  readonly minP?: number;
  /**
   * The tokens stay, of those that are left, whose log-probability is nearest to its expected value, as many as together reach this share.
   * Above 0 and at most 1, 1 by default (Meister et al. 2022, arXiv 2202.00666).
   */
  readonly typicalP?: number;
  /**
   * Tokens stay whose logit is at most so many standard deviations of all logits below the largest, whatever the temperature. At least 0, 0 keeps all and
   * is the default (Tang et al. 2024, arXiv 2411.07641).
   */
  readonly topNSigma?: number;
  /**
   * The probability with which all candidates of at least `xtcThreshold` go but the least probable of them, so that a text takes another turn.
   * In [0, 1], 0 by default ("exclude top choices", p-e-w 2024, text-generation-webui, but line ends and stop tokens may go too, as in llama.cpp).
   */
  readonly xtcProbability?: number;
  /** The least probability of candidates that XTC lets go, in [0, 1]; 0.1 by default, and above 0.5 no two candidates reach it. */
  readonly xtcThreshold?: number;
  /**
   * Logits of tokens that the text holds already, the prompt included, are divided by it where positive and multiplied where negative.
   * Above 0, 1 by default (Keskar et al. 2019, arXiv 1909.05858, section 4.1).
   */
  readonly repetitionPenalty?: number;
  /** It is subtracted from a token's logit as often as the token was written, the prompt left out. 0 by default (OpenAI's protocol). */
  readonly frequencyPenalty?: number;
  /** It is subtracted once from the logit of each token that was written, the prompt left out. 0 by default (OpenAI's protocol). */
  readonly presencePenalty?: number;
  /** The penalties above look at so many of the last tokens; 0 is all of them, and the default. */
  readonly penaltyLast?: number;
  /**
   * A token that would lengthen a repetition of the text's end to more than `dryAllowedLength` tokens loses multiplier · base^(length − allowed length) of its
   * logit, where the length is that of the repetition before it. At least 0, 0 by default ("don't repeat yourself", p-e-w 2024, text-generation-webui).
   */
  readonly dryMultiplier?: number;
  /** The growth of DRY's penalty per token of the repetition; at least 1, 1.75 by default. */
  readonly dryBase?: number;
  /** Tokens of a repetition that cost nothing. At least 1, 2 by default. */
  readonly dryAllowedLength?: number;
  /** DRY looks at so many of the last tokens; 0 is all of them, and the default. */
  readonly dryLast?: number;
  /** Tokens that no repetition reaches across, such as line ends. None by default. */
  readonly dryBreakers?: Iterable<number>;
  /** Added to logits, by token of the model; −Infinity rules a token out. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /**
   * The candidates are chosen so that tokens surprise by `mirostatTau` bits on average: version 1 estimates how many are needed, version 2 cuts at a surprise.
   * 0, 1 or 2, 0 by default (Basu et al. 2021, arXiv 2007.14966). Not beside other steps that choose candidates.
   */
  readonly mirostat?: 0 | 1 | 2;
  /** The surprise to hold, in bits. Above 0, 5 by default. */
  readonly mirostatTau?: number;
  /** How fast the choice follows the surprise. Above 0, 0.1 by default. */
  readonly mirostatEta?: number;
  /** The steps that hold, in this order, in place of the usual one; an option of a step that is not among them is refused. */
  readonly order?: readonly SamplerName[];
  /** An integer; the same seed draws the same tokens. Random by default. */
  readonly seed?: number;
  /** Which of several texts with the same seed and prompt it is: each draws other tokens. From 0, 0 by default. */
  readonly choice?: number;
}

/** Sampling options, all of them given, without what only numbers the draws. */
export type Sampling = Required<Omit<SamplingOptions, "seed" | "choice">>;

type NumberName = { [K in keyof Sampling]: Sampling[K] extends number ? K : never }[keyof Sampling];

interface NumberRow {
  readonly usual: number;
  /** Follows "must be". */
  readonly rule: string;
  readonly holds: (value: number) => boolean;
  /** The step that it belongs to; undefined for mirostat's. */
  readonly step: SamplerName | undefined;
}

const atLeast = (least: number, usual: number, step: SamplerName | undefined, what = ""): NumberRow => ({
  ...{ usual, step, rule: `at least ${least}${what}` },
  holds: (value) => value >= least && value < Number.POSITIVE_INFINITY,
});
const above0 = (usual: number, step: SamplerName | undefined, what = ""): NumberRow => ({
  ...{ usual, step, rule: `above 0${what}` },
  holds: (value) => value > 0 && value < Number.POSITIVE_INFINITY,
});
const whole = (least: number, usual: number, step: SamplerName | undefined, what = ""): NumberRow => ({
  ...{ usual, step, rule: `an integer, at least ${least}${what}` },
  holds: (value) => Number.isSafeInteger(value) && value >= least,
});
const share = (usual: number, step: SamplerName, what: string): NumberRow => ({
  ...{ usual, step, rule: `above 0 and at most 1${what}` },
  holds: (value) => value > 0 && value <= 1,
});
const fraction = (usual: number, step: SamplerName, rule: string): NumberRow => ({
  ...{ usual, step, rule },
  holds: (value) => value >= 0 && value <= 1,
});
const finite = (usual: number, step: SamplerName): NumberRow => ({ usual, step, rule: "a finite number", holds: Number.isFinite });

const numbers: Readonly<Record<NumberName, NumberRow>> = {
  repetitionPenalty: above0(1, "repetitionPenalty", " (1 changes nothing)"),
  frequencyPenalty: finite(0, "countPenalties"),
  presencePenalty: finite(0, "countPenalties"),
  penaltyLast: whole(0, 0, undefined, " (0 is the whole text)"),
  dryMultiplier: atLeast(0, 0, "dry", " (0 changes nothing)"),
  dryBase: atLeast(1, 1.75, "dry"),
  dryAllowedLength: whole(1, 2, "dry"),
  dryLast: whole(0, 0, "dry", " (0 is the whole text)"),
  temperature: atLeast(0, 1, "temperature"),
  temperatureRange: atLeast(0, 0, "temperature"),
  temperatureExponent: above0(1, "temperature"),
  topNSigma: atLeast(0, 0, "topNSigma", " (0 keeps all)"),
  topK: whole(0, 0, "topK", " (0 keeps all)"),
  topP: share(1, "topP", " (1 keeps all)"),
  minP: fraction(0, "minP", "from 0 (keeps all) to 1"),
  typicalP: share(1, "typicalP", " (1 keeps all)"),
  xtcProbability: fraction(0, "xtc", "from 0 (off) to 1"),
  xtcThreshold: fraction(0.1, "xtc", "from 0 to 1"),
  mirostat: { usual: 0, step: undefined, rule: "0 (off), 1 or 2", holds: (value) => [0, 1, 2].includes(value) },
  mirostatTau: above0(5, undefined),
  mirostatEta: above0(0.1, undefined),
};

/** The numbers of steps that choose candidates, which mirostat does by itself. */
export const choosing = ["topNSigma", "topK", "topP", "minP", "typicalP", "xtcProbability"] as const satisfies readonly NumberName[];

/** The step that an option belongs to; undefined for those of no step or of several. */
export function stepOf(option: keyof SamplingOptions): SamplerName | undefined {
  if (option === "logitBias") return option;
  return option === "dryBreakers" ? "dry" : Object.hasOwn(numbers, option) ? numbers[option as NumberName].step : undefined;
}

const where = "sampling";

/** The options with their defaults. @throws CriaError naming the one that is out of its range, or two that contradict each other. */
export function samplingOf(options: SamplingOptions): Sampling {
  const sampling = {
    ...Object.fromEntries(Object.entries(numbers).map(([name, { usual }]) => [name, options[name as NumberName] ?? usual])),
    ...{ dryBreakers: options.dryBreakers ?? [], logitBias: options.logitBias ?? new Map(), order: options.order ?? samplerNames },
  } as Sampling;
  for (const [name, { rule, holds }] of Object.entries(numbers))
    check(holds(sampling[name as NumberName]), where, () => `${name} is ${sampling[name as NumberName]} but must be ${rule}`);
  checkTogether(sampling);
  checkOrder(sampling, options);
  return sampling;
}

function checkTogether(sampling: Sampling): void {
  const { temperature, temperatureRange, mirostat, logitBias } = sampling;
  check(
    temperatureRange <= temperature,
    where,
    () => `temperatureRange is ${temperatureRange} but temperature ${temperature}: the range lies on both sides, so it must not be larger`,
  );
  for (const [id, bias] of logitBias)
    check(
      Number.isSafeInteger(id) && id >= 0 && bias < Number.POSITIVE_INFINITY,
      where,
      () => `logitBias of ${id} is ${bias} but a token is an integer, at least 0, and its bias a number or -Infinity`,
    );
  if (mirostat === 0) return;
  const other = choosing.find((name) => sampling[name] !== numbers[name].usual);
  check(
    other === undefined,
    where,
    () => `mirostat is ${mirostat} and ${other} ${other && sampling[other]}: both choose candidates, omit one of them`,
  );
}

function checkOrder({ order }: Sampling, options: SamplingOptions): void {
  for (const name of order)
    check(samplerNames.includes(name), where, () => `order has "${name}", which is none of ${samplerNames.join(", ")}`);
  check(new Set(order).size === order.length, where, () => `order is ${order.join(", ")}: a step may stand in it once`);
  const left = (Object.keys(options) as (keyof SamplingOptions)[]).find((name) => {
    const step = stepOf(name);
    return options[name] !== undefined && step !== undefined && !order.includes(step);
  });
  check(left === undefined, where, () => `${left} is given, but order (${order.join(", ")}) leaves its step out: add it, or omit ${left}`);
}
