// When training went wrong: the loss is no number, or it jumped and stays up.
import { CriaError, median } from "../base/index.ts";

/** The loss is no number, or jumped and stayed up. */
export class BadLossError extends CriaError {}

/** The rule: a loss is high when it lies above the median of the last `window` good ones by more than `deviations` robust standard deviations and
 * by more than `nats`. One high loss is an odd batch; `patience` of them in a row are a spike. It needs `fewest` good losses to judge by. */
export const spikeRule = { window: 128, fewest: 32, deviations: 8, nats: 0.5, patience: 4 } as const;

/** Watches the losses of a run, and says when training went wrong. */
export class LossWatch {
  readonly #recent: number[] = [];
  readonly #stopOnSpike: boolean;
  #bad = 0;

  constructor(stopOnSpike: boolean) {
    this.#stopOnSpike = stopOnSpike;
  }

  /** Bad losses in a row, up to the last: while there are some the weights may be spoilt, and no checkpoint should be made of them. */
  get bad(): number {
    return this.#bad;
  }

  /** Takes in the losses up to a checkpoint, so that the next is judged as if the run had never stopped. */
  replay(losses: Iterable<number>): void {
    for (const loss of losses) this.#judge(loss);
  }

  /** @throws BadLossError when the step's loss or gradient norm is no number, or a spike is complete. */
  see(step: number, loss: number, gradientNorm: number): void {
    const areFinite = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    const limit = this.#judge(areFinite ? loss : Number.NaN);
    if (!areFinite)
      throw new BadLossError("train", `step ${step}: the loss is ${loss} and the gradient norm ${gradientNorm} but both must be finite`);
    if (this.#bad >= spikeRule.patience) {
      const above = `${this.#bad} times in a row above ${limit.toFixed(3)}, the limit by the steps before`;
      throw new BadLossError("train", `step ${step}: the loss is ${loss.toFixed(3)}, and ${above}`);
    }
  }

  /** Counts bad ones, and learns from good ones alone, or high losses would become the rule. @returns the limit that it was held against. */
  #judge(loss: number): number {
    const limit = this.#stopOnSpike ? this.#limit() : Number.POSITIVE_INFINITY;
    this.#bad = loss <= limit ? 0 : this.#bad + 1;
    if (loss <= limit) this.#recent.push(loss);
    if (this.#recent.length > spikeRule.window) this.#recent.shift();
    return limit;
  }

  #limit(): number {
    if (this.#recent.length < spikeRule.fewest) return Number.POSITIVE_INFINITY;
    const middle = median(this.#recent);
    const deviation = normalFactor * median(this.#recent.map((loss) => Math.abs(loss - middle)));
    return middle + Math.max(spikeRule.deviations * deviation, spikeRule.nats);
  }
}

/** Median absolute deviation to standard deviation, for normal values. */
const normalFactor = 1.4826;
