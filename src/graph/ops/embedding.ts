// Rows of a table by index: token embeddings, and the last row of a sequence.
import { check } from "../../base/index.ts";
import type { Op, Values } from "../op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { match } from "./match.ts";

type NoAttributes = Record<string, never>;
export type EmbeddingGradientAttributes = { readonly vocabulary: number };

/** table [V, C] and tokens i32 [N] in [0, V) → their rows [N, C]. */
export function embedding(table: Tensor, tokens: Tensor): Tensor {
  return table.graph.apply(embeddingOp, [table, tokens], {})[0]!;
}

/** tokens i32 [N] and dy [N, C] → [V, C]: every row of dy added to its token's row, zero for tokens that do not occur. */
export function embeddingGradient(tokens: Tensor, dy: Tensor, vocabulary: number): Tensor {
  return dy.graph.apply(embeddingGradientOp, [tokens, dy], { vocabulary })[0]!;
}

const shapes = { table: "V C", tokens: "i32 N" } as const;

export const embeddingOp: Op<NoAttributes> = {
  name: "embedding",
  shape(inputs) {
    const { N, C } = match("embedding", inputs, shapes);
    return [f32(N, C)];
  },
  reference([table, tokens], [y], _, types) {
    const { V, N, C } = match("embedding", types, shapes);
    for (let n = 0; n < N; n++) {
      const token = tokenAt("embedding", tokens!, n, V);
      for (let c = 0; c < C; c++) y![n * C + c] = table![token * C + c]!;
    }
  },
  gradient: ({ inputs: [table, tokens], doutputs: [dy] }) => [embeddingGradient(tokens!, dy!, table!.shape[0]!), undefined],
  recomputable: true,
  examples: [
    { inputs: [f32(5, 3), { ...i32(7), below: 5 }], attributes: {} },
    { inputs: [f32(37, 19), { ...i32(1), values: [36] }], attributes: {} },
  ],
};

const gradientShapes = { tokens: "i32 N", dy: "N C" } as const;

export const embeddingGradientOp: Op<EmbeddingGradientAttributes> = {
  name: "embeddingGradient",
  shape(inputs, { vocabulary }) {
    const { C } = match("embeddingGradient", inputs, gradientShapes);
    return [f32(vocabulary, C)];
  },
  reference([tokens, dy], [dtable], { vocabulary }, types) {
    const { N, C } = match("embeddingGradient", types, gradientShapes);
    for (let n = 0; n < N; n++) {
      const token = tokenAt("embeddingGradient", tokens!, n, vocabulary);
      for (let c = 0; c < C; c++) dtable![token * C + c]! += dy![n * C + c]!;
    }
  },
  recomputable: false,
  examples: [
    { inputs: [{ ...i32(7), below: 5 }, f32(7, 3)], attributes: { vocabulary: 5 } },
    { inputs: [{ ...i32(61), below: 9 }, f32(61, 19)], attributes: { vocabulary: 37 } },
  ],
};

function tokenAt(op: string, tokens: Values, n: number, vocabulary: number): number {
  const token = tokens[n]!;
  check(token >= 0 && token < vocabulary, op, () => `index ${token} at position ${n} is outside [0, ${vocabulary})`);
  return token;
}
