// RoPE turns pairs of channels. Meta's weights pair neighbours (2i, 2i + 1), Hugging Face's pair halves (i, i + d/2); the rows of W_q and W_k
// stand in another order and nothing else differs, so both directions are exact (transformers, convert_llama_weights_to_hf.py, `permute`).
import { check } from "../base/index.ts";
import { type LlamaConfig, type ParameterRow, piecesOf, type RopePairing, type WeightSource } from "../model/index.ts";

/** The same model with its heads' channels in the other pairing's order, where it has another than the one that is asked for. */
export function inPairing(
  pairing: RopePairing,
  { config, weights }: { readonly config: LlamaConfig; readonly weights: WeightSource },
): { readonly config: LlamaConfig; readonly weights: WeightSource } {
  if (config.ropePairing === pairing) return { config, weights };
  const { headDim } = config;
  const reorder = pairing === "half" ? toHalfPairing : toNeighbourPairing;
  const inOrder = ({ shape }: ParameterRow, values: Float32Array) => reorder(values, shape[1] ?? 1, headDim);
  return {
    config: { ...config, ropePairing: pairing },
    weights: {
      inFile: (row) => (isTurned(row) ? undefined : weights.inFile?.(row)),
      stored: (row) => (isTurned(row) ? undefined : weights.stored?.(row)),
      read: async (row) => (isTurned(row) ? inOrder(row, await weights.read(row)) : weights.read(row)),
      async *pieces(row, elements) {
        if (!isTurned(row)) return yield* piecesOf(weights, row, elements);
        const head = headDim * (row.shape[1] ?? 1);
        for await (const piece of piecesOf(weights, row, head * Math.max(1, Math.floor(elements / head)))) yield inOrder(row, piece);
      },
    },
  };
}

/** Whether a parameter's rows are channels of queries or keys: their matrices and biases, and the gains of their norms. */
function isTurned({ name }: ParameterRow): boolean {
  return /\.attention\.(?:(?:query|key)(?:\.bias)?|(?:query|key)Norm\.gain)$/.test(name);
}

/**
 * The rows of a query or key projection in the other pairing's order.
 * @param weight [nHeads · headDim, columns], row by row; not changed
 * @param headDim channels of a head, even
 * @throws CriaError when rows are not whole heads
 */
export function toHalfPairing(weight: Float32Array, columns: number, headDim: number): Float32Array {
  return reorderRows(weight, columns, headDim, (row) => (row % 2) * (headDim / 2) + Math.floor(row / 2));
}

/** The inverse of {@link toHalfPairing}. */
export function toNeighbourPairing(weight: Float32Array, columns: number, headDim: number): Float32Array {
  return reorderRows(weight, columns, headDim, (row) => 2 * (row % (headDim / 2)) + Math.floor(row / (headDim / 2)));
}

/** Row r of a head goes to row `place(r)` of the same head. */
function reorderRows(weight: Float32Array, columns: number, headDim: number, place: (row: number) => number): Float32Array {
  const isWhole = headDim % 2 === 0 && weight.length % (columns * headDim) === 0;
  check(
    isWhole,
    "rope",
    () => `a projection of ${weight.length} numbers in ${columns} columns is not made of heads of ${headDim} rows, an even number`,
  );
  const out = new Float32Array(weight.length);
  for (let row = 0; row * columns < weight.length; row++) {
    const inHead = row % headDim;
    out.set(weight.subarray(row * columns, (row + 1) * columns), (row - inHead + place(inHead)) * columns);
  }
  return out;
}
