// What the head of a GGUF says of its tensors is checked against the file before anything is made of it.
import { expect, test } from "vitest";
import { type ByteSource, memorySource } from "../base/index.ts";
import { pair, type TestTensor, testGguf } from "../formats/gguf-file.test.helper.ts";
import { type GgufValue, joinGgufParts, readGguf } from "../formats/index.ts";

const data = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => i % 251);
const floats = { sizes: [4, 2], type: 0, data: data(32) };

function file(tensors: readonly TestTensor[], { pairs = [], alignment = 32 }: { pairs?: [string, GgufValue][]; alignment?: number } = {}) {
  return testGguf({ pairs: [pair("general.architecture", "text", "llama"), ...pairs], tensors, alignment });
}

test("tensors lie where the file says, in the layouts of ggml, at an alignment of its own", async () => {
  const bytes = file(
    [
      { name: "a", ...floats },
      { name: "b", sizes: [64, 3], type: 2, data: data(108) },
      { name: "c", sizes: [256, 1, 2], type: 14, data: data(420) },
      { name: "d", sizes: [3], type: 30, data: data(6) },
      { name: "gap", sizes: [1], type: 24, data: data(1), offset: 1280 },
    ],
    { pairs: [pair("general.alignment", "u32", 128)], alignment: 128 },
  );
  const { tensors } = await readGguf(memorySource("x.gguf", bytes));
  expect(
    tensors.map(({ name, dtype, shape, start, end }) => [name, dtype, shape, (start - tensors[0]!.start) as number, end - start]),
  ).toEqual([
    ["a", "F32", [2, 4], 0, 32],
    ["b", "q4_0", [3, 64], 128, 108],
    ["c", "q6_K", [2, 1, 256], 256, 420],
    ["d", "BF16", [3], 768, 6],
    ["gap", "I8", [1], 1280, 1],
  ]);
  expect(tensors[0]!.start % 128).toBe(0);
  expect(bytes.slice(tensors[1]!.start, tensors[1]!.end)).toEqual(data(108));
});

test("a block's elements are read in pieces, and all at once", async () => {
  const bytes = file([{ name: "b", sizes: [64, 3], type: 2, data: data(108) }]);
  const tensors = joinGgufParts([{ name: "x.gguf", head: await readGguf(memorySource("x.gguf", bytes)) }]);
  const whole = await tensors.readFloat32("b");
  const pieces: number[][] = [];
  for await (const piece of tensors.pieces("b", 70)) pieces.push([...piece]);
  expect(pieces.map((piece) => piece.length)).toEqual([64, 64, 64]);
  expect(pieces.flat()).toEqual([...whole]);
  const stored: number[] = [];
  for await (const piece of tensors.stored("b")?.bytes() ?? []) stored.push(...piece);
  expect([tensors.stored("b")?.dtype, stored]).toEqual(["q4_0", [...data(108)]]);
});

test.each<[string, readonly TestTensor[], string]>([
  [
    "a type that is not read",
    [{ name: "a", ...floats, type: 17 }],
    'tensor "a" is of the type IQ2_XS, but cria reads F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K',
  ],
  ["a type that is none", [{ name: "a", ...floats, type: 99 }], "is of the type 99, which ggml does not have, but"],
  [
    "rows that are not whole blocks",
    [{ name: "a", sizes: [48, 2], type: 2, data: data(64) }],
    'a" is q4_0 [2, 48]: rows of 48 elements are not whole blocks of 32',
  ],
  ["no dimensions", [{ name: "a", ...floats, sizes: [] }], 'tensor "a" has 0 dimensions, but a tensor has 1 to 4'],
  ["five dimensions", [{ name: "a", ...floats, sizes: [1, 1, 1, 1, 1] }], 'tensor "a" has 5 dimensions'],
  [
    "a size that no number holds",
    [{ name: "a", ...floats, sizes: [2n ** 63n] }],
    'tensor "a" has a dimension of 9223372036854775808 elements',
  ],
  [
    "sizes whose product is beyond all files",
    [{ name: "a", ...floats, sizes: [2 ** 50, 2 ** 50, 2 ** 50] }],
    'tensor "a" ends at byte Infinity but the file has',
  ],
  ["more elements than the file has", [{ name: "a", ...floats, sizes: [4, 3] }], 'tensor "a" ends at byte'],
  ["an offset behind the file", [{ name: "a", ...floats, offset: 2n ** 62n }], 'tensor "a" ends at byte'],
  [
    "an offset beside the alignment",
    [{ name: "a", ...floats, offset: 8 }],
    'tensor "a" lies at 8 behind the head, but the alignment is 32',
  ],
  [
    "two that overlap",
    [
      { name: "a", ...floats, sizes: [16], data: data(64) },
      { name: "b", ...floats, offset: 32 },
    ],
    'tensor "b" starts at byte',
  ],
  [
    "one name for two",
    [
      { name: "a", ...floats },
      { name: "a", ...floats },
    ],
    'the tensor "a" comes twice',
  ],
  ["a name of no bytes", [{ name: "", ...floats }], "tensor 0 has a name of 0 bytes"],
  ["a name that is too long", [{ name: "é".repeat(32), ...floats }], "tensor 0 has a name of 64 bytes, but names have 1 to 63"],
])("%s: refused", async (_, tensors, message) => {
  await expect(readGguf(memorySource("x.gguf", file(tensors)))).rejects.toThrow(message);
});

test.each<[string, GgufValue]>([
  ["48", { type: "u32", value: 48 }],
  ["0", { type: "u32", value: 0 }],
  ["32", { type: "text", value: "32" }],
])("an alignment of %s is refused", async (shown, value) => {
  const source = memorySource("x.gguf", file([{ name: "a", ...floats }], { pairs: [["general.alignment", value]] }));
  await expect(readGguf(source)).rejects.toThrow(`general.alignment is ${shown}, but must be a power of two`);
});

test("a count of tensors that the file cannot hold is not believed", async () => {
  const bytes = file([{ name: "a", ...floats }]);
  new DataView(bytes.buffer).setBigUint64(8, 2n ** 40n, true);
  await expect(readGguf(memorySource("x.gguf", bytes))).rejects.toThrow("it says 1099511627776 tensors, but has");
  new DataView(bytes.buffer).setBigUint64(8, 2n, true);
  await expect(readGguf(memorySource("x.gguf", bytes))).rejects.toThrow(/\[gguf\] x\.gguf: /);
});

test("version 2 lies as version 3, older ones are refused", async () => {
  const bytes = file([{ name: "a", ...floats }]);
  const at = (version: number) => {
    new DataView(bytes.buffer).setUint32(4, version, true);
    return readGguf(memorySource("x.gguf", bytes));
  };
  expect((await at(2)).tensors).toEqual((await at(3)).tensors.map((tensor) => ({ ...tensor, source: expect.anything() })));
  await expect(at(1)).rejects.toThrow("its version is 1: only 2 and 3 are supported");
});

test("only the head is read", async () => {
  const bytes = file([{ name: "a", sizes: [1 << 22], type: 0, data: new Uint8Array(1 << 24) }]);
  let most = 0;
  const inner = memorySource("x.gguf", bytes);
  const source: ByteSource = {
    ...inner,
    read: (offset, length) => {
      most = Math.max(most, offset + length);
      return inner.read(offset, length);
    },
  };
  await readGguf(source);
  expect(most).toBeLessThan(3 << 20);
});
