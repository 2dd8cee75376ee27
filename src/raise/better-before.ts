// Whether a run has learned its text by heart: then its loss on held-out text rises again, and more steps make it worse.
import { type EvaluationRow, isEvaluationRow, type MetricsRow } from "../runs/index.ts";

/** Nats per token: smaller differences are chance. */
const clear = 0.02;

/** The best of a run's evaluations, where it is clearly better than the last one. */
export function betterBefore(rows: readonly MetricsRow[]): EvaluationRow | undefined {
  const evaluations = rows.filter(isEvaluationRow);
  const best = evaluations.toSorted((a, b) => a.heldOutLoss - b.heldOutLoss)[0];
  const last = evaluations.at(-1);
  return best !== undefined && last !== undefined && last.heldOutLoss - best.heldOutLoss > clear ? best : undefined;
}
