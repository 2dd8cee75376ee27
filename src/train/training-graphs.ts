// The graphs that training runs, built once: their memory is counted and they are compiled from the same ones.
import type { Graph, Tensor } from "../graph/index.ts";
import { type LossGraph, lossGraph } from "../model/index.ts";
import { gatherGraph, stepGraph, updateGraph } from "./step-graphs.ts";
import type { TrainerOptions } from "./trainer.ts";

/** The graphs of training. */
export interface TrainingGraphs {
  /** The step's first pass; with one pass per step, the whole step. */
  readonly first: LossGraph;
  /** The passes behind the first one, which add to its gradients. */
  readonly more?: LossGraph;
  /** The update behind the last pass, where the first one is not the whole step. */
  readonly update?: Graph;
  /** See `Update.norm`: in the graph that updates. */
  readonly norm: Tensor;
  /** Only forward, on held-out text. */
  readonly evaluation?: LossGraph;
}

/** Builds the graphs that a trainer of these options runs. */
export function trainingGraphs(options: TrainerOptions): TrainingGraphs {
  const { config, size, documentMask, adamw, accumulation, evaluates } = options;
  const pass = { ...size, ...(documentMask && { documentMask }) };
  const evaluation = evaluates ? { evaluation: lossGraph(config, size) } : {};
  if (accumulation === 1) {
    const step = stepGraph(config, pass, adamw);
    return { first: step, norm: step.norm, ...evaluation };
  }
  const { graph: update, norm } = updateGraph(config, adamw);
  return { first: gatherGraph(config, pass, true), more: gatherGraph(config, pass, false), update, norm, ...evaluation };
}

/** The graphs that are compiled, in the order of a step. */
export function allGraphs({ first, more, update, evaluation }: TrainingGraphs): Graph[] {
  return [first.graph, more?.graph, update, evaluation?.graph].filter((graph) => graph !== undefined);
}
