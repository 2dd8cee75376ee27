// torch.save's files (.pth, pytorch_model.bin): a zip whose data.pkl makes a dict of tensors, each a view of an entry beside it (PyTorch,
// torch/serialization.py and caffe2/serialize/inline_container.cc). Entries are stored, and begin at multiples of 64 bytes: a machine may map them.
import { type ByteSource, check, decodeUtf8, fail, type Shape, showShape, sizeOf } from "../base/index.ts";
import { kindOf, quote } from "./json.ts";
import { type PickleCall, PickleGlobal, PickleTuple, type PickleValue, readPickle } from "./pickle.ts";
import { type StorageName, storageTypes } from "./storage.ts";
import { TensorFile, type TensorInfo } from "./tensor-file.ts";
import { readZip, type ZipEntry, zipEntryStart } from "./zip.ts";

const where = "pytorch";
/** A pickle takes about 200 bytes per tensor. */
const mostPickleBytes = 1 << 24;
/** Weights have two axes; a list that is longer than any tensor's could make checking all of them slow. */
const mostAxes = 8;

/** Classes of storages → how their elements lie. */
const storages: ReadonlyMap<string, StorageName> = new Map([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

/** Opens a file: reads its directory and its pickle, no tensor. @throws CriaError when it is of another kind, cut short, damaged or asks for more than tensors */
export async function readTorchFile(source: ByteSource): Promise<TensorFile> {
  await checkHead(source);
  const entries = await readZip(source);
  const root = rootOf(source, entries);
  const order = entries.get(`${root}/byteorder`);
  const isLittle = order === undefined || decodeUtf8(await bytesOf(source, order), `${source.name}: byteorder`, where) === "little";
  check(isLittle, where, () => `${source.name}: its numbers are big-endian: save it on a little-endian machine`);
  const pickle = entries.get(`${root}/data.pkl`);
  check(
    pickle !== undefined && pickle.size <= mostPickleBytes,
    where,
    () =>
      `${source.name}: its pickle has ${pickle?.size} bytes, but that of a model at most ${mostPickleBytes}: it holds more than weights`,
  );
  const views = readViews(`${source.name}: data.pkl`, await bytesOf(source, pickle));
  const starts = new Map<ZipEntry, number>();
  const tensors: TensorInfo[] = [];
  for (const [name, view] of views) {
    const entry = entries.get(`${root}/data/${view.storage.key}`);
    if (entry === undefined) return fail(where, `${source.name}: tensor ${quote(name)} lies in an entry that is missing: it is damaged`);
    if (!starts.has(entry)) starts.set(entry, await zipEntryStart(source, entry));
    tensors.push(place(source, name, view, entry.size, starts.get(entry) ?? 0));
  }
  return new TensorFile(where, source.name, tensors);
}

async function checkHead(source: ByteSource): Promise<void> {
  const head = String.fromCharCode(...(await source.read(0, Math.min(4, source.size))));
  const isOld = head.startsWith("\x80\x02\x8a");
  const kind = isOld ? "it is of PyTorch's form before 1.6: load it and save it again" : "it is none of PyTorch's files, or it is damaged";
  check(head === "PK\x03\x04", where, () => `${source.name}: ${kind}`);
}

/** The folder in which all entries lie, whatever it is called. */
function rootOf(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  check(
    pickles.length === 1,
    where,
    () => `${source.name}: it holds ${pickles.length} data.pkl, but torch.save writes one: it is another kind of archive`,
  );
  return pickles.join().replace(/\/data\.pkl$/, "");
}

async function bytesOf(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  return source.read(await zipEntryStart(source, entry), entry.size);
}

/** A storage by the key of its entry. */
class Storage {
  readonly dtype: StorageName;
  readonly key: string;
  readonly elements: number;

  constructor(dtype: StorageName, key: string, elements: number) {
    this.dtype = dtype;
    this.key = key;
    this.elements = elements;
  }
}

/** A tensor as the pickle describes it: elements of a storage from `offset` on. */
class View {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: Shape, strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function countsOf(value: PickleValue | undefined): readonly number[] | undefined {
  const items = value instanceof PickleTuple && value.items.length <= mostAxes ? value.items : undefined;
  return items?.every(isCount) ? items : undefined;
}

/** ("storage", its class, the name of its entry, a device, its elements) */
const storageOf: PickleCall = ([word, kind, key, , elements]) => {
  const dtype = kind instanceof PickleGlobal ? storages.get(kind.name) : undefined;
  const isStorage = word === "storage" && dtype !== undefined && typeof key === "string" && isCount(elements);
  return isStorage ? new Storage(dtype, key, elements) : undefined;
};

const tensorOf: PickleCall = ([storage, offset, sizes, steps]) => {
  const [shape, strides] = [countsOf(sizes), countsOf(steps)];
  return storage instanceof Storage && isCount(offset) && shape && strides ? new View(storage, offset, shape, strides) : undefined;
};

/** All that a file of tensors asks for. */
const globals: ReadonlyMap<string, PickleCall | undefined> = new Map<string, PickleCall | undefined>([
  ...[...storages.keys()].map((key) => [key, undefined] as const),
  ["torch._utils._rebuild_tensor_v2", tensorOf],
  ["torch._utils._rebuild_parameter", ([data]) => (data instanceof View ? data : undefined)],
  ["collections.OrderedDict", (args) => (args.length === 0 ? new Map() : undefined)],
]);

const saveAlone = "save the weights alone, by torch.save(model.state_dict(), …)";

/** Tensors of other kinds → what to do about them. */
const waysOut: ReadonlyMap<string, string> = new Map([
  ["torch._utils._rebuild_tensor_v3", "it has 8-bit floats, or another type without a storage of its own: save it as bfloat16"],
  ["torch._utils._rebuild_qtensor", "it has quantised tensors: save it as bfloat16"],
  ["torch._utils._rebuild_sparse_tensor", "it has sparse tensors: save it by to_dense()"],
]);

const wayOut = (name: string) => waysOut.get(name) ?? saveAlone;

function readViews(name: string, pickle: Uint8Array): ReadonlyMap<string, View> {
  const made = readPickle(pickle, name, { globals, persistent: storageOf, wayOut });
  check(made instanceof Map, where, () => `${name}: it makes ${kindOf(made)}, not a dict of tensors: ${saveAlone}`);
  for (const [key, value] of made)
    check(typeof key === "string" && value instanceof View, where, () => `${name}: its entry ${kindOf(key)} is no tensor: ${saveAlone}`);
  return made;
}

function place(source: ByteSource, name: string, { storage, offset, shape, strides }: View, entryBytes: number, start: number): TensorInfo {
  const { bytes } = storageTypes[storage.dtype];
  const what = `${source.name}: tensor ${quote(name)}`;
  const [size, from] = [sizeOf(shape), start + offset * bytes];
  check(
    Number.isSafeInteger(size) && offset + size <= storage.elements && storage.elements * bytes <= entryBytes,
    where,
    () =>
      `${what} has elements up to ${offset + size} of ${storage.elements} in ${entryBytes} bytes of ${storage.dtype}: the file is damaged`,
  );
  check(
    isContiguous(shape, strides),
    where,
    () => `${what} is ${showShape(shape)} with strides ${showShape(strides)}, but cria reads rows one after another: save it contiguous`,
  );
  return { name, dtype: storage.dtype, shape, source, start: from, end: from + size * bytes };
}

function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (const [axis, size] of [...shape.entries()].reverse()) {
    if (size > 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return shape.length === strides.length;
}
