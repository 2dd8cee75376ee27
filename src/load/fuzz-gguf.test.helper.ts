// GGUF models with something changed: they open and their parameters are read, or they are refused in a sentence. Anything else, a TypeError
// from deep inside, a hang, more bytes read than the file has several times over, is a fault.
import { readFileSync } from "node:fs";
import { type ByteSource, CriaError, memorySource, Rng, sizeOf } from "../base/index.ts";
import { type TestTensor, testGguf } from "../formats/gguf-file.test.helper.ts";
import { type GgufArray, type GgufScalar, type GgufTensorType, type GgufValue, ggufTensorTypes, readGguf } from "../formats/index.ts";
import { parameterRows } from "../model/index.ts";
import { openModel, sourceFiles } from "../open/index.ts";

export interface FuzzedModel {
  readonly name: string;
  /** The files of the model by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** Two of test/goldens/gguf_models.py: one with a layout per matrix, one in four files. */
export function fuzzedModels(): FuzzedModel[] {
  const read = (name: string) => new Uint8Array(readFileSync(new URL(`../../test/goldens/gguf-models/${name}`, import.meta.url)));
  const folder = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, read(name)]));
  return [
    { name: "llama", files: folder(["llama-longrope.gguf"]) },
    { name: "qwen3", files: folder(["qwen3.gguf"]) },
    { name: "types", files: folder(["types.gguf"]) },
    { name: "split", files: folder([1, 2, 3, 4].map((part) => `split-0000${part}-of-00004.gguf`)) },
  ];
}

/** Gives how many were refused. @throws an Error with what it was, where a model is neither opened nor refused in the house's form */
export async function fuzzModel({ name, files }: FuzzedModel, seed: number, cases: number): Promise<number> {
  const rng = new Rng(seed);
  await useModel(files);
  let refused = 0;
  for (let i = 0; i < cases; i++) {
    const file = pick(Object.keys(files), rng);
    const changed = { ...files, [file]: await mutated(files[file]!, rng) };
    try {
      await useModel(changed);
    } catch (error) {
      refused++;
      const isRight = error instanceof CriaError && /^\[[\w .]+\] \S/.test(error.message) && error.message.length < 3000;
      if (!isRight)
        throw new Error(`${name}, seed ${seed}, case ${i}: ${String((error as Error).stack ?? error).slice(0, 1500)}`, { cause: error });
    }
  }
  return refused;
}

/** Opens everything that is in the files, and reads every parameter. */
async function useModel(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const size = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  let read = 0;
  const counted = ([name, bytes]: [string, Uint8Array]): [string, ByteSource] => {
    const inner = memorySource(name, bytes);
    const take = (offset: number, length: number) => {
      read += length;
      if (read > 8 * size + 4096) throw new Error(`${read} bytes were read of files of ${size}`);
      return inner.read(offset, length);
    };
    return [name, { ...inner, read: take }];
  };
  await using model = await openModel(sourceFiles("fuzz", Object.fromEntries(Object.entries(files).map(counted))));
  const { config, weights, tensors } = model;
  const elements = [...tensors.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (elements > 8 * size) throw new Error(`${elements} elements in files of ${size} bytes`);
  for (const row of parameterRows(config)) await weights.read(row);
  await model.openChat(await model.openTokenizer());
}

/** Bytes changed at random, numbers of the head replaced, the file cut short, something put in between, or its metadata or its tensors changed. */
async function mutated(bytes: Uint8Array, rng: Rng): Promise<Uint8Array> {
  const head = await headOf(bytes);
  const way = rng.below(6);
  if (way === 0) return flipped(bytes, bytes.length, rng);
  if (way === 1) return flipped(bytes, head.bytes, rng);
  if (way === 2) return bytes.slice(0, rng.below(bytes.length));
  if (way === 3) return withNumber(bytes, head.bytes, rng);
  if (way === 4) return testGguf({ pairs: changedPairs(head.pairs, rng), tensors: head.tensors });
  return testGguf({ pairs: head.pairs, tensors: changedTensors(head.tensors, rng) });
}

interface Head {
  /** Where the first tensor begins. */
  readonly bytes: number;
  readonly pairs: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TestTensor[];
}

async function headOf(bytes: Uint8Array): Promise<Head> {
  const { metadata, tensors } = await readGguf(memorySource("x.gguf", bytes));
  return {
    bytes: Math.min(bytes.length, ...tensors.map(({ start }) => start)),
    pairs: metadata.pairs,
    tensors: tensors.map(({ name, dtype, shape, start, end }) => ({
      ...{ name, sizes: [...shape].reverse(), type: ggufTensorTypes[dtype as GgufTensorType] },
      data: bytes.subarray(start, end),
    })),
  };
}

const oddNumbers = [
  0n,
  1n,
  2n,
  3n,
  5n,
  31n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const oddTexts = [
  "",
  "x",
  "llama",
  "qwen3",
  "gpt2",
  "yarn",
  "longrope",
  "\u0000",
  "{{",
  "{% for a in messages %}",
  "{{ messages[0] }}",
  "日本".repeat(50),
];

function changedPairs(pairs: ReadonlyMap<string, GgufValue>, rng: Rng): Map<string, GgufValue> {
  const copy = new Map(pairs);
  const key = pick([...pairs.keys()], rng);
  const { type, value } = pairs.get(key)!;
  const way = rng.below(5);
  if (way === 0) copy.delete(key);
  else if (way === 1)
    copy.set(pick(["llama.expert_count", "llama.x", "general.alignment", "split.count", "tokenizer.chat_template"], rng), oddValue(rng));
  else if (way === 2 || typeof value !== "object") copy.set(key, oddValue(rng));
  else {
    const values: (GgufScalar | GgufArray)[] = Array.from<GgufScalar | GgufArray>(value.values);
    const odd = value.type === "text" ? pick(oddTexts, rng) : Number(pick(oddNumbers, rng) % 2n ** 31n);
    values.splice(rng.below(values.length + 1), rng.below(3), odd);
    copy.set(key, { type, value: { type: value.type, values } });
  }
  return copy;
}

function oddValue(rng: Rng): GgufValue {
  const number = pick(oddNumbers, rng);
  return pick<GgufValue>(
    [
      { type: "u64", value: number },
      { type: "i32", value: rng.below(9) - 4 },
      { type: "u32", value: Number(number % 2n ** 32n) },
      { type: "f32", value: pick([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-30, 1e30, 0.5], rng) },
      { type: "text", value: pick(oddTexts, rng) },
      { type: "bool", value: true },
      { type: "array", value: { type: "u32", values: [rng.below(4), 2] } },
      { type: "array", value: { type: "text", values: oddTexts } },
      { type: "array", value: { type: "array", values: [{ type: "u8", values: [1] }] } },
    ],
    rng,
  );
}

function changedTensors(tensors: readonly TestTensor[], rng: Rng): TestTensor[] {
  const copy = [...tensors];
  if (copy.length === 0) return [{ name: "token_embd.weight", sizes: [1], type: 0, data: new Uint8Array(4) }];
  const at = rng.below(copy.length);
  const one = copy[at]!;
  const way = rng.below(7);
  if (way === 0) copy.splice(at, 1 + rng.below(2));
  else if (way === 1) copy.push({ ...one, name: pick([one.name, "output.weight", "rope_freqs.weight", "blk.9.attn_q.weight", "x"], rng) });
  else if (way === 2) copy[at] = { ...one, sizes: one.sizes.with(rng.below(one.sizes.length), pick(oddNumbers, rng)) };
  else if (way === 3) copy[at] = { ...one, sizes: rng.below(2) === 0 ? [...one.sizes, 1] : one.sizes.slice(1) };
  else if (way === 4) copy[at] = { ...one, type: rng.below(45) };
  else if (way === 5) copy[at] = { ...one, offset: rng.below(2) === 0 ? 32 * rng.below(300) : pick(oddNumbers, rng) };
  else copy[at] = { ...one, data: one.data.subarray(0, rng.below(one.data.length)) };
  return copy;
}

/** A copy with a number of the head replaced, of 4 or 8 bytes. */
function withNumber(bytes: Uint8Array, head: number, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const at = rng.below(head - 8);
  if (rng.below(2) === 0) view.setBigUint64(at, pick(oddNumbers, rng), true);
  else view.setUint32(at, Number(pick(oddNumbers, rng) % 2n ** 32n), true);
  return copy;
}

function flipped(bytes: Uint8Array, end: number, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + rng.below(4); count > 0; count--) copy[rng.below(end)] = rng.below(256);
  return copy;
}

function pick<T>(values: readonly T[], rng: Rng): T {
  return values[rng.below(values.length)]!;
}
