// How the numbers of a tensor are spread, and what fewer bits would change: its file is read in pieces, for the page.
import { dequantise, elementLayouts, eventsHandled, sizeOf } from "../../../base/index.ts";
import { quantiseRows, type WritableDType } from "../../../formats/index.ts";
import { type LlamaConfig, type ParameterRow, parameterRows, piecesOf, type WeightSource } from "../../../model/index.ts";
import { RequestError, refuse } from "../../request-error.ts";

/** Numbers that are in memory at a time. */
const pieceElements = 1 << 18;
/** Numbers that are quantised at most, the tensor's first rows: the search for scales takes about a second for so many. */
const mostCompared = 1 << 19;
/** Numbers that are quantised between two turns of the event loop. */
const sliceElements = 1 << 14;
const bins = 64;

/** A model's parameters where they lie. */
export interface ModelInFiles extends AsyncDisposable {
  readonly config: LlamaConfig;
  readonly weights: WeightSource;
}

/** How numbers are spread: as many as fall into each of equal parts of the range. */
export interface LookHistogram {
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

/** The numbers of a tensor. */
export interface LookWeights {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  /** The share of numbers that are zero. */
  readonly zeros: number;
  readonly histogram: LookHistogram;
  /** Only where a layout was asked for. */
  readonly quantised?: LookQuantised;
}

/** What a layout of fewer bits changes. */
export interface LookQuantised {
  /** How many numbers were compared: the tensor's first rows. */
  readonly compared: number;
  /** The root of Σ (x − x̂)² / Σ x². */
  readonly error: number;
  /** The differences x̂ − x. */
  readonly histogram: LookHistogram;
}

/** @throws RequestError where the model has no such tensor, or its rows are no whole blocks of the layout; the signal's reason when it aborts */
export async function weightsOfTensor(
  { config, weights }: ModelInFiles,
  { tensor, type }: { readonly tensor: string; readonly type?: WritableDType | undefined },
  signal: AbortSignal,
): Promise<LookWeights> {
  const row = parameterRows(config).find(({ name }) => name === tensor);
  if (row === undefined)
    throw new RequestError("notFound", `the model has no tensor ${JSON.stringify(tensor.slice(0, 100))}`, { param: "tensor" });
  const pieces = () => piecesUntil(piecesOf(weights, row, pieceElements), signal);
  const { mean, deviation, zeros, from, to } = await momentsOf(pieces());
  const histogram = emptyHistogram(from, to);
  for await (const piece of pieces()) for (const value of piece) count(histogram, value);
  const quantised = type && (await quantisedBy(type, row, pieces()));
  return { name: tensor, mean, deviation, zeros, histogram, ...(quantised && { quantised }) };
}

async function* piecesUntil(pieces: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Float32Array> {
  for await (const whole of pieces)
    for (let at = 0; at < whole.length; at += pieceElements) {
      signal.throwIfAborted();
      yield whole.subarray(at, at + pieceElements);
      await eventsHandled();
    }
}

async function momentsOf(pieces: AsyncIterable<Float32Array>) {
  let [n, sum, square, zero, from, to] = [0, 0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const piece of pieces)
    for (const value of piece) {
      n++;
      sum += value;
      square += value * value;
      if (value === 0) zero++;
      if (value < from) from = value;
      if (value > to) to = value;
    }
  const mean = sum / n;
  return { mean, deviation: Math.sqrt(Math.max(0, square / n - mean * mean)), zeros: zero / n, from, to };
}

interface Histogram extends LookHistogram {
  readonly counts: number[];
}

function emptyHistogram(from: number, to: number): Histogram {
  return { from, to, counts: Array<number>(bins).fill(0) };
}

function count({ from, to, counts }: Histogram, value: number): void {
  const bin = to > from ? Math.min(bins - 1, Math.floor(((value - from) / (to - from)) * bins)) : 0;
  counts[bin] = (counts[bin] ?? 0) + 1;
}

async function quantisedBy(type: WritableDType, row: ParameterRow, pieces: AsyncIterable<Float32Array>): Promise<LookQuantised> {
  const columns = row.shape.at(-1) ?? 1;
  const { block } = elementLayouts[type];
  if (row.shape.length !== 2 || columns % block !== 0)
    refuse(`${row.name} has rows of ${columns} numbers, which are no whole blocks of ${type}: these have ${block}`, "type");
  const values = await firstRows(pieces, columns, sizeOf(row.shape));
  const errors = new Float64Array(values.length);
  let [lost, square] = [0, 0];
  const slice = Math.max(1, Math.floor(sliceElements / columns)) * columns;
  for (let at = 0; at < values.length; at += slice) {
    const part = values.subarray(at, at + slice);
    const made = dequantise(type, quantiseRows(type, { values: part, columns }));
    for (const [i, value] of part.entries()) {
      const error = (made[i] ?? Number.NaN) - value;
      errors[at + i] = error;
      lost += error * error;
      square += value * value;
    }
    await eventsHandled();
  }
  const most = errors.reduce((largest, error) => Math.max(largest, Math.abs(error)), 0);
  const histogram = emptyHistogram(-most, most);
  for (const error of errors) count(histogram, error);
  return { compared: values.length, error: lost === 0 ? 0 : Math.sqrt(lost / square), histogram };
}

/** Whole rows, as many as are compared at most, and at least one. */
async function firstRows(pieces: AsyncIterable<Float32Array>, columns: number, size: number): Promise<Float32Array> {
  const most = Math.min(size, Math.max(1, Math.floor(mostCompared / columns)) * columns);
  const values = new Float32Array(most);
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(0, most - at);
    values.set(part, at);
    at += part.length;
    if (at === most) break;
  }
  return values;
}
