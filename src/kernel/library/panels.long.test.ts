// Products with weights of every layout in random sizes, forms and roundings: against float64, one row against many, live rows against all, and the
// weight made of its panels again.
import { expect, test } from "vitest";
import {
  dequantise,
  elementLayouts,
  isQuantised,
  type Precision,
  type QuantisedDType,
  Rng,
  roundToBfloat16,
  type WeightDType,
  weightDTypes,
} from "../../base/index.ts";
import { exampleBytes } from "../../graph/index.ts";
import { type CompiledRun, compiledRuns, ints, random, sameBits, unwritten } from "../testing.test.helper.ts";
import { matmul } from "./matmul.ts";
import { keepsBits, packedBytes, packMatrix, unpackMatrix } from "./pack.ts";
import { quantisedLinesBytes, quantiseLines } from "./quantise.ts";
import { quantisedMatmul } from "./quantised-matmul.ts";
import { packedQuantisedBytes, packQuantised, unpackQuantised } from "./quantised-panels.ts";

const mostProducts = 2e6;

interface Case {
  readonly type: WeightDType;
  readonly form: "nt" | "nn";
  readonly precision: Precision;
  /** Rows and channels of the weight. */
  readonly rows: number;
  readonly channels: number;
  readonly m: number;
  readonly live: number;
}

test.each(compiledRuns)(
  "$name",
  (run) => {
    const rng = new Rng(11);
    for (let left = 150; left > 0; left--) {
      const drawn = draw(rng);
      const { held, values } = weightOf(drawn, rng);
      testFloats(run, drawn, held, values);
      if (isQuantised(drawn.type)) testBytes(run, { ...drawn, type: drawn.type }, held);
    }
  },
  600_000,
);

function draw(rng: Rng): Case {
  const pick = <T>(values: readonly [T, ...T[]]): T => values[rng.below(values.length)] ?? values[0];
  const type = weightDTypes[rng.below(weightDTypes.length)] ?? "f32";
  const { block } = elementLayouts[type];
  const most = block === 1 ? pick([10, 700]) : block === 32 ? 20 : 4;
  const sizes = { rows: 1 + rng.below(pick([5, 40, 400])), channels: block * (1 + rng.below(most)), m: 1 + rng.below(pick([3, 14, 70])) };
  if (sizes.rows * sizes.channels * sizes.m > mostProducts) return draw(rng);
  return { type, form: pick(["nt", "nn"]), precision: pick(["float32", "bfloat16"]), ...sizes, live: rng.below(sizes.m + 2) };
}

/** The bytes in whole words, and what they are. */
function weightOf({ type, rows, channels }: Case, rng: Rng) {
  const shape = [rows, channels];
  const bytes = type === "f32" ? new Uint8Array(random(rows * channels, 3).buffer) : exampleBytes({ dtype: type, shape }, rng);
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return { held: new Float32Array(padded.buffer), values: dequantise(type, bytes) };
}

const room = (bytes: number) => unwritten(Math.ceil(bytes / 4));

function testFloats({ run, target }: CompiledRun, drawn: Case, held: Float32Array, values: Float64Array): void {
  const { type, form, precision, rows, channels, m, live } = drawn;
  const what = JSON.stringify(drawn);
  const [n, k] = form === "nt" ? [rows, channels] : [channels, rows];
  const sizes = { form, n, k, precision };
  const matrix = { n: rows, k: channels };
  const pack = () => {
    if (isQuantised(type)) return run(packQuantised, { ...matrix, type }, [held, room(packedQuantisedBytes(target, { ...matrix, type }))]);
    return run(packMatrix, { ...sizes, type }, [held, room(packedBytes(target, { ...sizes, type }))]);
  };
  const packed = pack()[1]!;
  if (isQuantised(type))
    expect(sameBits(run(unpackQuantised, { ...matrix, type }, [packed, held.slice().fill(0)])[1]!, held), what).toBe(true);
  else if (keepsBits({ ...sizes, type }))
    expect(sameBits(run(unpackMatrix, { ...sizes, type }, [packed, held.slice().fill(0)])[1]!, held), what).toBe(true);
  const x = random(m * k, 5);
  const all = run(matmul, { ...sizes, type, m }, [x, packed, unwritten(m * n)])[2]!;
  const wrong = all.findIndex((value, i) => !isClose(value, exact(sizes, x, values, i)));
  expect(wrong, `${what}: ${all[wrong]}`).toBe(-1);
  expectLive(
    run(matmul, { ...sizes, type, m, live: true }, [x, packed, unwritten(m * n), ints([live])])[2]!,
    all,
    Math.min(live, m) * n,
    what,
  );
  const last = run(matmul, { ...sizes, type, m: 1 }, [x.slice((m - 1) * k), packed, unwritten(n)])[2]!;
  expect(sameBits(last, all.slice((m - 1) * n)), what).toBe(true);
}

function testBytes({ run, target }: CompiledRun, drawn: Case & { readonly type: QuantisedDType }, held: Float32Array) {
  const { type, rows: n, channels: k, m, live } = drawn;
  const what = JSON.stringify(drawn);
  const packed = run(packQuantised, { type, n, k }, [held, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
  const x = random(m * k, 6);
  const product = (m: number, x: Float32Array, limit: { readonly live?: true }, count: readonly Float32Array[]) => {
    const lines = run(quantiseLines, { type, m, k, ...limit }, [x, room(quantisedLinesBytes(target, { type, m, k })), ...count])[1]!;
    return run(quantisedMatmul, { type, m, n, k, ...limit }, [lines, packed, unwritten(m * n), ...count])[2]!;
  };
  const all = product(m, x, {}, []);
  expectLive(product(m, x, { live: true }, [ints([live])]), all, Math.min(live, m) * n, what);
  expect(sameBits(product(1, x.slice((m - 1) * k), {}, []), all.slice((m - 1) * n)), what).toBe(true);
}

function expectLive(some: Float32Array, all: Float32Array, end: number, what: string): void {
  expect(sameBits(some.slice(0, end), all.slice(0, end)), what).toBe(true);
  expect(some.slice(end).every(Number.isNaN), what).toBe(true);
}

/** A sum in float64, and the sum of its terms' magnitudes. */
function exact(
  { form, n, k, precision }: { form: "nt" | "nn"; n: number; k: number; precision: Precision },
  x: Float32Array,
  w: Float64Array,
  at: number,
) {
  const round = precision === "bfloat16" ? roundToBfloat16 : Math.fround;
  const [row, column] = [Math.floor(at / n), at % n];
  let [sum, magnitude] = [0, 0];
  for (let p = 0; p < k; p++) {
    const term = round(x[row * k + p]!) * round(Math.fround(w[form === "nt" ? column * k + p : p * n + column]!));
    sum += term;
    magnitude += Math.abs(term);
  }
  return { sum, magnitude };
}

function isClose(value: number, { sum, magnitude }: { readonly sum: number; readonly magnitude: number }): boolean {
  return Math.abs(value - sum) <= 3e-6 * magnitude;
}
