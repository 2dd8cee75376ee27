// The graph that everyone runs who trains or evaluates: the loss of a batch of sequences.
import { check, type Precision } from "../base/index.ts";
import { f32, Graph, i32, linearCrossEntropy, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import { type Declare, type DeclaredParameters, declareParameters } from "./declare.ts";
import type { Linear } from "./linear.ts";
import { causalAttention, llama } from "./llama.ts";
import { type LlamaParameters, outputProjection, required } from "./parameters.ts";
import { partsOf } from "./parts.ts";
import { declareTurns, ropeInputs } from "./rope-frequencies.ts";

/** B sequences of T tokens each. */
export interface BatchSize {
  readonly batch: number;
  readonly length: number;
}

/** How large a batch is, and how its loss is computed. */
export interface LossSize extends BatchSize {
  /** What operands of matrix products are rounded to, forward and backward; float32 by default. */
  readonly precision?: Precision;
  /** Whether a row attends its own document alone, of several in a sequence: {@link LossBatch} says then where they begin. */
  readonly documentMask?: boolean;
  /** How the parameters enter the graph, and which of them are trained: by default all, as states. */
  readonly declare?: Declare;
}

/** A graph that computes the loss of a batch of B sequences of T tokens, with its inputs. */
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
export function lossGraph(config: LlamaConfig, size: LossSize): LossGraph {
  const { batch, length, precision, documentMask = false, declare = declareParameters } = size;
  checkContext(config, length);
  const graph = new Graph(precision);
  const rows = batch * length;
  const tokens = graph.input("tokens", i32(rows));
  const targets = graph.input("targets", i32(rows));
  const positions = graph.input("positions", i32(rows));
  const declared = declare(graph, config);
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
  /** Each row's place in its document, and the first row of that document in the sequence, for a graph with a document mask. */
  readonly documents?: { readonly positions: ArrayLike<number>; readonly firstKeys: ArrayLike<number> } | undefined;
}

/** What takes inputs by their names, as a program does. */
export interface InputWriter {
  write(input: string, values: ArrayLike<number>): Promise<void>;
}

/** Writes the inputs of a {@link LossGraph} that stay as they are: positions within whole sequences, which batches with documents replace, and RoPE's table for these sequences. */
export async function writePositions(program: InputWriter, config: LlamaConfig, size: BatchSize): Promise<void> {
  await program.write("positions", batchPositions(size));
  for (const [input, values] of ropeInputs(config, size.length - 1)) await program.write(input, values);
}

/**
 * Writes the inputs of a {@link LossGraph} that change from batch to batch; see {@link writePositions} for the others.
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

function checkContext(config: LlamaConfig, rows: number): void {
  check(
    rows <= config.contextLength,
    "model",
    () => `${rows} positions exceed the model's context of ${config.contextLength}: shorten them or raise contextLength`,
  );
}
