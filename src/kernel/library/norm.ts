// RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467) and LayerNorm (Ba et al. 2016, arXiv 1607.06450), row by row.
// Shapes: R rows, C channels, U units of work of the gradient.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { fill } from "./product.ts";
import { eachLiveRow, type Live, type Range, rowAt } from "./rows.ts";

/** Sizes R and C of the rows, and ε. */
export interface NormSizes {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
}

/** Sizes of a norm that may be taken over each head of a row. */
export interface HeadNormSizes extends NormSizes {
  /** H: a row has so many times C channels, each normalised by itself; 1 where there is none. */
  readonly heads?: number;
}

/** y = gain · x / sqrt(mean(x²) + ε). Pointers: x [R, H·C], gain [C], y [R, H·C]. */
export const rmsNorm = kernel<HeadNormSizes & Live>("rmsNorm", (k, { channels, epsilon, heads = 1, ...sizes }) => {
  const { x, gain, y } = k.pointers("x", "gain", "y");
  const norm = (from: Int, to: Int) => {
    const scale = inverseRms(k, from, channels, epsilon);
    k.lanes(channels, (at) => k.store(k.load(from, at).mul(scale).mul(k.load(gain, at)), to, at), 2);
  };
  const split = eachLiveRow(k, sizes, (row) => {
    const [from, to] = [rowAt(x, row, heads * channels), rowAt(y, row, heads * channels)];
    if (heads === 1) norm(from, to);
    else k.loop(0, heads, 1, (head) => norm(rowAt(from, head, channels), rowAt(to, head, channels)));
  });
  return split;
});

/** Units of the norms' gradients: the rows of `partial`. */
export function normGradientUnits(rows: number): number {
  return Math.ceil(rows / gradientRows(rows));
}

/**
 * The gradient, with r = 1 / rms(x): dx = r · (gain·dy − x · r² · mean(gain·dy·x)); partial[unit] = Σ dy·x·r over the unit's rows, which
 * {@link sumRows} adds up to dgain. Pointers: x [R, C], gain [C], dy [R, C], dx [R, C], partial [U, C].
 */
export const rmsNormGradient = kernel<NormSizes>("rmsNormGradient", (k, { rows, channels, epsilon }) => {
  const { x, gain, dy, dx, partial } = k.pointers("x", "gain", "dy", "dx", "partial");
  const units = eachGradientRow(k, { rows, channels }, [partial], (row, [sums]) => {
    const [from, dFrom, to] = [rowAt(x, row, channels), rowAt(dy, row, channels), rowAt(dx, row, channels)];
    const dNormed = (at: Position) => k.load(dFrom, at).mul(k.load(gain, at));
    const scale = inverseRms(k, from, channels, epsilon);
    const mean = k.sum(channels, (at) => dNormed(at).mul(k.load(from, at))).mul(k.constant(1 / channels));
    const pull = scale.mul(scale).mul(mean);
    k.lanes(channels, (at) => {
      const value = k.load(from, at);
      const [dNorm, slope] = [dNormed(at), k.load(dFrom, at).mul(value).mul(scale)];
      k.store(scale.mul(dNorm.sub(value.mul(pull))), to, at);
      k.store(k.load(sums!, at).add(slope), sums!, at);
    });
  });
  return { units };
});

/** y = gain · (x − mean(x)) / sqrt(var(x) + ε) + bias, the variance over C. Pointers: x [R, C], gain [C], bias [C], y [R, C]. */
export const layerNorm = kernel<NormSizes & Live>("layerNorm", (k, { channels, epsilon, ...sizes }) => {
  const { x, gain, bias, y } = k.pointers("x", "gain", "bias", "y");
  const split = eachLiveRow(k, sizes, (row) => {
    const [from, to] = [rowAt(x, row, channels), rowAt(y, row, channels)];
    const { mean, scale } = moments(k, from, channels, epsilon);
    k.lanes(channels, (at) => {
      const normed = k.load(from, at).sub(mean).mul(scale);
      k.store(normed.fma(k.load(gain, at), k.load(bias, at)), to, at);
    });
  });
  return split;
});

/**
 * The gradient, with n = (x − mean) · r: dx = r · (gain·dy − mean(gain·dy) − n · mean(gain·dy·n)); the partials are Σ dy·n and Σ dy over the unit's
 * rows. Pointers: x [R, C], gain [C], dy [R, C], dx [R, C], partialGain [U, C], partialBias [U, C].
 */
export const layerNormGradient = kernel<NormSizes>("layerNormGradient", (k, { rows, channels, epsilon }) => {
  const { x, gain, dy, dx, partialGain, partialBias } = k.pointers("x", "gain", "dy", "dx", "partialGain", "partialBias");
  const units = eachGradientRow(k, { rows, channels }, [partialGain, partialBias], (row, [gains, biases]) => {
    const [from, dFrom, to] = [rowAt(x, row, channels), rowAt(dy, row, channels), rowAt(dx, row, channels)];
    const { mean, scale } = moments(k, from, channels, epsilon);
    const normed = (at: Position) => k.load(from, at).sub(mean).mul(scale);
    const dNormed = (at: Position) => k.load(dFrom, at).mul(k.load(gain, at));
    const dMean = k.sum(channels, dNormed).mul(k.constant(1 / channels));
    const dScale = k.sum(channels, (at) => dNormed(at).mul(normed(at))).mul(k.constant(1 / channels));
    k.lanes(channels, (at) => {
      const [n, dn, d] = [normed(at), dNormed(at), k.load(dFrom, at)];
      k.store(scale.mul(dn.sub(dMean).sub(n.mul(dScale))), to, at);
      k.store(k.load(gains!, at).add(d.mul(n)), gains!, at);
      k.store(k.load(biases!, at).add(d), biases!, at);
    });
  });
  return { units };
});

/** y[c] = Σ x[r, c]. Pointers: x [R, C], y [C]. One unit per block of channels. */
export const sumRows = kernel<{ rows: number; channels: number }>("sumRows", (k, { rows, channels }) => {
  const { x, y } = k.pointers("x", "y");
  const column = (at: Position) => {
    const sum = k.variable();
    k.loop(0, rows, 1, (row) => sum.addTo(k.load(rowAt(x, row, channels), at)));
    k.store(sum, y, at);
  };
  return { units: k.flat(channels, k.range(), column, 64) };
});

/** Rows of a unit of a gradient: its partial sums are as long as a row, so a unit has many of them. */
function gradientRows(rows: number): number {
  return rows > 2048 ? 64 : 32;
}

/** {@link eachRow}, with each of `partials` at the row that belongs to the unit, zeroed before its first row. */
function eachGradientRow(
  k: Builder,
  { rows, channels }: { readonly rows: number; readonly channels: number },
  partials: readonly Int[],
  body: (row: Int, partials: readonly Int[]) => void,
): number {
  const { begin, end }: Range = k.range();
  const block = gradientRows(rows);
  k.loop(begin, end, 1, (unit) => {
    const own = partials.map((partial) => rowAt(partial, unit, channels));
    for (const partial of own) fill(k, partial, channels, k.constant(0));
    const first = unit.mul(block);
    k.loop(first, first.add(block).min(rows), 1, (row) => body(row, own));
  });
  return normGradientUnits(rows);
}

/** 1 / sqrt(mean(x²) + ε) of a row, in every lane. */
export function inverseRms(k: Builder, row: Int, channels: number, epsilon: number): Vec {
  const square = k.sum(channels, (at) => {
    const value = k.load(row, at);
    return value.mul(value);
  });
  return inverseRoot(k, square, channels, epsilon);
}

/** The variance from differences to the mean: squares of large values would cancel. */
function moments(k: Builder, row: Int, channels: number, epsilon: number): { mean: Vec; scale: Vec } {
  const mean = k.sum(channels, (at) => k.load(row, at)).mul(k.constant(1 / channels));
  const square = k.sum(channels, (at) => {
    const difference = k.load(row, at).sub(mean);
    return difference.mul(difference);
  });
  return { mean, scale: inverseRoot(k, square, channels, epsilon) };
}

function inverseRoot(k: Builder, squares: Vec, channels: number, epsilon: number): Vec {
  return k.constant(1).div(
    squares
      .mul(k.constant(1 / channels))
      .add(k.constant(epsilon))
      .sqrt(),
  );
}
