// The two graphs that everyone runs: the loss of a batch of sequences, and the logits of one growing sequence.
import { check, type DType, type Precision } from "../base/index.ts";
import { attention, cacheWrite, embedding, f32, Graph, i32, linearCrossEntropy, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import type { Linear } from "./linear.ts";
import { type Attention, attentionSizes, causalAttention, llama } from "./llama.ts";
import {
  type DeclaredParameters,
  declareParameters,
  declareWeights,
  type LlamaParameters,
  outputProjection,
  type ParameterRow,
  required,
} from "./parameters.ts";
import { partsOf } from "./parts.ts";
import { declareTurns } from "./rope-frequencies.ts";

/** B sequences of T tokens each. */
export interface BatchSize {
  readonly batch: number;
  readonly length: number;
}

export interface LossSize extends BatchSize {
  /** What operands of matrix products are rounded to, forward and backward; float32 by default. */
  readonly precision?: Precision;
  /** Whether a row attends its own document alone, of several in a sequence: {@link LossBatch} says then where they begin. */
  readonly documentMask?: boolean;
}

export interface LossGraph extends DeclaredParameters {
  readonly graph: Graph;
  /** Inputs "tokens", "targets" (negative: does not count) and "positions", i32 [B·T], sequence after sequence; `ropeInputs` says one more. */
  readonly tokens: Tensor;
  readonly targets: Tensor;
  readonly positions: Tensor;
  /** Input "firstKeys" i32 [B·T], with a document mask: the first row of each row's document, counted from the beginning of its sequence. */
  readonly firstKeys?: Tensor | undefined;
  /** Input "inverseCount" [1]: 1 / the targets that count, of this batch or of all batches of a step. */
  readonly inverseCount: Tensor;
  /** [1]: the sum of the tokens' losses times inverseCount, in nats; kept. */
  readonly loss: Tensor;
  /** [B·T]: each token's own loss; not kept. */
  readonly losses: Tensor;
}

/** @throws CriaError when the sequences are longer than the model's context. */
export function lossGraph(config: LlamaConfig, { batch, length, precision, documentMask = false }: LossSize): LossGraph {
  checkContext(config, length);
  const graph = new Graph(precision);
  const rows = batch * length;
  const tokens = graph.input("tokens", i32(rows));
  const targets = graph.input("targets", i32(rows));
  const positions = graph.input("positions", i32(rows));
  const declared = declareParameters(graph, config);
  const firstKeys = documentMask ? graph.input("firstKeys", i32(rows)) : undefined;
  const inverseCount = graph.input("inverseCount", f32(1));
  const parts = { ...partsOf(config), attention: causalAttention(config, batch, firstKeys) };
  const x = llama(declared.parameters, parts, config, { tokens, positions, turns: declareTurns(graph, config) }); // [N, C]
  const { loss, losses } = linearCrossEntropy(x, outputMatrix(declared.parameters), targets, inverseCount);
  return { graph, ...declared, tokens, targets, positions, firstKeys, inverseCount, loss: graph.keep(loss), losses };
}

/** [V, C]: the loss is fused with the product, so it takes the matrix itself. */
function outputMatrix(parameters: LlamaParameters<Linear>): Tensor {
  return required(outputProjection(parameters).matrix, "the output projection as one matrix");
}

/** Positions 0 … length − 1 for every sequence of a batch. */
export function batchPositions({ batch, length }: BatchSize): Int32Array {
  return Int32Array.from({ length: batch * length }, (_, row) => row % length);
}

/** What a {@link LossGraph} is fed, [B·T] each. */
export interface LossBatch {
  readonly tokens: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
  /** For a graph with a document mask: each row's place in its document, and the first row of that document in the sequence. */
  readonly documents?: { readonly positions: ArrayLike<number>; readonly firstKeys: ArrayLike<number> } | undefined;
}

/** What is written to, as programs are: an input by its name. */
export interface InputWriter {
  write(input: string, values: ArrayLike<number>): Promise<void>;
}

/**
 * Writes the inputs of a {@link LossGraph} but for the positions of batches that have no documents, which never change: see {@link batchPositions}.
 * @param inverseCount what each token's loss is multiplied by; by default the loss is the mean over the batch
 */
export async function writeBatch(
  program: InputWriter,
  batch: LossBatch,
  inverseCount = inverseOf(countTargets(batch.targets)),
): Promise<void> {
  await program.write("tokens", batch.tokens);
  await program.write("targets", batch.targets);
  await program.write("inverseCount", [inverseCount]);
  for (const [input, values] of Object.entries(batch.documents ?? {})) await program.write(input, values);
}

/** How many targets are predicted: those that are not negative. */
export function countTargets(targets: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i]! >= 0) count++;
  return count;
}

/** 1 / count; 0 where nothing counts, so that loss and gradients are 0 then. */
function inverseOf(count: number): number {
  return count === 0 ? 0 : 1 / count;
}

export interface InferenceSize {
  /** T: rows that a run takes; 1 for decoding. */
  readonly length: number;
  /** S: rows of the cache, at most the model's context. Several graphs may share the cache's buffers. */
  readonly cacheRows: number;
  /** Of every row, or of the one that the input "row" names: logits of a whole prompt are large and mostly unread. */
  readonly logits: "all" | "one";
  /** How the elements of each parameter and constant lie; f32 by default. Norms take nothing else. */
  readonly layoutOf?: (row: ParameterRow) => DType;
}

export interface InferenceGraph extends DeclaredParameters {
  readonly graph: Graph;
  /** Inputs "tokens" and "positions", i32 [T]; `ropeInputs` says one more. Rows behind the last real token may hold anything: later runs write over them. */
  readonly tokens: Tensor;
  readonly positions: Tensor;
  /** Input "start", i32 [1]: rows in the cache before the run; start + T ≤ S. positions[t] is start + t. */
  readonly start: Tensor;
  /** Input "row", i32 [1]; absent for all logits. */
  readonly row?: Tensor;
  /** States "cache.0.key", "cache.0.value", …: [S, KV·D]. */
  readonly cache: KvCache;
  /** [T, V] or [1, V]; kept. */
  readonly logits: Tensor;
}

/** Keys and values of earlier rows, [S, KV·D], layer by layer. */
export type KvCache = readonly { readonly key: Tensor; readonly value: Tensor }[];

/** @throws CriaError when cache and context do not hold the rows. */
export function inferenceGraph(config: LlamaConfig, { length, cacheRows, logits, layoutOf = () => "f32" }: InferenceSize): InferenceGraph {
  checkContext(config, cacheRows);
  check(length <= cacheRows, "model", () => `runs of ${length} tokens do not fit a cache of ${cacheRows} rows`);
  const graph = new Graph();
  const tokens = graph.input("tokens", i32(length));
  const positions = graph.input("positions", i32(length));
  const start = graph.input("start", i32(1));
  const row = logits === "one" ? graph.input("row", i32(1)) : undefined;
  const declared = declareWeights(graph, config, layoutOf);
  const cache = declareCache(graph, config, cacheRows);
  const parts = { ...partsOf(config), attention: cachedAttention(config, cache, start) };
  const x = llama(declared.parameters, parts, config, { tokens, positions, turns: declareTurns(graph, config) }); // [T, C]
  const scores = outputProjection(declared.parameters).apply(row ? embedding(x, row) : x); // [T or 1, V]
  return { graph, ...declared, tokens, positions, start, ...(row && { row }), cache, logits: graph.keep(scores) };
}

/** Attention over a cache that the rows' keys and values join first, from row start[0] on. */
function cachedAttention(config: LlamaConfig, cache: KvCache, start: Tensor): Attention {
  return (q, k, v, layer) => {
    const { key, value } = required(cache[layer], `cache.${layer}`);
    cacheWrite(key, k, start);
    cacheWrite(value, v, start);
    return attention(q, key, value, { batch: 1, ...attentionSizes(config, layer) }, { start }); // [T, H·D]
  };
}

function declareCache(graph: Graph, config: LlamaConfig, rows: number): KvCache {
  const type = f32(rows, config.nKvHeads * config.headDim); // [S, KV·D]
  return Array.from({ length: config.nLayers }, (_, i) => ({
    key: graph.state(`cache.${i}.key`, type),
    value: graph.state(`cache.${i}.value`, type),
  }));
}

function checkContext(config: LlamaConfig, rows: number): void {
  check(
    rows <= config.contextLength,
    "model",
    () => `${rows} positions exceed the model's context of ${config.contextLength}: shorten them or raise contextLength`,
  );
}
