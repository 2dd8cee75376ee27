// Linear layers whose inputs stay readable behind a run: what a calibration looks at.
import type { Graph, Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import { type DeclaredParameters, frozen, type LayoutOf, plainLinear } from "./declare.ts";
import type { Linear } from "./linear.ts";
import { llamaParameters } from "./parameters.ts";

/**
 * The whole model as weights, of the layouts that `layoutOf` says; nothing is trained.
 * @param inputs gets what every linear layer is applied to, [N, in] and kept, by the name of the layer's matrix. A loss takes the output matrix itself
 * and applies no layer, so that it has no entry there.
 */
export function declareRecorded(graph: Graph, config: LlamaConfig, layoutOf: LayoutOf, inputs: Map<string, Tensor>): DeclaredParameters {
  const parameters = llamaParameters(config, {
    other: (row) => frozen(graph, row, layoutOf),
    linear(rows): Linear {
      const plain = plainLinear(rows, (row) => frozen(graph, row, layoutOf));
      return {
        ...plain,
        apply(x) {
          inputs.set(rows.matrix.name, graph.keep(x));
          return plain.apply(x);
        },
      };
    },
  });
  return { parameters, trained: new Map() };
}
