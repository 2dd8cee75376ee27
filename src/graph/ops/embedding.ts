// Rows of a table by index: token embeddings, and the last row of a sequence.
import { check, elementLayouts, weightDTypes } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

/** How many rows the table has. */
export type EmbeddingGradientAttributes = { readonly vocabulary: number };

/** table [V, C], perhaps a weight of any layout, and tokens i32 [N] in [0, V) → their rows [N, C]. */
export function embedding(table: Tensor, tokens: Tensor): Tensor {
  return embeddingOp.apply({ table, tokens }, {}).y;
}

/** tokens i32 [N] and dy [N, C] → [V, C]: every row of dy added to its token's row, zero for tokens that do not occur. */
export function embeddingGradient(tokens: Tensor, dy: Tensor, vocabulary: number): Tensor {
  return embeddingGradientOp.apply({ tokens, dy }, { vocabulary }).dtable;
}

/** The op of {@link embedding}: its shapes, meaning and gradient. */
export const embeddingOp = defineOp<Record<string, never>>()({
  name: "embedding",
  inputs: { table: "weight V C", tokens: "i32 N" },
  outputs: { y: "N C" },
  reference({ table, tokens }, { y }, { V, C }) {
    tokens.forEach((token, n) => {
      checkToken("embedding", token, n, V);
      y.set(table.subarray(token * C, (token + 1) * C), n * C);
    });
  },
  gradient: ({ table, tokens }, { y: dy }) => ({ table: embeddingGradient(tokens, dy, table.shape[0]!) }),
  recomputable: true,
  examples: [
    { inputs: [f32(5, 3), { ...i32(7), below: 5 }], attributes: {} },
    { inputs: [f32(37, 19), { ...i32(1), values: [36] }], attributes: {} },
    ...weightDTypes
      .filter((dtype) => dtype !== "f32")
      .map((dtype) => ({
        inputs: [
          { dtype, shape: [5, elementLayouts[dtype].block === 1 ? 19 : 2 * elementLayouts[dtype].block] },
          { ...i32(7), below: 5 },
        ],
        attributes: {},
        differentiable: false as const,
      })),
  ],
});

/** The op of {@link embeddingGradient}: its shapes, meaning and gradient. */
export const embeddingGradientOp = defineOp<EmbeddingGradientAttributes>()({
  name: "embeddingGradient",
  inputs: { tokens: "i32 N", dy: "N C" },
  outputs: { dtable: "V C" },
  sizes: (_, { vocabulary: V }) => ({ V }),
  reference({ tokens, dy }, { dtable }, { V, C }) {
    tokens.forEach((token, n) => {
      checkToken("embeddingGradient", token, n, V);
      for (let c = 0; c < C; c++) dtable[token * C + c]! += dy[n * C + c]!;
    });
  },
  recomputable: false,
  examples: [
    { inputs: [{ ...i32(7), below: 5 }, f32(7, 3)], attributes: { vocabulary: 5 } },
    { inputs: [{ ...i32(61), below: 9 }, f32(61, 19)], attributes: { vocabulary: 37 } },
  ],
});

function checkToken(op: string, token: number, n: number, vocabulary: number): void {
  check(token >= 0 && token < vocabulary, op, () => `index ${token} at position ${n} is outside [0, ${vocabulary})`);
}
