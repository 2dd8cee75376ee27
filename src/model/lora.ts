// Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): a linear layer's matrix W stays as it is, and a product of two thin ones that are trained
// is added to it, y = W·x + (α / r)·B·A·x. W may be a weight of any layout: the gradient goes through its own bytes (QLoRA, Dettmers et al.
// 2023, arXiv 2305.14314).
//
// r is the rank. B is zero at first, so that training begins with the model as it was.
import { check, didYouMean } from "../base/index.ts";
import { add, f32, type Graph, linear, scale, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import { type DeclaredParameters, frozen, type LayoutOf, plainLinear } from "./declare.ts";
import type { Linear } from "./linear.ts";
import { llamaParameters, type ParameterRow } from "./parameters.ts";

/** The linear layers of a layer of the model that may be adapted, by their paths. */
export const loraTargets = [
  "attention.query",
  "attention.key",
  "attention.value",
  "attention.output",
  "ffn.gate",
  "ffn.up",
  "ffn.down",
] as const;
/** The name of a linear layer that an adapter may change. */
export type LoraTarget = (typeof loraTargets)[number];

/** Size and place of an adapter (Hu et al. 2021, arXiv 2106.09685). */
export interface LoraSettings {
  /** r; at most the smaller side of every matrix that is adapted. */
  readonly rank: number;
  /** α: what is added is scaled by α / r, so that a learning rate serves for several ranks. */
  readonly alpha: number;
  /** Which linear layers are adapted, in every layer of the model; the paper's are those of queries and values. */
  readonly targets: readonly LoraTarget[];
}

/** The rows of an adapter. */
export interface LoraRows {
  readonly a: ParameterRow; // [r, in]
  readonly b: ParameterRow; // [out, r]
}

/** What `base` makes of x, and (α / r)·B·A·x. @param a [r, in] @param b [out, r] */
export function adapted(base: Linear, a: Tensor, b: Tensor, { alpha, rank }: LoraSettings): Linear {
  return { apply: (x) => add(base.apply(x), linear(scale(linear(x, a), alpha / rank), b)) };
}

/**
 * The whole model as weights, of the layouts that `layoutOf` says, and a state for every row of an adapter: these alone are trained.
 * @throws CriaError where the settings do not fit the config
 */
export function declareAdapted(graph: Graph, config: LlamaConfig, settings: LoraSettings, layoutOf: LayoutOf): DeclaredParameters {
  const trained = new Map<ParameterRow, Tensor>();
  const weight = (row: ParameterRow) => frozen(graph, row, layoutOf);
  const state = (row: ParameterRow) => {
    const tensor = graph.state(row.name, f32(...row.shape));
    trained.set(row, tensor);
    return tensor;
  };
  const rowsByMatrix = adapters(config, settings);
  const parameters = llamaParameters(config, {
    other: weight,
    linear(rows) {
      const base = plainLinear(rows, weight);
      const adapter = rowsByMatrix.get(rows.matrix.name);
      return adapter ? adapted(base, state(adapter.a), state(adapter.b), settings) : base;
    },
  });
  return { parameters, trained };
}

/** The rows of all adapters, in the order of a checkpoint. @throws CriaError where the settings do not fit the config */
export function loraRows(config: LlamaConfig, settings: LoraSettings): ParameterRow[] {
  return [...adapters(config, settings).values()].flatMap(({ a, b }) => [a, b]);
}

/** The rows of each adapter by the name of the matrix that it adapts. */
export function adapters(config: LlamaConfig, settings: LoraSettings): ReadonlyMap<string, LoraRows> {
  const matrices = new Map<string, ParameterRow>();
  llamaParameters(config, { other: () => undefined, linear: ({ matrix }) => matrices.set(matrix.name, matrix) });
  checkSettings(settings, [...matrices.values()]);
  const chosen = [...matrices.values()].filter(({ name }) => settings.targets.some((target) => target === placeOf(name)));
  return new Map(chosen.map((matrix) => [matrix.name, adapterOf(matrix, settings)]));
}

/** W + (α / r)·B·A, row by row as W: an adapter without which the model computes the same. Sums in float64. */
export function mergeLora(
  { shape: [rows = 0, columns = 0] }: ParameterRow,
  matrix: Float32Array,
  { a, b }: Readonly<Record<keyof LoraRows, Float32Array>>,
  { alpha, rank }: LoraSettings,
): Float32Array {
  check(
    matrix.length === rows * columns && a.length === rank * columns && b.length === rows * rank,
    "model",
    () => `a matrix of ${matrix.length} numbers, A of ${a.length} and B of ${b.length} are not [${rows}, ${columns}] with rank ${rank}`,
  );
  return matrix.map((value, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += (b[row * rank + r] ?? 0) * (a[r * columns + column] ?? 0);
    return value + (alpha / rank) * sum;
  });
}

/** A is normal with variance 1 / in, so that A·x has the size of x; B is zero. */
function adapterOf({ name, shape: [rows = 0, columns = 0] }: ParameterRow, { rank }: LoraSettings): LoraRows {
  return {
    a: { name: `${name}.loraA`, shape: [rank, columns], init: 1 / Math.sqrt(columns), decay: true },
    b: { name: `${name}.loraB`, shape: [rows, rank], init: "zeros", decay: true },
  };
}

/** "layers.3.attention.query" → "attention.query". */
function placeOf(name: string): string {
  return name.replace(/^layers\.\d+\./, "");
}

function checkSettings({ rank, alpha, targets }: LoraSettings, matrices: readonly ParameterRow[]): void {
  check(Number.isFinite(alpha) && alpha > 0, "model", () => `LoRA's alpha is ${alpha}: it must be a number above 0`);
  check(targets.length > 0, "model", () => `LoRA has no targets: name some of ${loraTargets.join(", ")}`);
  for (const target of targets) {
    const found = matrices.filter(({ name }) => placeOf(name) === target);
    const known = loraTargets.filter((name) => matrices.some((row) => placeOf(row.name) === name));
    check(
      found.length > 0,
      "model",
      () => `the model has no linear layer "${target}"${didYouMean(target, known)}: choose of ${known.join(", ")}`,
    );
    const most = Math.min(...found.flatMap(({ shape }) => [...shape]));
    check(
      Number.isSafeInteger(rank) && rank > 0 && rank <= most,
      "model",
      () => `LoRA's rank is ${rank}: for "${target}" it must be an integer from 1 to ${most}`,
    );
  }
}
