// A row per parameter: from the rows follow counts, files, initial weights, and which parameters weight decay applies to.
import { fail, sizeOf } from "../base/index.ts";
import type { Tensor } from "../graph/index.ts";
import { isGated, type LlamaConfig, type PositionName } from "./config.ts";
import { dense, type Linear } from "./linear.ts";

/** One tensor among a model's parameters, as it is made and trained. */
export interface ParameterRow {
  /** Its path in {@link LlamaParameters}: "layers.0.attention.query"; also the name of its state in every graph. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Normal with this standard deviation, or a fixed content; "sinusoids" is a constant: neither trained nor stored. */
  readonly init: number | "ones" | "zeros" | "sinusoids";
  /** Matrices shrink by weight decay; gains and biases do not. */
  readonly decay: boolean;
}

/** The model's parameters by their place in it: L is a linear layer, P a tensor, or what is made of the rows of one. */
export interface LlamaParameters<L, P = Tensor> {
  readonly embedding: P; // [V, C]
  readonly positionTable?: P; // [contextLength, C]
  readonly layers: readonly LayerParameters<L, P>[];
  readonly finalNorm?: NormParameters<P>;
  readonly output?: L; // C → V; absent where the embedding is the output too
}

/** The parameters of one layer; L stands for a linear layer, P for a vector. */
export interface LayerParameters<L, P = Tensor> {
  readonly attentionNorm: NormParameters<P>;
  readonly attention: AttentionParameters<L, P>;
  readonly ffnNorm: NormParameters<P>;
  readonly ffn: FeedForwardParameters<L>;
}

/** The linear layers of attention, from C channels to H or KV heads of D channels and back. */
export interface AttentionParameters<L, P = Tensor> {
  readonly query: L; // C → H·D
  readonly key: L; // C → KV·D
  readonly value: L; // C → KV·D
  readonly output: L; // H·D → C
  readonly queryNorm?: HeadNormParameters<P>;
  readonly keyNorm?: HeadNormParameters<P>;
}

/** RMSNorm of a head. */
export interface HeadNormParameters<P = Tensor> {
  readonly gain: P; // [D]
}

/** The linear layers of a feed-forward layer of F hidden channels; only gated ones have a gate. */
export interface FeedForwardParameters<L> {
  readonly gate?: L; // C → F
  readonly up: L; // C → F
  readonly down: L; // F → C
}

/** The gain of a norm, and its bias where it has one. */
export interface NormParameters<P = Tensor> {
  readonly gain: P; // [C]
  readonly bias?: P; // [C]
}

/** The rows of a linear layer: its matrix [out, in], and the bias [out] where it has one. */
export interface LinearRows {
  readonly matrix: ParameterRow;
  readonly bias?: ParameterRow;
}

/** What is made in the place of parameters: of the rows of each linear layer, and of every row that belongs to none. */
export interface Make<L, P> {
  linear(rows: LinearRows): L;
  other(row: ParameterRow): P;
}

/** Calls `make` for every parameter, in the order of a checkpoint, and returns what it makes in its place. */
export function llamaParameters<L, P>(config: LlamaConfig, make: Make<L, P>): LlamaParameters<L, P> {
  const { vocabSize, dim, contextLength } = config;
  const table = tableInits[config.positions];
  return {
    embedding: make.other(rowOf("embedding", [vocabSize, dim], initialDeviation)),
    ...(table && { positionTable: make.other(rowOf("positionTable", [contextLength, dim], table)) }),
    layers: Array.from({ length: config.nLayers }, (_, i) => layerParameters(config, i, make)),
    ...(config.normPlacement === "pre" && { finalNorm: normParameters(config, "finalNorm", make) }),
    ...(!config.tiedOutput && { output: make.linear({ matrix: rowOf("output", [vocabSize, dim], initialDeviation) }) }),
  };
}

/** The output projection, C → V: a layer of its own, or the embedding. */
export function outputProjection({ output, embedding }: LlamaParameters<Linear>): Linear {
  return output ?? dense(embedding);
}

/** A parameter that a part needs and the config's parameters may lack. @throws CriaError naming it when it is absent */
export function required<P>(parameter: P | undefined, name: string): P {
  return parameter ?? fail("model", `a part reads ${name}, but the model has no such parameter: choose parts and config alike`);
}

/** What is trained and stored, in the order of a checkpoint. */
export function parameterRows(config: LlamaConfig): ParameterRow[] {
  return allRows(config).filter(isTrained);
}

/** What is filled by formula at every start: the sinusoids, where the config has them. */
export function constantRows(config: LlamaConfig): ParameterRow[] {
  return allRows(config).filter((row) => !isTrained(row));
}

/** How many numbers are trained. */
export function parameterCount(config: LlamaConfig): number {
  return parameterRows(config).reduce((sum, row) => sum + sizeOf(row.shape), 0);
}

/** GPT-2's (Radford et al. 2019, section 2.3), as for the residual scaling below; LLaMA's own is not published. */
const initialDeviation = 0.02;

/** What fills the table that is added to the embedding, by the config's positions; undefined where there is none. */
const tableInits: Readonly<Record<PositionName, ParameterRow["init"] | undefined>> = {
  rope: undefined,
  sinusoidal: "sinusoids",
  learned: initialDeviation,
  none: undefined,
};

function rowOf(name: string, shape: readonly number[], init: ParameterRow["init"]): ParameterRow {
  return { name, shape, init, decay: shape.length === 2 };
}

function layerParameters<L, P>(config: LlamaConfig, i: number, make: Make<L, P>): LayerParameters<L, P> {
  const { dim, hiddenDim, qkvBias, attentionOutputBias, ffnBias, qkNorm } = config;
  const [queryDim, kvDim] = [config.nHeads * config.headDim, config.nKvHeads * config.headDim];
  // What is added to the stream 2·nLayers times keeps its variance.
  const residualDeviation = initialDeviation / Math.sqrt(2 * config.nLayers);
  const norm = (name: string) => normParameters(config, `layers.${i}.${name}`, make);
  const headNorm = (name: string) => ({ gain: make.other(rowOf(`layers.${i}.${name}.gain`, [config.headDim], "ones")) });
  const linear = (name: string, rows: number, columns: number, hasBias: boolean, deviation = initialDeviation) =>
    make.linear(linearRows(`layers.${i}.${name}`, rows, columns, hasBias, deviation));
  return {
    attentionNorm: norm("attentionNorm"),
    attention: {
      query: linear("attention.query", queryDim, dim, qkvBias),
      key: linear("attention.key", kvDim, dim, qkvBias),
      value: linear("attention.value", kvDim, dim, qkvBias),
      output: linear("attention.output", dim, queryDim, attentionOutputBias, residualDeviation),
      ...(qkNorm && { queryNorm: headNorm("attention.queryNorm"), keyNorm: headNorm("attention.keyNorm") }),
    },
    ffnNorm: norm("ffnNorm"),
    ffn: {
      ...(isGated(config.activation) && { gate: linear("ffn.gate", hiddenDim, dim, ffnBias) }),
      up: linear("ffn.up", hiddenDim, dim, ffnBias),
      down: linear("ffn.down", dim, hiddenDim, ffnBias, residualDeviation),
    },
  };
}

function linearRows(name: string, rows: number, columns: number, hasBias: boolean, deviation: number): LinearRows {
  return { matrix: rowOf(name, [rows, columns], deviation), ...(hasBias && { bias: rowOf(`${name}.bias`, [rows], "zeros") }) };
}

function normParameters<L, P>(config: LlamaConfig, name: string, make: Make<L, P>): NormParameters<P> {
  return {
    gain: make.other(rowOf(`${name}.gain`, [config.dim], "ones")),
    ...(config.norm === "layer" && { bias: make.other(rowOf(`${name}.bias`, [config.dim], "zeros")) }),
  };
}

function allRows(config: LlamaConfig): ParameterRow[] {
  const rows: ParameterRow[] = [];
  llamaParameters(config, { other: (row) => rows.push(row), linear: ({ matrix, bias }) => rows.push(matrix, ...(bias ? [bias] : [])) });
  return rows;
}

/** Whether it is trained and stored, and not filled by formula. */
export function isTrained(row: ParameterRow): boolean {
  return row.init !== "sinusoids";
}
