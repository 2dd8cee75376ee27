// What two models that should be the same differ by, parameter by parameter.
import type { OnProgress } from "../base/index.ts";
import { inPairing } from "../formats/index.ts";
import { type LlamaConfig, type ParameterRow, parameterCount, parameterRows, piecesOf, type WeightSource } from "../model/index.ts";

/** A model's config, and its parameters where they lie. */
export interface Weighed {
  readonly config: LlamaConfig;
  readonly weights: WeightSource;
}

/** Elements that are in memory at a time, of either model. */
const pieceElements = 1 << 20;

/**
 * The error of every parameter of `made` beside those of `source`, by name: the root of Σ (x − x̂)² / Σ x², 0 where they are equal. Heads' channels are
 * compared in one pairing of RoPE.
 * @throws the signal's reason when it aborts
 */
export async function relativeErrors(
  source: Weighed,
  made: Weighed,
  { progress, signal }: { readonly progress?: OnProgress; readonly signal?: AbortSignal } = {},
): Promise<ReadonlyMap<string, number>> {
  const paired = inPairing(source.config.ropePairing, made);
  const total = parameterCount(source.config);
  const errors = new Map<string, number>();
  let done = 0;
  for (const row of parameterRows(source.config)) {
    let [square, lost] = [0, 0];
    for await (const [x, y] of inStep(source.weights, paired.weights, row)) {
      signal?.throwIfAborted();
      for (let i = 0; i < x.length; i++) {
        square += x[i]! ** 2;
        lost += (x[i]! - y[i]!) ** 2;
      }
      done += x.length;
      progress?.({ task: "comparing", done, total, unit: "weights" });
    }
    errors.set(row.name, lost === 0 ? 0 : Math.sqrt(lost / square));
  }
  return errors;
}

/** Equal stretches of a parameter in both sources, whose pieces need not end at the same places. */
async function* inStep(a: WeightSource, b: WeightSource, row: ParameterRow): AsyncGenerator<readonly [Float32Array, Float32Array]> {
  const others = piecesOf(b, row, pieceElements);
  let rest = new Float32Array(0);
  for await (const piece of piecesOf(a, row, pieceElements))
    for (let at = 0; at < piece.length; ) {
      if (rest.length === 0) rest = (await others.next()).value ?? new Float32Array(piece.length - at);
      const count = Math.min(rest.length, piece.length - at);
      yield [piece.subarray(at, at + count), rest.subarray(0, count)];
      rest = rest.subarray(count);
      at += count;
    }
}
