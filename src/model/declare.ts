// A model's parameters as tensors of a graph: as states, which training changes, or as weights, which no program changes.
import type { DType } from "../base/index.ts";
import { f32, type Graph, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import { biased, dense, type Linear } from "./linear.ts";
import { isTrained, type LinearRows, type LlamaParameters, llamaParameters, type ParameterRow } from "./parameters.ts";

/** A model's parameters in a graph. */
export interface DeclaredParameters {
  readonly parameters: LlamaParameters<Linear>;
  /** The trained parameters by row. */
  readonly trained: ReadonlyMap<ParameterRow, Tensor>;
}

/** Declares the parameters of a config in a graph, each by the name of its row. */
export type Declare = (graph: Graph, config: LlamaConfig) => DeclaredParameters;

/** How the elements of each parameter and constant lie. Only matrices and tables may have other layouts than f32. */
export type LayoutOf = (row: ParameterRow) => DType;

/** A state in the graph for every parameter and constant: what training changes. */
export function declareParameters(graph: Graph, config: LlamaConfig): DeclaredParameters {
  return declare(config, (row) => graph.state(row.name, f32(...row.shape)));
}

/** A weight in the graph for every parameter and constant, with elements of the layout that `layoutOf` says. */
export function declareWeights(graph: Graph, config: LlamaConfig, layoutOf: LayoutOf): DeclaredParameters {
  return declare(config, (row) => frozen(graph, row, layoutOf));
}

/** A weight for the row. */
export function frozen(graph: Graph, row: ParameterRow, layoutOf: LayoutOf): Tensor {
  return graph.weight(row.name, { dtype: layoutOf(row), shape: row.shape });
}

/** The linear layer of these rows, each made a tensor by `tensorOf`: its matrix, and the bias where there is one. */
export function plainLinear({ matrix, bias }: LinearRows, tensorOf: (row: ParameterRow) => Tensor): Linear {
  const product = dense(tensorOf(matrix));
  return bias ? biased(product, tensorOf(bias)) : product;
}

function declare(config: LlamaConfig, tensorOf: (row: ParameterRow) => Tensor): DeclaredParameters {
  const trained = new Map<ParameterRow, Tensor>();
  const other = (row: ParameterRow) => {
    const tensor = tensorOf(row);
    if (isTrained(row)) trained.set(row, tensor);
    return tensor;
  };
  return { parameters: llamaParameters(config, { other, linear: (rows) => plainLinear(rows, other) }), trained };
}
