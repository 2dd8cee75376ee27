// A model's parameters as buffers of a backend: mapped from their file where the backend has them there, else copied in the layout of the file,
// else read as float32.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { bytesOf, check, type DType, elementLayouts, gigabytes, type OnProgress, sizeOf } from "../base/index.ts";
import { constantRows, initialise, loraRows, type ParameterRow, parameterRows, type WeightSource } from "../model/index.ts";
import type { ProgramParts } from "./programs.ts";
import { bufferHash, PiecesHash, type WeightHashes } from "./weight-hashes.ts";

/** Who hears of loading and who ends it. */
export interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** A parameter that is copied into memory of the backend's. */
interface Copied {
  readonly row: ParameterRow;
  readonly dtype: DType;
  /** Elements of f32, bytes of other layouts, piece by piece. */
  pieces(): AsyncIterable<Float32Array | Uint8Array>;
}

/**
 * Makes and fills parameters and constants, which `held` then holds by name.
 * @returns bytes of matrices that lie in memory of the backend's own, which packing gives back; the embedding is read as it is
 * @throws CriaError when a parameter is missing or of another size, or memory does not suffice
 */
export async function loadWeights(
  backend: Backend,
  { config, lora, held }: ProgramParts,
  weights: WeightSource,
  { signal, onProgress }: LoadOptions,
): Promise<{ readonly ownBytes: number; readonly hashes: WeightHashes }> {
  const copied: Copied[] = [];
  const hashes = new Map<string, () => Promise<string>>();
  for (const row of parameterRows(config)) {
    signal?.throwIfAborted();
    const mapped = await mapParameter(backend, row, weights);
    if (mapped === undefined) copied.push(copyOf(row, weights));
    else {
      held.set(row.name, mapped);
      hashes.set(row.name, () => bufferHash(mapped));
    }
  }
  for (const row of lora === undefined ? [] : loraRows(config, lora)) copied.push(copyOf(row, weights));
  checkRoom(backend, copied);
  const constants = initialise(constantRows(config), 0);
  for (const row of constantRows(config)) await (await allocate(backend, row, "f32", held)).write(constants.get(row.name) ?? []);
  const buffers = new Map<Copied, DeviceBuffer>();
  for (const one of copied) buffers.set(one, await allocate(backend, one.row, one.dtype, held));
  for (const [done, one] of copied.entries()) {
    onProgress?.({ task: "loading model", done, total: copied.length, unit: "parameters" });
    signal?.throwIfAborted();
    const hash = await fill(buffers.get(one)!, one);
    hashes.set(one.row.name, async () => hash);
  }
  return {
    ownBytes: bytesOfAll(copied.filter(({ row }) => isPackedAlone(row))),
    hashes: new Map([...hashes].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** How a parameter or a constant will lie in memory. */
export interface PlannedWeight {
  readonly row: ParameterRow;
  readonly dtype: DType;
  /** It is used where it lies in its file, which the system reads, and gives up, as it needs. */
  readonly isMapped: boolean;
  /** Packing gives its own bytes back. */
  readonly isPackedAlone: boolean;
}

/** What {@link loadWeights} will make of all parameters and constants; nothing is allocated or read. */
export function plannedWeights(backend: Backend, { config, lora }: Omit<ProgramParts, "held">, weights: WeightSource): PlannedWeight[] {
  const planned = (row: ParameterRow, dtype: DType, isMapped: boolean) => ({ row, dtype, isMapped, isPackedAlone: isPackedAlone(row) });
  const copied = (row: ParameterRow) => planned(row, copyOf(row, weights).dtype, false);
  return [
    ...parameterRows(config).map((row) => {
      const found = backend.map && mappable(row, weights);
      return found ? planned(row, found.dtype, true) : copied(row);
    }),
    ...(lora === undefined ? [] : loraRows(config, lora).map(copied)),
    ...constantRows(config).map((row) => planned(row, "f32", false)),
  ];
}

/** Matrices are read packed alone; the table of tokens is looked up as it is. */
function isPackedAlone({ name, shape }: ParameterRow): boolean {
  return shape.length === 2 && name !== "embedding";
}

async function allocate(backend: Backend, { name, shape }: ParameterRow, dtype: DType, held: ProgramParts["held"]): Promise<DeviceBuffer> {
  const buffer = await backend.allocate({ dtype, shape }, name);
  held.set(name, buffer);
  return buffer;
}

/** How a parameter lies in its file, if it may be used there. Only matrices may have other layouts than float32. */
function mappable(row: ParameterRow, weights: WeightSource): ReturnType<NonNullable<WeightSource["inFile"]>> {
  const found = weights.inFile?.(row);
  return row.shape.length === 2 || found?.dtype === "f32" ? found : undefined;
}

/** The parameter where it lies; undefined where it must be copied. */
async function mapParameter(backend: Backend, row: ParameterRow, weights: WeightSource): Promise<DeviceBuffer | undefined> {
  const found = mappable(row, weights);
  if (found === undefined) return undefined;
  const { block, bytes } = elementLayouts[found.dtype];
  checkSize(row, (found.region.bytes / bytes) * block);
  return backend.map?.({ dtype: found.dtype, shape: row.shape }, row.name, found.region);
}

/**
 * What is copied of a parameter: its bytes in the layout of the file, so that memory is no larger than it and the bits are those of a machine
 * that maps it.
 */
function copyOf(row: ParameterRow, weights: WeightSource): Copied {
  const stored = row.shape.length === 2 ? weights.stored?.(row) : undefined;
  if (stored !== undefined && stored.dtype !== "f32") return { row, dtype: stored.dtype, pieces: () => stored.bytes() };
  return { row, dtype: "f32", pieces: () => whole(weights, row) };
}

async function* whole(weights: WeightSource, row: ParameterRow): AsyncGenerator<Float32Array> {
  yield await weights.read(row);
}

/**
 * Writes pieces one behind the other: places are counted in elements of f32 and in bytes of other layouts, as pieces are.
 * @returns a hash of samples of them
 */
async function fill(buffer: DeviceBuffer, { row, dtype, pieces }: Copied): Promise<string> {
  const hash = new PiecesHash(bytesOf(dtype, row.shape));
  const { block, bytes } = elementLayouts[dtype];
  const perPlace = dtype === "f32" ? 1 : block / bytes;
  const places = dtype === "f32" ? sizeOf(row.shape) : bytesOf(dtype, row.shape);
  let at = 0;
  for await (const piece of pieces()) {
    check(at + piece.length <= places, "infer", () => sizeMessage(row, (at + piece.length) * perPlace));
    await buffer.write(piece, at);
    hash.add(piece);
    at += piece.length;
  }
  checkSize(row, at * perPlace);
  return hash.hexDigest();
}

function checkSize(row: ParameterRow, numbers: number): void {
  check(numbers === sizeOf(row.shape), "infer", () => sizeMessage(row, numbers));
}

function sizeMessage({ name, shape }: ParameterRow, numbers: number): string {
  return `parameter "${name}" has ${numbers} numbers but the model's config says ${sizeOf(shape)}: they belong to different models`;
}

/** Says at once, and not at the parameter with which memory ends, that a model is too large. */
function checkRoom(backend: Backend, copied: readonly Copied[]): void {
  const [bytes, { bytes: room, bound }] = [bytesOfAll(copied), backend.memory()];
  check(
    bytes <= room,
    "infer",
    () => `the model's weights take ${gigabytes(bytes)}, but ${bound} is ${gigabytes(room)}: use a smaller model, or one in fewer bits`,
  );
}

function bytesOfAll(copied: readonly Copied[]): number {
  return copied.reduce((sum, { row, dtype }) => sum + bytesOf(dtype, row.shape), 0);
}
