import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CriaError, memorySource, Rng } from "../base/index.ts";
import { openFile } from "../files/index.ts";
import { isRedundantInHf, narrowBfloat16, readSafetensors, readShards, type TensorToWrite, writeSafetensors } from "./index.ts";

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

/** A file with the given header text and that many bytes behind it. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => readSafetensors(memorySource("model.safetensors", bytes));
const f32 = (shape: number[], from: number, to: number) => ({ dtype: "F32", shape, data_offsets: [from, to] });

const sample: TensorToWrite[] = [
  { name: "b", dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-20, -0) },
  { name: "a", dtype: "I8", shape: [3], data: Int8Array.of(-128, 0, 127) },
  { name: "empty", dtype: "F32", shape: [0, 4], data: new Float32Array(0) },
  { name: "scalar", dtype: "F64", shape: [], data: () => Promise.resolve(Float64Array.of(Math.PI)) },
  { name: "half", dtype: "F16", shape: [7], data: Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000, 0x3555) },
  { name: "brain", dtype: "BF16", shape: [3], data: narrowBfloat16(Float32Array.of(1, -2, Math.PI)) },
  { name: "long", dtype: "I64", shape: [2], data: BigInt64Array.of(-5n, 1n << 40n) },
  { name: "int", dtype: "I32", shape: [2], data: Int32Array.of(-7, 7) },
  { name: "short", dtype: "I16", shape: [2], data: () => Int16Array.of(-7, 7) },
  { name: "byte", dtype: "U8", shape: [1], data: Uint8Array.of(200) },
  { name: "flags", dtype: "BOOL", shape: [2], data: Uint8Array.of(0, 1) },
];

test("what is written is read back, every type as float32", async () => {
  const file = await open(await collect(writeSafetensors(sample, { step: "12", format: "pt" })));
  expect(file.metadata).toEqual({ format: "pt", step: "12" });
  expect([...file.tensors.keys()].sort()).toEqual(sample.map(({ name }) => name).sort());
  const values = Object.fromEntries(
    await Promise.all([...file.tensors.keys()].map(async (name) => [name, Array.from(await file.readFloat32(name))])),
  );
  expect(values).toEqual({
    b: Array.from(sample[0]!.data as Float32Array),
    a: [-128, 0, 127],
    empty: [],
    scalar: [Math.fround(Math.PI)],
    half: [1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY, -0, 0.333251953125],
    brain: [1, -2, 3.140625],
    long: [-5, 2 ** 40],
    int: [-7, 7],
    short: [-7, 7],
    byte: [200],
    flags: [0, 1],
  });
  expect(Array.from(await file.read("a"))).toEqual([128, 0, 127]);
  expect(file.tensors.get("b")!.shape).toEqual([2, 3]);
});

test("the bytes depend on the tensors alone, not on their order, and every tensor is aligned", async () => {
  const one = await collect(writeSafetensors(sample, { x: "1", y: "2" }));
  const two = await collect(writeSafetensors([...sample].reverse(), { y: "2", x: "1" }));
  expect(Buffer.compare(one, two)).toBe(0);
  for (const { start, end, shape } of (await open(one)).tensors.values())
    if (!shape.includes(0)) expect(start % ((end - start) / shape.reduce((a, b) => a * b, 1))).toBe(0);
});

test("floats of 16 and 32 bits in a file can be used where they lie, from any byte on, nothing else", async () => {
  const inFile = async (bytes: Uint8Array) => {
    const source = { ...memorySource("model.safetensors", bytes), descriptor: 9 };
    return (await readSafetensors(source)).inFile("w");
  };
  const entry = (change: object) => ({ w: { ...f32([2], 0, 8), ...change } });
  const header = JSON.stringify(entry({}));
  const padded = header.padEnd(Math.ceil(header.length / 4) * 4);
  const region = (bytes: number) => ({ name: "model.safetensors", descriptor: 9, start: 8 + padded.length, bytes });
  expect(await inFile(fileOf(padded, 8))).toEqual({ dtype: "f32", region: region(8) });
  const halves = (dtype: string) => JSON.stringify(entry({ dtype, data_offsets: [0, 4] })).padEnd(padded.length);
  expect(await inFile(fileOf(halves("BF16"), 4))).toEqual({ dtype: "bf16", region: region(4) });
  expect(await inFile(fileOf(halves("F16"), 4))).toEqual({ dtype: "f16", region: region(4) });
  expect(await inFile(fileOf(`${padded} `, 8))).toMatchObject({ dtype: "f32", region: { start: region(8).start + 1 } });
  expect(await inFile(fileOf(JSON.stringify(entry({ dtype: "F64", shape: [1] })).padEnd(80), 8))).toBe(undefined);
  expect(await inFile(fileOf(JSON.stringify({ w: f32([0], 0, 0) }).padEnd(80), 0))).toBe(undefined);
  expect((await open(fileOf(padded, 8))).inFile("w")).toBe(undefined);
});

test("a tensor larger than one piece is read whole, at odd addresses too", async () => {
  const data = new Float32Array((1 << 22) + 5).map((_, i) => i);
  const bytes = await collect(writeSafetensors([{ name: "w", dtype: "F32", shape: [data.length], data }]));
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);
  const values = await (await open(odd.subarray(1))).readFloat32("w");
  expect(values.every((value, i) => value === i)).toBe(true);
});

test("bfloat16 rounds to even and keeps infinities and NaN", () => {
  const bits = new Float32Array(Uint32Array.of(0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff, 0x7f800001, 0xff800000).buffer);
  expect(Array.from(narrowBfloat16(bits))).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7fc0, 0xff80]);
});

const bad: readonly [what: string, bytes: Uint8Array, message: RegExp][] = [
  ["an empty file", new Uint8Array(0), /it has 0 bytes but a header's length alone takes 8/],
  ["an absurd header length", new Uint8Array(16).fill(255), /header would take 18446744073709551615 bytes but at most 100000000/],
  ["a header cut short", fileOf("{}", 0).with(0, 9), /header ends at byte 17 but the file has 10: the download is incomplete/],
  ["no JSON object", fileOf("[]", 0), /does not begin with "\{"/],
  ["broken JSON", fileOf('{"a":', 0), /is not JSON/],
  ["a header that is not UTF-8", fileOf('{"a":1}', 0).with(10, 0xff), /not UTF-8/],
  ["a tensor twice", fileOf(`{"a":${JSON.stringify(f32([1], 0, 4))},"\\u0061":${JSON.stringify(f32([1], 4, 8))}}`, 8), /has "a" twice/],
  [
    "a tensor past the end",
    fileOf({ a: f32([2], 0, 8) }, 4),
    /tensor "a" ends at byte \d+ but the file has \d+: the download is incomplete, fetch it again/,
  ],
  [
    "an overlap",
    fileOf({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
    /tensor "b" starts at byte \d+ but tensor "a" ends at \d+: they overlap/,
  ],
  ["a hole", fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /allows no holes/],
  ["bytes behind the last tensor", fileOf({ a: f32([1], 0, 4) }, 8), /belong to no tensor/],
  ["a negative offset", fileOf({ a: f32([1], -4, 0) }, 4), /data_offsets \[-4,0\] but they are/],
  ["offsets backwards", fileOf({ a: f32([1], 4, 0) }, 4), /0 ≤ start ≤ end/],
  ["a fractional offset", fileOf({ a: f32([1], 0.5, 4.5) }, 8), /0 ≤ start ≤ end/],
  ["an offset beyond exact integers", fileOf({ a: f32([1], 0, 2 ** 60) }, 8), /0 ≤ start ≤ end/],
  ["a negative size", fileOf({ a: f32([-1], 0, 4) }, 4), /has shape \[-1\]/],
  ["a shape that overflows", fileOf({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /Infinity bytes, but its range has 4/],
  ["a shape of another size", fileOf({ a: f32([3], 0, 8) }, 8), /F32 \[3\], 12 bytes, but its range has 8/],
  [
    "an unknown type",
    fileOf({ a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, 1),
    /dtype the string "F8_E4M3" but cria reads F64, .*: its scales stand elsewhere, choose the same model in BF16 or as GGUF/,
  ],
  ["a missing type", fileOf({ a: { shape: [1], data_offsets: [0, 1] } }, 1), /dtype nothing/],
  ["an entry that is none", fileOf({ a: 3 }, 0), /must be an object with dtype/],
  ["metadata that is no text", fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__ "a" is the number 1 but must be a string/],
];

test.each(bad)("%s is refused in the house's form", async (_, bytes, message) => {
  const error = await open(bytes).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CriaError);
  expect((error as Error).message).toMatch(/^\[safetensors\] model\.safetensors/);
  expect((error as Error).message).toMatch(message);
});

test("fuzz: a damaged file opens or gives a CriaError, nothing else", async () => {
  const valid = await collect(writeSafetensors(sample, { note: "é" }));
  const rng = new Rng(2);
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const bytes = valid.slice(0, rng.below(4) === 0 ? rng.below(valid.length + 1) : valid.length);
    for (let edits = rng.below(4); edits > 0 && bytes.length > 0; edits--) {
      const at = rng.below(2) === 0 ? rng.below(Math.min(16, bytes.length)) : rng.below(bytes.length);
      bytes[at] = rng.below(3) === 0 ? 0x30 + rng.below(10) : rng.below(256);
    }
    try {
      const file = await open(bytes);
      for (const name of file.tensors.keys()) await file.readFloat32(name);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

test("the writer refuses names that repeat and data of another size, before and while writing", async () => {
  const tensor = sample[0]!;
  expect(() => writeSafetensors([tensor, tensor])).toThrow(/two tensors are named "b"/);
  expect(() => writeSafetensors([{ ...tensor, name: "__metadata__" }])).toThrow(CriaError);
  expect(() => writeSafetensors([{ ...tensor, shape: [-1, 6] }])).toThrow(/impossible shape/);
  await expect(collect(writeSafetensors([{ ...tensor, shape: [2, 2] }]))).rejects.toThrow(/16 bytes, but its data has 24/);
});

test("an unknown tensor is answered with the nearest name, and a file is held against a model's rows", async () => {
  const floats = sample.filter(({ dtype }) => /^B?F/.test(dtype));
  const file = await open(await collect(writeSafetensors(floats)));
  await expect(file.readFloat32("scaler")).rejects.toThrow(/has no tensor "scaler", did you mean "scalar"\?/);
  const rows = floats.map(({ name, shape }) => ({ name, shape }));
  file.expect(rows);
  const redundant = ["lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"].map((name) => ({ ...sample[0]!, name }));
  (await open(await collect(writeSafetensors([...floats, ...redundant])))).expect(rows, isRedundantInHf);
  expect(() => file.expect(rows.slice(1))).toThrow(/tensor "b" is not part of the model/);
  expect(() => file.expect([{ name: "b", shape: [3, 2] }])).toThrow(/tensor "b" is \[2, 3\] but the model's is \[3, 2\]/);
  const integers = await open(await collect(writeSafetensors(sample)));
  expect(() => integers.expect([{ name: "a", shape: [3] }])).toThrow(/tensor "a" is I8, and integers are weights only with scales/);
});

test("shards are one file by their index; a bad index is refused", async () => {
  const shards: Record<string, Uint8Array> = {
    "one.safetensors": await collect(writeSafetensors(sample.slice(0, 4))),
    "two.safetensors": await collect(writeSafetensors(sample.slice(4))),
  };
  const sharded = (map: unknown, more = {}, files = shards) =>
    readShards(
      memorySource("index.json", new TextEncoder().encode(JSON.stringify({ weight_map: map, ...more }))),
      (name) => Promise.resolve(memorySource(name, files[name]!)),
      readSafetensors,
    );
  const whole = Object.fromEntries(sample.map(({ name }, i) => [name, i < 4 ? "one.safetensors" : "two.safetensors"]));
  const file = await sharded(whole);
  for (const metadata of [null, {}, { total_size: 7 }])
    expect([...(await sharded(whole, { metadata })).tensors.keys()]).toEqual([...file.tensors.keys()]);
  await expect(sharded(whole, { metadata: "x" })).rejects.toThrow('metadata is the string "x" but must be an object');
  const { scalar: _, ...less } = whole;
  await expect(sharded(less)).rejects.toThrow('one.safetensors holds tensor "scalar", which the index places nowhere');
  expect(Array.from(await file.readFloat32("int"))).toEqual([-7, 7]);
  const both = { ...shards, "two.safetensors": await collect(writeSafetensors([...sample.slice(4), sample[0]!])) };
  await expect(sharded(whole, {}, both)).rejects.toThrow('two.safetensors holds tensor "b", which the index places in one.safetensors');
  await expect(sharded({ b: "two.safetensors" })).rejects.toThrow(/places tensor "b" in two.safetensors, which does not have it/);
  for (const map of [{ b: "../one.safetensors" }, { b: "/etc/passwd" }, { b: ".." }, { b: 3 }, {}, 7, undefined])
    await expect(sharded(map)).rejects.toThrow(CriaError);
});

test("metadata that is null is absent", async () => {
  const file = await open(fileOf('{"__metadata__":null}', 0));
  expect([file.metadata, file.tensors.size]).toEqual([{}, 0]);
});

test("two tensors hold the same numbers, however they are stored, or they do not", async () => {
  const values = Float32Array.of(1, -2, 0.5, Number.NaN);
  const tensor = (name: string, dtype: "F32" | "BF16", data: ArrayBufferView): TensorToWrite => ({ name, dtype, shape: [2, 2], data });
  const other = values.map((value, i) => (i === 3 ? 0 : value));
  const file = await open(
    await collect(
      writeSafetensors([
        tensor("a", "F32", values),
        tensor("b", "BF16", narrowBfloat16(values)),
        tensor("c", "F32", values),
        tensor("d", "F32", other),
      ]),
    ),
  );
  expect(await Promise.all([file.holdSame("a", "b"), file.holdSame("a", "c"), file.holdSame("a", "d")])).toEqual([true, true, false]);
});

test("tensors longer than a piece are compared and read to their end", async () => {
  const size = (1 << 22) + 3;
  const one = narrowBfloat16(Float32Array.of(1))[0]!;
  const rows = ["a", "b", "c"].map(
    (name): TensorToWrite => ({ name, dtype: "BF16", shape: [size], data: new Uint16Array(size).fill(one) }),
  );
  (rows[2]!.data as Uint16Array)[size - 1] = narrowBfloat16(Float32Array.of(2))[0]!;
  const file = await open(await collect(writeSafetensors(rows)));
  expect(await Promise.all([file.holdSame("a", "b"), file.holdSame("a", "c")])).toEqual([true, false]);
  const stop = new AbortController();
  const comparing = file.holdSame("a", "b", stop.signal);
  stop.abort(new Error("enough"));
  await expect(comparing).rejects.toThrow("enough");
  expect((await file.readFloat32("c")).subarray(-2)).toEqual(Float32Array.of(1, 2));
});

test("a file is read by range", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cria-safetensors-"));
  try {
    writeFileSync(join(folder, "m.safetensors"), await collect(writeSafetensors(sample)));
    await using source = await openFile(join(folder, readdirSync(folder)[0]!));
    expect(Array.from(await (await readSafetensors(source)).readFloat32("int"))).toEqual([-7, 7]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
