// The graph that everyone runs who writes or scores text: rows of many sequences, whose keys and values lie in pages.
import { check, type StateDType } from "../base/index.ts";
import {
  embedding,
  Graph,
  i32,
  logSumExp,
  maskLogits,
  type PagedRows,
  type PagePool,
  pagedAttention,
  pagedRowInputs,
  pageKeys,
  pageWrite,
  poolType,
  type Tensor,
  topK,
} from "../graph/index.ts";
import { type LlamaConfig, windowOf } from "./config.ts";
import { type Declare, type DeclaredParameters, declareWeights } from "./declare.ts";
import { type Attention, type LlamaParts, llama } from "./llama.ts";
import { outputProjection, required } from "./parameters.ts";
import { partsOf } from "./parts.ts";
import { declareTurns } from "./rope-frequencies.ts";

/** An output of the model's: 0 is the embedding, i the i-th layer, "final" what logits are made of, behind the final norm where there is one. */
export type OutputName = number | "final" | AttentionOutput;
/** What attention compares in a layer, counted from 0, turned by its positions: queries [R, H·D], keys [R, KV·D]. */
export type AttentionOutput = `${"queries" | "keys"}.${number}`;

/** The pages of all layers: states called "cache.0.keys", "cache.0.values", …, which graphs of all sizes share. */
export interface CacheSize {
  /** G: pages of the pool. */
  readonly pages: number;
  /** How keys and values are stored; f32 by default. */
  readonly type?: StateDType;
}

/** How large a program of inference is, and how its cache and logits lie. */
export interface InferenceSize {
  /** R: rows that a run has at most. */
  readonly rows: number;
  /** S: sequences to which these belong, at most. */
  readonly sequences: number;
  /** Positions that a sequence has at most: P = ⌈contextLength / 64⌉ pages. */
  readonly contextLength: number;
  readonly cache: CacheSize;
  /** L: rows that logits are made of, at most. All rows where it is R; fewer than R otherwise, and which they are is an input. */
  readonly logitRows: number;
  /** Keeps of every such row its largest logits and the logarithm of their sum, too. */
  readonly top?: TopSize | undefined;
  /** Outputs that are kept; none by default. */
  readonly outputs?: Iterable<OutputName>;
  /** How the parameters enter the graph: by default as weights of float32, without an adapter. */
  readonly declare?: Declare;
}

/** What is taken of each row of logits. */
export interface TopSize {
  /** How many logits per row. */
  readonly k: number;
  /** Whether an input says which tokens count among the largest. */
  readonly isMasked: boolean;
}

/** What a program leaves of its logits where only the largest are read. */
export interface TopTensors {
  /** [L, k], falling, and their tokens, i32 [L, k]; kept. */
  readonly values: Tensor;
  readonly ids: Tensor;
  /** [L]: ln Σ exp of all logits, whatever is allowed; kept. */
  readonly logSumExp: Tensor;
  /** Input "allowed", i32 [L, ⌈V/32⌉]: a bit per token. */
  readonly allowed?: Tensor | undefined;
}

/** A graph that computes rows of several sequences, with its inputs and outputs. */
export interface InferenceGraph extends DeclaredParameters {
  readonly graph: Graph;
  /** Input "tokens", i32 [R]; `ropeInputs` says one more. */
  readonly tokens: Tensor;
  /** Inputs "positions", "slots", "pages", "tiles" and "count": which rows there are. */
  readonly rows: PagedRows;
  /** Inputs "logitRows", i32 [L], and "logitCount", i32 [1]; absent where logits are of all rows. */
  readonly chosen?: { readonly rows: Tensor; readonly count: Tensor };
  readonly pools: readonly PagePool[];
  /** [L, V]; kept. */
  readonly logits: Tensor;
  readonly top?: TopTensors | undefined;
  /** The outputs that were asked for, a row each per row of the pass; kept. */
  readonly hidden: ReadonlyMap<OutputName, Tensor>;
}

/** @throws CriaError when the sequences are longer than the model's context, or the sizes do not fit together. */
export function inferenceGraph(config: LlamaConfig, size: InferenceSize): InferenceGraph {
  const { rows: R, sequences: S, contextLength, cache, logitRows: L, top, outputs = [], declare = declareFloats } = size;
  check(
    contextLength <= config.contextLength,
    "model",
    () => `${contextLength} positions exceed the model's context of ${config.contextLength}: take ${config.contextLength} or fewer`,
  );
  check(L <= R, "model", () => `logits of ${L} rows are wanted, but a run has ${R}`);
  const graph = new Graph("float32", "int8");
  const tokens = graph.input("tokens", i32(R));
  const rows = pagedRowInputs(graph, { R, S, P: Math.ceil(contextLength / pageKeys) });
  graph.limitRows(R, rows.count);
  const declared = declare(graph, config);
  const pools = cachePools(graph, config, cache);
  const made = new Map<OutputName, Tensor>();
  const parts = watched({ ...partsOf(config), attention: attentionOverPages(config, pools, rows) }, made);
  const x = llama(declared.parameters, parts, config, { tokens, positions: rows.positions, turns: declareTurns(graph, config) }); // [R, C]
  const output = (name: OutputName) => required(name === "final" ? x : made.get(name), `the output ${name}`);
  const hidden = new Map([...outputs].map((name) => [name, graph.keep(output(name))] as const));
  const chosen = L === R ? undefined : { rows: graph.input("logitRows", i32(L)), count: graph.input("logitCount", i32(1)) };
  if (chosen) graph.limitRows(L, chosen.count);
  const scored = chosen ? embedding(x, chosen.rows) : x; // [L, C]
  const logits = graph.keep(outputProjection(declared.parameters).apply(scored)); // [L, V]
  return {
    graph,
    ...declared,
    tokens,
    rows,
    ...(chosen && { chosen }),
    pools,
    logits,
    ...(top && { top: largest(graph, logits, top) }),
    hidden,
  };
}

function declareFloats(graph: Graph, config: LlamaConfig): DeclaredParameters {
  return declareWeights(graph, config, () => "f32");
}

function largest(graph: Graph, logits: Tensor, { k, isMasked }: TopSize): TopTensors {
  const [L, V] = logits.shape as [number, number];
  const allowed = isMasked ? graph.input("allowed", i32(L, Math.ceil(V / 32))) : undefined;
  const { values, ids } = topK(allowed ? maskLogits(logits, allowed) : logits, k);
  return { values: graph.keep(values), ids: graph.keep(ids), logSumExp: graph.keep(logSumExp(logits)), allowed };
}

/** The states of a cache, declared in a graph. @throws CriaError where the layout does not take heads of this size. */
export function cachePools(graph: Graph, config: LlamaConfig, { pages, type = "f32" }: CacheSize): PagePool[] {
  const state = poolType(type, { pages, kvHeads: config.nKvHeads, headDim: config.headDim });
  return Array.from({ length: config.nLayers }, (_, i) => ({
    keys: graph.state(`cache.${i}.keys`, state),
    values: graph.state(`cache.${i}.values`, state),
  }));
}

/** Rows attend to their own sequences over pages that their keys and values join first. */
function attentionOverPages(config: LlamaConfig, pools: readonly PagePool[], rows: PagedRows): Attention {
  return (q, k, v, layer) => {
    const pool = required(pools[layer], `cache.${layer}`);
    pageWrite(pool, k, v, rows);
    return pagedAttention(q, pool, rows, { window: windowOf(config, layer) ?? 0 }); // [R, H·D]
  };
}

/** The same parts; the embedding, the layers' outputs and what attention compares are added to `made`. */
function watched<Parts extends LlamaParts>(parts: Parts, made: Map<OutputName, Tensor>): Parts {
  let layers = 0;
  const watch = (x: Tensor) => {
    made.set(layers++, x);
    return x;
  };
  return {
    ...parts,
    positions: { ...parts.positions, addPosition: (x, positions, table) => watch(parts.positions.addPosition(x, positions, table)) },
    layer: (x, halves) => watch(parts.layer(x, halves)),
    attention: (q, k, v, layer) => {
      made.set(`queries.${layer}`, q).set(`keys.${layer}`, k);
      return parts.attention(q, k, v, layer);
    },
  };
}
