// A published utilisation is that of a whole run. What a layout costs must not come off it twice: this is what computing alone reached.
import { preset } from "../model/index.ts";
import { type Accelerator, accelerator, peakOf } from "./accelerators.ts";
import { trainingFlopsPerToken, utilisationOf } from "./flops.ts";
import { layouts } from "./layout.ts";
import { llamaBatchTokens } from "./llama-runs.ts";
import { trainingPrecisions } from "./memory.ts";

/** Each comes some ten times nearer. */
const rounds = 10;

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
  const reached = (utilisation: number) => {
    const [best] = layouts(job, { accelerator: board, count: run.count, peak, utilisation });
    return utilisationOf(trainingFlopsPerToken(config), best!.tokensPerSecond / run.count, peak);
  };
  let found = share;
  for (let i = 0; i < rounds; i++) found *= share / reached(found);
  return found;
}
