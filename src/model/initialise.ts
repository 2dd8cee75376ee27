// First weights, by the rows: every parameter has a stream of random numbers of its own, so that adding one changes no other.
import { Rng, sizeOf } from "../base/index.ts";
import type { ParameterRow } from "./parameters.ts";

/** The content of every row by name; the same seed gives the same bits. */
export function initialise(rows: readonly ParameterRow[], seed: number): Map<string, Float32Array> {
  const rng = new Rng(seed);
  return new Map(rows.map((row) => [row.name, fill(row, rng.fork(row.name))]));
}

function fill({ shape, init }: ParameterRow, rng: Rng): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (init === "sinusoids") return sinusoids(values, shape[1]!);
  if (init === "ones") return values.fill(1);
  if (init === "zeros") return values;
  return values.map(() => rng.normal() * init);
}

/** sin at channel 2i and cos at 2i + 1 of position / 10000^(2i / C) (Vaswani et al. 2017, section 3.5). */
function sinusoids(values: Float32Array, C: number): Float32Array {
  return values.map((_, at) => {
    const position = Math.floor(at / C);
    const channel = at % C;
    const angle = position / 10000 ** ((channel - (channel % 2)) / C);
    return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}
