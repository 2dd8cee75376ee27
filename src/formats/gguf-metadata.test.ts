import { expect, test } from "vitest";
import { type ByteSource, memorySource, Texts } from "../base/index.ts";
import { type GgufArray, type GgufElements, type GgufScalar, type GgufValue, ggufBytes, readGgufMetadata } from "./gguf-metadata.ts";

const values: readonly [string, GgufValue][] = [
  ["u8", { type: "u8", value: 255 }],
  ["i8", { type: "i8", value: -128 }],
  ["u16", { type: "u16", value: 65535 }],
  ["i16", { type: "i16", value: -32768 }],
  ["u32", { type: "u32", value: 2 ** 32 - 1 }],
  ["i32", { type: "i32", value: -(2 ** 31) }],
  ["f32", { type: "f32", value: Math.fround(1.1) }],
  ["bool", { type: "bool", value: true }],
  ["text", { type: "text", value: "▁日本 🦙\u0000" }],
  ["u64", { type: "u64", value: Number.MAX_SAFE_INTEGER }],
  ["i64", { type: "i64", value: -5 }],
  ["large", { type: "u64", value: 2n ** 64n - 1n }],
  ["f64", { type: "f64", value: Math.PI }],
  ["texts", { type: "array", value: { type: "text", values: ["", "a", "b".repeat(300)] } }],
  ["numbers", { type: "array", value: { type: "i32", values: Int32Array.of(1, -2, 3) } }],
  ["none", { type: "array", value: { type: "u8", values: new Uint8Array(0) } }],
  [
    "nested",
    {
      type: "array",
      value: {
        type: "array",
        values: [
          { type: "bool", values: [true, false] },
          { type: "text", values: ["x"] },
        ],
      },
    },
  ],
];

/** The value with its texts decoded. */
function decoded({ type, value }: GgufValue): GgufValue {
  return { type, value: typeof value === "object" ? decodedArray(value) : value };
}

function decodedArray({ type, values }: GgufArray): GgufArray {
  const one = (element: GgufScalar | GgufArray) => (typeof element === "object" ? decodedArray(element) : element);
  const all: GgufElements = values instanceof Texts ? values.list() : Array.isArray(values) ? values.map(one) : values;
  return { type, values: all };
}

/** The bytes follow the specification, one by one: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
test("the bytes of a small file", () => {
  const bytes = ggufBytes(new Map<string, GgufValue>([["k", { type: "array", value: { type: "u8", values: [7] } }]]));
  const expected = [
    "47475546",
    "03000000",
    "0000000000000000",
    "0100000000000000",
    "0100000000000000",
    "6b",
    "09000000",
    "00000000",
    "0100000000000000",
    "07",
  ];
  expect(Buffer.from(bytes).toString("hex")).toBe(expected.join(""));
});

test("every type of value comes back, and what lies behind is not read", async () => {
  const bytes = ggufBytes(new Map(values));
  const behind = new Uint8Array(bytes.length + 1000).fill(0xff);
  behind.set(bytes);
  const { version, tensorCount, pairs, end } = await readGgufMetadata(memorySource("x.gguf", behind));
  expect([version, tensorCount, end]).toEqual([3, 0, bytes.length]);
  expect([...pairs].map(([key, value]) => [key, decoded(value)])).toEqual(values);
});

test("values across the ends of windows, and reads that stay within the file", async () => {
  const many: [string, GgufValue][] = [
    [
      "texts",
      { type: "array", value: { type: "text", values: Array.from({ length: 30_000 }, (_, i) => `piece ${i}${"x".repeat(i % 37)}`) } },
    ],
    ["large", { type: "text", value: "y".repeat(1_200_000) }],
    ["floats", { type: "array", value: { type: "f32", values: Float32Array.from({ length: 270_001 }, (_, i) => i) } }],
  ];
  const bytes = ggufBytes(new Map(many));
  const source: ByteSource = {
    name: "x.gguf",
    size: bytes.length,
    read: (offset, length) => {
      expect(offset + length).toBeLessThanOrEqual(bytes.length);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
  const { pairs } = await readGgufMetadata(source);
  expect([...pairs.keys()]).toEqual(many.map(([key]) => key));
  expect(Buffer.from(ggufBytes(pairs)).equals(bytes)).toBe(true);
});

test("a window that ends anywhere in a text or its length", async () => {
  for (let shift = 0; shift < 24; shift++) {
    const texts = ["y".repeat(2 ** 20 - 80 + shift), "", "ab", "", "é"];
    const bytes = ggufBytes(new Map<string, GgufValue>([["texts", { type: "array", value: { type: "text", values: texts } }]]));
    const { pairs } = await readGgufMetadata(memorySource("x.gguf", bytes));
    expect(decoded(pairs.get("texts")!)).toEqual({ type: "array", value: { type: "text", values: texts } });
  }
});

const good = ggufBytes(new Map<string, GgufValue>([["k", { type: "array", value: { type: "text", values: ["one", "two"] } }]]));

function changed(at: number, bytes: readonly number[]): Uint8Array {
  const copy = good.slice();
  copy.set(bytes, at);
  return copy;
}

const huge = [0, 0, 0, 0, 0, 0, 4, 0]; // 2^50

test.each<[string, Uint8Array, RegExp]>([
  ["another file", changed(0, [0x50, 0x4b]), /it begins with "PKUF" and not with "GGUF"/],
  ["version 1", changed(4, [1]), /its version is 1: only 2 and 3 are supported/],
  ["a big-endian file", changed(4, [0, 0, 0, 3]), /it is big-endian/],
  ["more tensors than fit", changed(8, huge), /it says 1125899906842624 tensors, but has 5\d bytes left/],
  ["more pairs than fit", changed(16, huge), /it says 1125899906842624 pairs of metadata/],
  ["a key longer than the file", changed(24, huge), /bytes of key 0, but has/],
  ["a type that is none", changed(33, [13]), /"k" has the type 13, which is none/],
  ["elements of a type that is none", changed(37, [99]), /"k" has the type 99/],
  ["more elements than fit", changed(41, huge), /elements of "k", but has/],
  ["an element longer than the file", changed(49, huge), /bytes of k, but has/],
  ["nothing", new Uint8Array(0), /it ends at byte 0 within its head/],
  ["a cut", good.slice(0, -1), /but has 2 bytes left|it ends at byte/],
])("refuses %s", async (_name, bytes, message) => {
  await expect(readGgufMetadata(memorySource("x.gguf", bytes))).rejects.toThrow(message);
});

test("a text that is no UTF-8 is named when it is asked for", async () => {
  const { pairs } = await readGgufMetadata(memorySource("x.gguf", changed(57, [0xff])));
  expect(() => decoded(pairs.get("k")!)).toThrow("[gguf] x.gguf: k: text 0: its text is not UTF-8 from byte 0 on");
});

test("arrays in arrays have an end", async () => {
  let value: GgufValue["value"] = { type: "u8", values: [1] };
  for (let depth = 0; depth < 6; depth++) value = { type: "array", values: [value] };
  const bytes = ggufBytes(new Map([["k", { type: "array", value } as const]]));
  await expect(readGgufMetadata(memorySource("x.gguf", bytes))).rejects.toThrow(/nests arrays deeper than 4/);
});

test("a key that comes twice, and a bool that is none", async () => {
  const two = ggufBytes(
    new Map<string, GgufValue>([
      ["a", { type: "bool", value: true }],
      ["b", { type: "bool", value: true }],
    ]),
  );
  const twice = two.slice();
  twice[twice.length - 6] = 0x61;
  await expect(readGgufMetadata(memorySource("x.gguf", twice))).rejects.toThrow(/the key "a" comes twice/);
  two[two.length - 1] = 2;
  await expect(readGgufMetadata(memorySource("x.gguf", two))).rejects.toThrow(/b is 2, but a bool is 0 or 1/);
});
