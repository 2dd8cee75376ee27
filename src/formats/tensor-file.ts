// Named tensors that still lie in their file: looked up by name, read by range when asked for.
import {
  type ByteSource,
  CriaError,
  check,
  type DType,
  didYouMean,
  type FileRegion,
  fail,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
} from "../base/index.ts";
import { fileLayout, isStorageName, type StorageName, type TensorDType } from "./storage.ts";

/** A tensor's place: bytes `start` to `end` (exclusive) of `source`, rows one after another. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: Shape;
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

/** Elements converted at a time, whole blocks of any layout, so that widening a tensor needs little more memory than the result. */
const pieceElements = 1 << 22;
/** Bytes read at a time where they stay as they are stored. */
const pieceBytes = 1 << 24;

/** The tensors of a file by name, read when they are asked for. */
export class TensorFile {
  /** The format, for messages: "safetensors", "llama2c". */
  readonly format: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors in the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;

  constructor(format: string, name: string, tensors: Iterable<TensorInfo>, metadata: Readonly<Record<string, string>> = {}) {
    this.format = format;
    this.name = name;
    this.metadata = metadata;
    this.tensors = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
  }

  /** @throws CriaError naming the nearest tensor when there is none of this name. */
  info(name: string): TensorInfo {
    const guess = () => didYouMean(name, this.tensors.keys()) || ":";
    return (
      this.tensors.get(name) ??
      fail(
        this.format,
        `${this.name}: it has no tensor "${name}"${guess()} config and weights belong to different models, or a part is missing`,
      )
    );
  }

  /** The bytes as stored. */
  async read(name: string): Promise<Uint8Array> {
    const { source, start, end } = this.info(name);
    return this.#allocating(name, end - start, () => source.read(start, end - start));
  }

  /** The elements as float32, rounded once (F64, I64, I32, blocks) or widened exactly (the others); BOOL gives 0 and 1. */
  async readFloat32(name: string): Promise<Float32Array> {
    const info = this.info(name);
    const size = sizeOf(info.shape);
    const values = await this.#allocating(name, size * 4, async () => new Float32Array(size));
    for (let at = 0; at < size; at += pieceElements) await readPiece(info, at, values.subarray(at, at + pieceElements));
    return values;
  }

  /**
   * The same elements in pieces of `elements`, or fewer, where that is not whole blocks, so that a tensor need not be in memory whole; the last
   * may be shorter.
   */
  async *pieces(name: string, elements = pieceElements): AsyncGenerator<Float32Array> {
    const info = this.info(name);
    const size = sizeOf(info.shape);
    const { block } = fileLayout(info.dtype);
    const step = Math.max(block, elements - (elements % block));
    for (let at = 0; at < size; at += step) {
      const piece = new Float32Array(Math.min(step, size - at));
      await readPiece(info, at, piece);
      yield piece;
    }
  }

  /**
   * The bytes as stored, piece by piece, so that nobody needs all of them at once; undefined where a machine would read them otherwise than the
   * file has them.
   */
  stored(name: string): { readonly dtype: DType; bytes(): AsyncIterable<Uint8Array> } | undefined {
    const info = this.info(name);
    const dtype = layoutOf(info);
    return dtype === undefined ? undefined : { dtype, bytes: () => bytesOf(info) };
  }

  /**
   * Whether two tensors of the same shape hold the same float32 bits, however they are stored. They are read in pieces, so that memory does not
   * grow with their size.
   * @throws the signal's reason when it aborts
   */
  async holdSame(name: string, other: string, signal?: AbortSignal): Promise<boolean> {
    const infos = [this.info(name), this.info(other)] as const;
    const size = sizeOf(infos[0].shape);
    const [a, b] = [new Float32Array(Math.min(size, pieceElements)), new Float32Array(Math.min(size, pieceElements))];
    for (let at = 0; at < size; at += pieceElements) {
      signal?.throwIfAborted();
      const count = Math.min(pieceElements, size - at);
      await readPiece(infos[0], at, a.subarray(0, count));
      await readPiece(infos[1], at, b.subarray(0, count));
      if (!sameBits(a.subarray(0, count), b.subarray(0, count))) return false;
    }
    return true;
  }

  /**
   * How a tensor lies in its file, where a machine may compute with it as it lies: floats of 32 or 16 bits in the machine's order, or blocks of them,
   * from any byte on, as machine code reads them; undefined where it is not so, or in no file.
   */
  inFile(name: string): { readonly dtype: DType; readonly region: FileRegion } | undefined {
    const info = this.info(name);
    const { source, start, end } = info;
    const dtype = layoutOf(info);
    if (dtype === undefined || source.descriptor === undefined || end === start) return undefined;
    return { dtype, region: { name: source.name, descriptor: source.descriptor, start, bytes: end - start } };
  }

  /**
   * Holds the file against what a model expects: every row is there in its shape, as floats or blocks of them, and nothing else is that counts.
   * @param isRedundant whether a tensor may be there that is none of the rows; none by default
   * @throws CriaError with the first difference.
   */
  expect(rows: Iterable<{ readonly name: string; readonly shape: Shape }>, isRedundant: (name: string) => boolean = () => false): void {
    const expected = new Set<string>();
    for (const { name, shape } of rows) {
      expected.add(name);
      const { shape: found, dtype } = this.info(name);
      check(
        !isInteger(dtype),
        this.format,
        () =>
          `${this.name}: tensor "${name}" is ${dtype}, and integers are weights only with scales of a kind that cria does not know: choose the model in BF16`,
      );
      check(
        sameShape(found, shape),
        this.format,
        () =>
          `${this.name}: tensor "${name}" is ${showShape(found)} but the model's is ${showShape(shape)}: config and weights belong to different models`,
      );
    }
    for (const name of this.tensors.keys())
      check(
        expected.has(name) || isRedundant(name),
        this.format,
        () =>
          `${this.name}: tensor "${name}" is not part of the model that the config describes: config and weights belong to different models`,
      );
  }

  async #allocating<T>(name: string, bytes: number, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = `${this.name}: tensor "${name}" needs ${bytes} bytes of memory in one piece, more than there is: use a machine with more`;
      throw new CriaError(this.format, message, { cause: error });
    }
  }
}

/** Fills `out` with the tensor's elements from `first` on, both whole blocks. */
async function readPiece({ source, start, dtype }: TensorInfo, first: number, out: Float32Array): Promise<void> {
  const { block, bytes, alignment, toFloat32 } = fileLayout(dtype);
  const stored = await source.read(start + (first / block) * bytes, (out.length / block) * bytes);
  toFloat32(aligned(stored, alignment), out);
}

function isInteger(dtype: TensorDType): boolean {
  return /^(?:[IU]\d|BOOL)/.test(dtype);
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((values) => new Uint32Array(values.buffer, values.byteOffset, values.length)) as [Uint32Array, Uint32Array];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** What computes with a tensor as it is stored; undefined where nothing does. */
function layoutOf({ dtype }: TensorInfo): DType | undefined {
  const layout = isStorageName(dtype) ? layouts[dtype] : dtype;
  return isLittleEndian ? layout : undefined;
}

const layouts: Readonly<Partial<Record<StorageName, DType>>> = { F32: "f32", F16: "f16", BF16: "bf16" };

async function* bytesOf({ source, start, end }: TensorInfo): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += pieceBytes) yield await source.read(at, Math.min(pieceBytes, end - at));
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
}
