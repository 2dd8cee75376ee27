// Loss as a function of size and data, L(N, D) = E + A/N^α + B/D^β, and what follows from it for N parameters, D tokens and
// C = 6·N·D operations (Hoffmann et al. 2022, arXiv 2203.15556, section 3.3 and appendix D.3). Losses are in nats per token.
import { check } from "../base/index.ts";
import { digits } from "./amount.ts";

/** A scaling law by its five numbers. Losses are in nats per token of the text that it was fitted to. */
export interface ScalingLaw {
  readonly name: string;
  readonly source: string;
  /** What no model of this text gets below. */
  readonly E: number;
  readonly A: number;
  readonly B: number;
  readonly alpha: number;
  readonly beta: number;
  /** The smallest and the largest model that it was fitted to, and the fewest and the most tokens. */
  readonly parameters: readonly [number, number];
  readonly tokens: readonly [number, number];
}

/** A model's size and the tokens it is trained on. */
export interface Allocation {
  readonly parameters: number;
  readonly tokens: number;
}

/**
 * What the published laws were fitted to: "over 400 language models ranging from 70 million to over 16 billion parameters on 5 to 500
 * billion tokens" (Hoffmann et al. 2022, abstract). The refit read 240 of these runs off the paper's figure 4.
 */
const chinchillaRuns = { parameters: [70e6, 16e9], tokens: [5e9, 500e9] } as const;

/** The published ones, for web text in tokens of about four bytes. */
export const laws = {
  hoffmann: {
    name: "Hoffmann, approach 3",
    source: "Hoffmann et al. 2022, arXiv 2203.15556, section 3.3",
    E: 1.69,
    A: 406.4,
    B: 410.7,
    alpha: 0.34,
    beta: 0.28,
    ...chinchillaRuns,
  },
  /** The same data fitted again: the first fit had stopped early, and disagreed with the paper's other approaches. */
  besiroglu: {
    name: "Besiroglu refit",
    source: "Besiroglu et al. 2024, arXiv 2404.10102",
    E: 1.8172,
    A: 482.01,
    B: 2085.43,
    alpha: 0.3478,
    beta: 0.3658,
    ...chinchillaRuns,
  },
} as const satisfies Record<string, ScalingLaw>;

/** What Hoffmann et al.'s approaches 1 and 2 come to. */
export const tokensPerParameter = 20;

/** Operations of training: a multiply and an add for every parameter forward, twice that backward (Kaplan et al. 2020, section 2.1). */
export function trainingFlops({ parameters, tokens }: Allocation): number {
  return 6 * parameters * tokens;
}

/** Operations of reading or writing so many tokens with a trained model (Kaplan et al. 2020, section 2.1). */
export function servingFlops(parameters: number, tokens: number): number {
  return 2 * parameters * tokens;
}

/** The loss that a law predicts, in nats per token. */
export function lossOf(law: ScalingLaw, { parameters, tokens }: Allocation): number {
  return law.E + law.A / parameters ** law.alpha + law.B / tokens ** law.beta;
}

/** The lowest loss for so many operations (Hoffmann et al. 2022, equation 4). */
export function optimumForCompute(law: ScalingLaw, flops: number): Allocation {
  const product = flops / 6;
  const parameters = balance(law) * product ** (law.beta / (law.alpha + law.beta));
  return { parameters, tokens: product / parameters };
}

/** 20 tokens per parameter. */
export function rootRuleForCompute(flops: number): Allocation {
  const parameters = Math.sqrt(flops / (6 * tokensPerParameter));
  return { parameters, tokens: tokensPerParameter * parameters };
}

/** The fewest operations for a loss. @throws CriaError where the loss is not above E */
export function optimumForLoss(law: ScalingLaw, loss: number): Allocation {
  const excess = excessOf(law, loss);
  // The optimum has α·A/N^α = β·B/D^β, so the excess splits in the proportion β : α.
  return {
    parameters: inversePower(law.A, (excess * law.beta) / (law.alpha + law.beta), law.alpha),
    tokens: inversePower(law.B, (excess * law.alpha) / (law.alpha + law.beta), law.beta),
  };
}

/** The tokens with which a model of this size has the lowest loss for its operations. */
export function optimumForParameters(law: ScalingLaw, parameters: number): Allocation {
  const product = (parameters / balance(law)) ** ((law.alpha + law.beta) / law.beta);
  return { parameters, tokens: product / parameters };
}

/** The size for which so many tokens give the lowest loss for their operations. */
export function optimumForTokens(law: ScalingLaw, tokens: number): Allocation {
  const product = (tokens * balance(law)) ** ((law.alpha + law.beta) / law.alpha);
  return { parameters: product / tokens, tokens };
}

/** The tokens that bring a model of this size to the loss; undefined where no number does. */
export function tokensForLoss(law: ScalingLaw, parameters: number, loss: number): number | undefined {
  const left = loss - law.E - law.A / parameters ** law.alpha;
  return left > 0 ? inversePower(law.B, left, law.beta) : undefined;
}

/** The size that reaches the loss with so many tokens; undefined where none does. */
export function parametersForLoss(law: ScalingLaw, tokens: number, loss: number): number | undefined {
  const left = loss - law.E - law.B / tokens ** law.beta;
  return left > 0 ? inversePower(law.A, left, law.alpha) : undefined;
}

/** @throws CriaError where the loss is not above E: nothing reaches it */
export function excessOf(law: ScalingLaw, loss: number): number {
  check(
    loss > law.E,
    "plan",
    () =>
      `the loss ${digits(loss)} is not above ${digits(law.E)}, where a boundless model on boundless data ends by ${law.name}: ask for a higher one`,
  );
  return loss - law.E;
}

/** G of Hoffmann's equation 4: N = G·(C/6)^(β/(α+β)). */
function balance({ A, B, alpha, beta }: ScalingLaw): number {
  return ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
}

/** x where scale / x^exponent = value. */
function inversePower(scale: number, value: number, exponent: number): number {
  return (scale / value) ** (1 / exponent);
}
