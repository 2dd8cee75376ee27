// A published utilisation is that of a whole run. What a layout costs must not come off it twice: this is what computing alone reached.
import { preset } from "../model/index.ts";
import { type Accelerator, accelerator, peakOf } from "./accelerators.ts";
import { trainingFlopsPerToken, utilisationOf } from "./flops.ts";
import { type Cluster, type Job, layouts } from "./layout.ts";
import { llamaBatchTokens } from "./llama-runs.ts";
import { trainingPrecisions } from "./memory.ts";

/** Each halves what is left. */
const rounds = 32;

/**
 * The utilisation of computation with which the published run's own fastest layout comes to the share that was published, 0 to 1.
 * Undefined where that run is not known well enough to be laid out. LLaMA-65B's 49.7 % become 54.8 %; the hours of LLaMA-13B, which fits
 * without tensor parallelism, come to 54.7 %.
 */
export function computationUtilisation({ utilisation: { share, run } }: Accelerator): number | undefined {
  if (run === undefined) return undefined;
  const board = accelerator(run.board);
  const { peak } = peakOf(board);
  const config = preset(run.preset);
  const job = { config, precision: trainingPrecisions.mixed, batchTokens: llamaBatchTokens, length: config.contextLength };
  return computationFor(job, { accelerator: board, count: run.count, peak }, share);
}

/**
 * The utilisation of computation, 0 to 1, with which the fastest layout comes to a share of the peak; 1 where its losses alone are more.
 * @throws CriaError when no layout fits
 */
export function computationFor(job: Job, cluster: Omit<Cluster, "utilisation">, share: number): number {
  const { count, peak } = cluster;
  const reached = (utilisation: number) => {
    const [best] = layouts(job, { ...cluster, utilisation });
    return utilisationOf(trainingFlopsPerToken(job.config, job.length), best!.tokensPerSecond / count, peak);
  };
  // Faster computation never makes a slower layout, but a full network may leave the fastest one as it is: bisection.
  let [low, high] = [share, 1];
  for (let i = 0; i < rounds; i++) {
    const middle = (low + high) / 2;
    if (reached(middle) < share) low = middle;
    else high = middle;
  }
  return high;
}
