// One optimiser step as graphs. A step on one batch is a single graph; a step on several batches gathers their gradients in states first.
// All of them share states by name: a parameter "x" has its moments in "x.m" and "x.v", and its gathered gradient in "x.gradient".
import type { Precision } from "../base/index.ts";
import {
  accumulate,
  adamw,
  adamwHyper,
  assign,
  consumeEarly,
  f32,
  Graph,
  gradientNorm,
  gradients,
  recompute,
  type Tensor,
} from "../graph/index.ts";
import {
  type Declare,
  declareParameters,
  type LlamaConfig,
  type LossGraph,
  type LossSize,
  lossGraph,
  type ParameterRow,
} from "../model/index.ts";

/** AdamW's constants; weight decay applies to matrices only. */
export interface AdamwSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
}

/** The paper's constants, section 2.3, which every default is. */
export const llamaAdamw: AdamwSettings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };

/** How the backward pass is computed. */
export interface Backward {
  /** Run norms and activations again in the backward pass instead of keeping them (LLaMA, section 2.4). */
  readonly recompute: boolean;
  /** Precision of all matrix products' operands, forward and backward (Micikevicius et al. 2018, arXiv 1710.03740); float32 by default. */
  readonly precision?: Precision;
}

/** One pass: forward over a batch, and backward. */
export type PassSize = LossSize & Backward;

/** The tensors of an optimiser update. */
export interface Update {
  /** Input "hyper" [5]: what {@link hyperValues} returns. */
  readonly hyper: Tensor;
  /** [1]: norm of all gradients before clipping, of their sum over the gathered batches: divide by `batches` to show it; kept. */
  readonly norm: Tensor;
}

/** A whole step on one batch: loss, gradients, clipping, AdamW. */
export function stepGraph(config: LlamaConfig, size: PassSize, settings: AdamwSettings): LossGraph & Update {
  const { built, found } = differentiated(config, size);
  return { ...built, ...appendUpdate(built.graph, found, settings) };
}

/** A batch whose gradients are written (`first`) or added to the states "NAME.gradient". */
export function gatherGraph(config: LlamaConfig, size: PassSize, first: boolean): LossGraph {
  const { built, found } = differentiated(config, size);
  for (const [row, { gradient }] of found) {
    const gathered = gradientState(built.graph, row);
    if (first) assign(gathered, gradient);
    else accumulate(gathered, gradient);
  }
  consumeEarly(built.graph);
  return built;
}

/** Clipping and AdamW on the gathered gradients of what `declare` says is trained. */
export function updateGraph(
  config: LlamaConfig,
  settings: AdamwSettings,
  declare: Declare = declareParameters,
): { readonly graph: Graph } & Update {
  const graph = new Graph();
  const { trained } = declare(graph, config);
  const found = [...trained].map(([row, parameter]) => [row, { parameter, gradient: gradientState(graph, row) }] as const);
  return { graph, ...appendUpdate(graph, new Map(found), settings) };
}

/** The numbers of a step that vary from step to step. */
export interface Hyper {
  readonly learningRate: number;
  /** t, from 1: both moments are corrected for starting at 0. */
  readonly step: number;
  /** Batches gathered for this step: their mean gradient is taken. */
  readonly batches: number;
  /** Largest norm of that mean gradient; Infinity for no clipping. */
  readonly clipNorm: number;
}

/** The content of the input "hyper". */
export function hyperValues({ learningRate, step, batches, clipNorm }: Hyper, { beta1, beta2 }: AdamwSettings): Float32Array {
  const values: Record<(typeof adamwHyper)[number], number> = {
    learningRate,
    firstCorrection: 1 / (1 - beta1 ** step),
    secondCorrection: 1 / (1 - beta2 ** step),
    gradientScale: 1 / batches,
    clipNorm: Math.min(clipNorm, largestFloat),
  };
  return Float32Array.from(adamwHyper, (name) => values[name]);
}

/** An infinite bound over an infinite norm would be no number. */
const largestFloat = 3.4028234663852886e38;

type Found = ReadonlyMap<ParameterRow, { readonly parameter: Tensor; readonly gradient: Tensor }>;

function differentiated(config: LlamaConfig, size: PassSize): { built: LossGraph; found: Found } {
  const built = lossGraph(config, size);
  const firstBackward = built.graph.nodes.length;
  const byTensor = gradients(built.loss, [...built.trained.values()]);
  if (size.recompute) recompute(built.graph, firstBackward);
  const found = [...built.trained].map(([row, parameter]) => [row, { parameter, gradient: byTensor.get(parameter)! }] as const);
  return { built, found: new Map(found) };
}

function appendUpdate(graph: Graph, found: Found, settings: AdamwSettings): Update {
  const hyper = graph.input("hyper", f32(adamwHyper.length));
  const norm = graph.keep(gradientNorm([...found.values()].map(({ gradient }) => gradient)));
  for (const [row, { parameter, gradient }] of found) {
    const m = graph.state(`${row.name}.m`, parameter);
    const v = graph.state(`${row.name}.v`, parameter);
    adamw({ parameter, gradient, m, v, hyper, norm }, { ...settings, decay: row.decay ? settings.decay : 0 });
  }
  return { hyper, norm };
}

function gradientState(graph: Graph, row: ParameterRow): Tensor {
  return graph.state(`${row.name}.gradient`, f32(...row.shape));
}
