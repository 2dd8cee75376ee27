import { describe, expect, test } from "vitest";
import { random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { layerNorm, layerNormGradient, type NormSizes, normGradientUnits, rmsNorm, rmsNormGradient, sumRows } from "./norm.ts";

const sizes = [
  [1, 1],
  [2, 3],
  [33, 5],
  [70, 17],
  [2, 48],
  [33, 64],
  [70, 67],
] as const;

const tolerance = 3e-6;

describe.each(runs)("$name", ({ run }) => {
  describe.each(sizes)("%i × %i", (rows, channels) => {
    const constants = { rows, channels, epsilon: 1e-5 };
    const count = rows * channels;
    const x = random(count, 1, 3).map((value) => value + 0.5);
    const gain = random(channels, 2);
    const bias = random(channels, 3);
    const dy = random(count, 4);
    const partial = () => unwritten(normGradientUnits(rows) * channels);
    const total = (sums: Float32Array) => run(sumRows, { rows: normGradientUnits(rows), channels }, [sums, unwritten(channels)])[1]!;

    test("rmsNorm", () => {
      const y = run(rmsNorm, constants, [x, gain, unwritten(count)])[2]!;
      expect(
        worstError(
          y,
          normed(constants, x, false).map((n, i) => n * gain[i % channels]!),
        ),
      ).toBeLessThan(tolerance);
    });

    test("rmsNorm's gradient", () => {
      const [, , , dx, sums] = run(rmsNormGradient, constants, [x, gain, dy, unwritten(count), partial()]);
      const want = gradient(constants, x, gain, dy, false);
      expect(worstError(dx!, want.dx)).toBeLessThan(tolerance);
      expect(worstError(total(sums!), want.dGain)).toBeLessThan(tolerance);
    });

    test("layerNorm", () => {
      const y = run(layerNorm, constants, [x, gain, bias, unwritten(count)])[3]!;
      const want = normed(constants, x, true).map((n, i) => n * gain[i % channels]! + bias[i % channels]!);
      expect(worstError(y, want)).toBeLessThan(tolerance);
    });

    test("layerNorm's gradient", () => {
      const [, , , dx, gains, biases] = run(layerNormGradient, constants, [x, gain, dy, unwritten(count), partial(), partial()]);
      const want = gradient(constants, x, gain, dy, true);
      // A single channel has no variance: what is left of dx is rounding times 1 / sqrt(ε).
      expect(worstError(dx!, want.dx)).toBeLessThan(channels === 1 ? 1e-4 : tolerance);
      expect(worstError(total(gains!), want.dGain)).toBeLessThan(tolerance);
      expect(worstError(total(biases!), want.dBias)).toBeLessThan(tolerance);
    });
  });

  test("sumRows of many columns", () => {
    const [rows, channels] = [5, 131];
    const x = random(rows * channels);
    const want = Array.from({ length: channels }, (_, c) => x.filter((_, i) => i % channels === c).reduce((sum, v) => sum + v, 0));
    expect(worstError(run(sumRows, { rows, channels }, [x, unwritten(channels)])[1]!, want)).toBeLessThan(1e-6);
  });
});

test("a unit of a gradient holds a block of rows", () => {
  expect([1, 32, 33, 2048, 2049].map(normGradientUnits)).toEqual([1, 1, 2, 64, 33]);
});

interface RowMoments {
  readonly mean: number;
  readonly scale: number;
}

function moments({ channels, epsilon }: NormSizes, x: Float32Array, row: number, centred: boolean): RowMoments {
  const values = [...x.subarray(row * channels, (row + 1) * channels)];
  const mean = centred ? values.reduce((sum, v) => sum + v, 0) / channels : 0;
  const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / channels;
  return { mean, scale: 1 / Math.sqrt(square + epsilon) };
}

function normed(constants: NormSizes, x: Float32Array, centred: boolean): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const { mean, scale } = moments(constants, x, Math.floor(i / constants.channels), centred);
    return (value - mean) * scale;
  });
}

/** The derivative of Σ dy · y by the chain rule: of the normed value, of the scale, of the mean. */
function gradient(constants: NormSizes, x: Float32Array, gain: Float32Array, dy: Float32Array, centred: boolean) {
  const { rows, channels } = constants;
  const n = normed(constants, x, centred);
  const [dx, dGain, dBias] = [new Float64Array(x.length), new Float64Array(channels), new Float64Array(channels)];
  for (let row = 0; row < rows; row++) {
    const { scale } = moments(constants, x, row, centred);
    let [dMean, dScale] = [0, 0];
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      dMean += centred ? (gain[c]! * dy[i]!) / channels : 0;
      dScale += (gain[c]! * dy[i]! * n[i]!) / channels;
      dGain[c]! += dy[i]! * n[i]!;
      dBias[c]! += dy[i]!;
    }
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      dx[i] = scale * (gain[c]! * dy[i]! - dMean - n[i]! * dScale);
    }
  }
  return { dx, dGain, dBias };
}
