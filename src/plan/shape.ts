// A LLaMA of about so many parameters, for a budget that names a size and no shape.
import { check } from "../base/index.ts";
import { feedForwardWidth, type LlamaConfig, llamaConfig, parameterCount } from "../model/index.ts";
import { amount } from "./amount.ts";

/** The sizes that there is a shape for. */
export const shapeSizes = { least: 1e4, most: 1e13 } as const;

/** What shapes are made of from so many parameters on; smaller models have a smaller vocabulary, or tables would be most of them. */
const kinds = [
  { from: 2e10, headDim: 128, heads: 8, layers: 4, aspect: 110, vocabSize: 32000, contextLength: 2048, widthStep: 256, tiedOutput: false },
  { from: 3e9, headDim: 128, heads: 4, layers: 2, aspect: 128, vocabSize: 32000, contextLength: 2048, widthStep: 256, tiedOutput: false },
  { from: 1e8, headDim: 64, heads: 4, layers: 2, aspect: 80, vocabSize: 32000, contextLength: 2048, widthStep: 256, tiedOutput: false },
  { from: 2e6, headDim: 32, heads: 1, layers: 1, aspect: 50, vocabSize: 4096, contextLength: 256, widthStep: 32, tiedOutput: true },
  {
    from: shapeSizes.least,
    headDim: 16,
    heads: 1,
    layers: 1,
    aspect: 30,
    vocabSize: 512,
    contextLength: 256,
    widthStep: 16,
    tiedOutput: true,
  },
] as const;
type Kind = Omit<(typeof kinds)[number], "vocabSize"> & { readonly vocabSize: number };

/**
 * The proportions of the paper's models and, for small sizes, of llama2.c's: about as many channels a layer, a feed-forward layer 8/3 as
 * wide, heads and layers in numbers that divide over a cluster.
 * @param vocabSize where a tokenizer says it
 * @throws CriaError outside 10⁴ to 10¹³ parameters
 */
export function shapeFor(parameters: number, vocabSize?: number): LlamaConfig {
  const found = kinds.find(({ from }) => parameters >= from);
  check(
    found !== undefined && parameters <= shapeSizes.most,
    "plan",
    () =>
      `${amount(parameters)} parameters are no size to plan for: it must be from ${amount(shapeSizes.least)} to ${amount(shapeSizes.most)}`,
  );
  const kind = { ...found, vocabSize: vocabSize ?? found.vocabSize };
  const candidates = Array.from({ length: 400 / kind.heads }, (_, i) => candidate((i + 1) * kind.heads, kind, parameters));
  return candidates.reduce((best, one) => (one.score < best.score ? one : best)).config;
}

interface Candidate {
  readonly config: LlamaConfig;
  /** How far it is off: a size by some share counts ten times what proportions do. */
  readonly score: number;
}

/** The number of layers of this width that comes nearest to the size. */
function candidate(nHeads: number, { headDim, layers, aspect, from, heads, widthStep, ...rest }: Kind, parameters: number): Candidate {
  const dim = nHeads * headDim;
  const sizes = { ...rest, dim, nHeads, hiddenDim: feedForwardWidth(dim, widthStep), normEpsilon: 1e-6 };
  const [one, two] = [1, 2].map((nLayers) => parameterCount(llamaConfig({ ...sizes, nLayers })));
  const layer = two! - one!;
  const nLayers = layers * Math.min(250, Math.max(1, Math.round(((parameters - one!) / layer + 1) / layers)));
  const apart = Math.abs(Math.log((one! + (nLayers - 1) * layer) / parameters));
  return { config: llamaConfig({ ...sizes, nLayers }), score: 10 * apart + Math.abs(Math.log(dim / nLayers / aspect)) };
}
