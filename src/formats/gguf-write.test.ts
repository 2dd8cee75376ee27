// gguf-py's writer as the judge (test/goldens/gguf_file.py): the same metadata and tensors give the same file, byte for byte.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Texts } from "../base/index.ts";
import { type GgufValue, ggufBytes } from "./gguf-metadata.ts";
import { type GgufTensor, ggufFile } from "./gguf-write.ts";
import { quantiseRows } from "./quantise/index.ts";

const golden: { readonly file: string; readonly tensors: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(new URL("../../test/goldens/gguf-file.golden.json", import.meta.url), "utf8"),
);

const pairs = new Map<string, GgufValue>([
  ["general.architecture", { type: "text", value: "llama" }],
  ["general.name", { type: "text", value: "Größe" }],
  ["u8", { type: "u8", value: 255 }],
  ["i8", { type: "i8", value: -5 }],
  ["u16", { type: "u16", value: 65535 }],
  ["i16", { type: "i16", value: -7 }],
  ["u32", { type: "u32", value: 2 ** 32 - 1 }],
  ["i32", { type: "i32", value: -(2 ** 31) }],
  ["u64", { type: "u64", value: 2 ** 40 }],
  ["i64", { type: "i64", value: -(2n ** 40n) }],
  ["f32", { type: "f32", value: 1e-5 }],
  ["f64", { type: "f64", value: 0.1 }],
  ["flag", { type: "bool", value: true }],
  ["texts", { type: "array", value: { type: "text", values: Texts.of(["a", "", "▁b"]) } }],
  ["numbers", { type: "array", value: { type: "i32", values: [1, -2, 3] } }],
  ["floats", { type: "array", value: { type: "f32", values: Float32Array.of(0.5, -1.25) } }],
  ["flags", { type: "array", value: { type: "bool", values: [true, false] } }],
]);

const rows = [
  ["token_embd.weight", "q8_0", [3, 32]],
  ["blk.0.attn_norm.weight", "f32", [5]],
  ["blk.0.ffn_down.weight", "q4_1", [2, 64]],
  ["output.weight", "f16", [3, 7]],
] as const;

const tensors = rows.map(([name, dtype, shape]): GgufTensor => {
  const values = new Float32Array(new Uint8Array(Buffer.from(golden.tensors[name] ?? "", "base64")).buffer);
  return { name, dtype, shape, data: () => [quantiseRows(dtype, { values, columns: shape.at(-1) ?? 1 })] };
});

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test("a file is gguf-py's, byte for byte", async () => {
  expect((await bytesOf(ggufFile(pairs, tensors))).toString("hex")).toBe(Buffer.from(golden.file, "base64").toString("hex"));
});

test("a file without tensors is its head, filled up to where tensors would begin", async () => {
  const head = ggufBytes(pairs);
  const file = await bytesOf(ggufFile(pairs, []));
  expect(file.subarray(0, head.length)).toEqual(Buffer.from(head));
  expect(file.length).toBe(32 * Math.ceil(head.length / 32));
});

test("what would be no file is refused", async () => {
  const [first] = tensors;
  expect(() => ggufFile(pairs, [first!, first!])).toThrow('two tensors are named "token_embd.weight": every name may stand once');
  expect(() => ggufFile(pairs, [{ ...first!, name: "x".repeat(64) }])).toThrow("has 64 bytes, but ggml takes 63");
  expect(() => ggufFile(pairs, [{ ...first!, shape: [3, 33] }])).toThrow("rows of 33 elements are not whole blocks of 32");
  await expect(bytesOf(ggufFile(pairs, [{ ...first!, data: () => [new Uint8Array(7)] }]))).rejects.toThrow(
    'tensor "token_embd.weight" is q8_0 [3, 32], 102 bytes, but its data has 7',
  );
});
