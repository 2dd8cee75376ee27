// A row a parameter: from the rows follow counts, files, initial weights and who decays.
import { type DType, sizeOf } from "../base/index.ts";
import { f32, type Graph, type Tensor } from "../graph/index.ts";
import { headDim, type LlamaConfig } from "./config.ts";
import { feedForwards, norms, placements, positionKinds } from "./parts.ts";

export interface ParameterRow {
  /** Its path in {@link LlamaParameters}: "layers.0.attention.query"; also the name of its state in every graph. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Normal with this standard deviation, or a fixed content; "sinusoids" is a constant: neither trained nor stored. */
  readonly init: number | "ones" | "zeros" | "sinusoids";
  /** Matrices shrink by weight decay; gains and biases do not. */
  readonly decay: boolean;
}

/** The model's parameters by their place in it; P is a tensor, a row, or whatever is made of a row. */
export interface LlamaParameters<P> {
  readonly embedding: P; // [V, C]
  readonly positionTable?: P; // [contextLength, C]
  readonly layers: readonly LayerParameters<P>[];
  readonly finalNorm?: NormParameters<P>;
  readonly output?: P; // [V, C]; absent where the embedding is the output too
}

export interface LayerParameters<P> {
  readonly attentionNorm: NormParameters<P>;
  readonly attention: AttentionParameters<P>;
  readonly ffnNorm: NormParameters<P>;
  readonly ffn: FeedForwardParameters<P>;
}

export interface AttentionParameters<P> {
  readonly query: P; // [H·D, C]
  readonly key: P; // [KV·D, C]
  readonly value: P; // [KV·D, C]
  readonly output: P; // [C, H·D]
}

export interface FeedForwardParameters<P> {
  readonly gate?: P; // [F, C]
  readonly up: P; // [F, C]
  readonly down: P; // [C, F]
}

export interface NormParameters<P> {
  readonly gain: P; // [C]
  readonly bias?: P; // [C]
}

/** Calls `make` with the row of every parameter, in the order of a checkpoint, and returns what it makes in its place. */
export function llamaParameters<P>(config: LlamaConfig, make: (row: ParameterRow) => P): LlamaParameters<P> {
  const { vocabSize, dim, contextLength } = config;
  const { table } = positionKinds[config.positions];
  const row = rowMaker(make);
  return {
    embedding: row("embedding", [vocabSize, dim], initialDeviation),
    ...(table && { positionTable: row("positionTable", [contextLength, dim], tableInit(table)) }),
    layers: Array.from({ length: config.nLayers }, (_, i) => layerParameters(config, i, row)),
    ...(placements[config.normPlacement].hasFinalNorm && { finalNorm: normParameters(config, "finalNorm", row) }),
    ...(!config.tiedOutput && { output: row("output", [vocabSize, dim], initialDeviation) }),
  };
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

export interface DeclaredParameters {
  readonly parameters: LlamaParameters<Tensor>;
  /** The trained ones by row. */
  readonly trained: ReadonlyMap<ParameterRow, Tensor>;
}

/** A state in the graph for every parameter and constant, by the name of its row: what training changes. */
export function declareParameters(graph: Graph, config: LlamaConfig): DeclaredParameters {
  return declare(config, (row) => graph.state(row.name, f32(...row.shape)));
}

/** A weight in the graph for every parameter and constant, by the name of its row, with elements of the layout that `layoutOf` says. */
export function declareWeights(graph: Graph, config: LlamaConfig, layoutOf: (row: ParameterRow) => DType): DeclaredParameters {
  return declare(config, (row) => graph.weight(row.name, { dtype: layoutOf(row), shape: row.shape }));
}

function declare(config: LlamaConfig, make: (row: ParameterRow) => Tensor): DeclaredParameters {
  const trained = new Map<ParameterRow, Tensor>();
  const parameters = llamaParameters(config, (row) => {
    const tensor = make(row);
    if (isTrained(row)) trained.set(row, tensor);
    return tensor;
  });
  return { parameters, trained };
}

/** GPT-2's (Radford et al. 2019, section 2.3), as for the residual scaling below; LLaMA's own is not published. */
const initialDeviation = 0.02;

function tableInit(table: "normal" | "sinusoids"): ParameterRow["init"] {
  return table === "normal" ? initialDeviation : table;
}

type MakeRow<P> = (name: string, shape: readonly number[], init: ParameterRow["init"]) => P;

function rowMaker<P>(make: (row: ParameterRow) => P): MakeRow<P> {
  return (name, shape, init) => make({ name, shape, init, decay: shape.length === 2 });
}

function layerParameters<P>(config: LlamaConfig, i: number, row: MakeRow<P>): LayerParameters<P> {
  const { dim, hiddenDim } = config;
  const kvDim = config.nKvHeads * headDim(config);
  // What is added to the stream 2·nLayers times keeps its variance.
  const residualDeviation = initialDeviation / Math.sqrt(2 * config.nLayers);
  const norm = (name: string) => normParameters(config, `layers.${i}.${name}`, row);
  const matrix = (name: string, rows: number, columns: number, deviation = initialDeviation) =>
    row(`layers.${i}.${name}`, [rows, columns], deviation);
  return {
    attentionNorm: norm("attentionNorm"),
    attention: {
      query: matrix("attention.query", dim, dim),
      key: matrix("attention.key", kvDim, dim),
      value: matrix("attention.value", kvDim, dim),
      output: matrix("attention.output", dim, dim, residualDeviation),
    },
    ffnNorm: norm("ffnNorm"),
    ffn: {
      ...(feedForwards[config.activation].hasGate && { gate: matrix("ffn.gate", hiddenDim, dim) }),
      up: matrix("ffn.up", hiddenDim, dim),
      down: matrix("ffn.down", dim, hiddenDim, residualDeviation),
    },
  };
}

function normParameters<P>(config: LlamaConfig, name: string, row: MakeRow<P>): NormParameters<P> {
  return {
    gain: row(`${name}.gain`, [config.dim], "ones"),
    ...(norms[config.norm].hasBias && { bias: row(`${name}.bias`, [config.dim], "zeros") }),
  };
}

function allRows(config: LlamaConfig): ParameterRow[] {
  const rows: ParameterRow[] = [];
  llamaParameters(config, (row) => rows.push(row));
  return rows;
}

function isTrained(row: ParameterRow): boolean {
  return row.init !== "sinusoids";
}
