// Attention weights of a text by layer and head, as the page draws them.
import { needOfTexts } from "../../checked-request.ts";
import type { RequestContext } from "../../context.ts";
import { refuse } from "../../request-error.ts";
import type { ServedModel } from "../../served-model.ts";
import { aborted, TimeLimit } from "../../time-limit.ts";
import { type LookPiece, lookPiece } from "./pieces.ts";

/** Tokens of a text whose attention is shown, at most: weights grow with their square. */
export const mostAttentionTokens = 128;

/** What each token of a text looks at, in one layer. */
export interface LookAttention {
  readonly pieces: readonly LookPiece[];
  /** The weights of each head in thousandths: those of the first token of itself, of the second of the first and itself, and so on. */
  readonly heads: readonly (readonly number[])[];
}

/** The weights, when it is the request's turn. @throws RequestError where the text is too long or has no token; CriaError where there is no such layer */
export async function attentionOfText(
  { server, key, signal }: RequestContext,
  model: ServedModel,
  { text, layer }: { readonly text: string; readonly layer: number },
): Promise<LookAttention> {
  const ids = model.promptIds(text);
  const most = Math.min(mostAttentionTokens, server.engine.limits.promptTokens);
  if (ids.length > most) refuse(`the text has ${ids.length} tokens, but attention is shown of at most ${most}: shorten it`, "text");
  using place = model.admission.enter(key, needOfTexts([ids, ids]));
  await Promise.race([place.granted, aborted(signal)]);
  const limit = new TimeLimit(signal, server.engine.limits.milliseconds);
  limit.start();
  try {
    const heads = await model.attentionWeights(ids, { layer, cacheSalt: key, signal: limit.signal });
    return { pieces: [...ids].map((id) => lookPiece(model.tokenizer, id)), heads: heads.map((weights) => triangle(weights, ids.length)) };
  } finally {
    limit.end();
  }
}

/** What is on and below the diagonal of [T, T], row by row, in thousandths. */
function triangle(weights: Float32Array, T: number): number[] {
  return Array.from({ length: T }, (_, row) => [...weights.subarray(row * T, row * T + row + 1)].map((x) => Math.round(1000 * x))).flat();
}
