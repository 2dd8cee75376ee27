import { describe, expect, test } from "vitest";
import { memorySource } from "../base/index.ts";
import { dictOf, fuzzTorchFiles, global, pickle, realFiles, tensor, text, type ZipOptions, zipOf } from "./torch-file.test.helper.ts";
import { readTorchFile } from "./torch-file.ts";

const values = Float32Array.of(1, 2, 3, 4, 5, 6);
const data = new Uint8Array(values.buffer);

function open(made: Uint8Array, options: ZipOptions = {}, more: Readonly<Record<string, Uint8Array>> = {}) {
  return readTorchFile(memorySource("x.pth", zipOf({ "archive/data.pkl": made, "archive/data/0": data, ...more }, options)));
}

const plain = dictOf({ a: tensor([2, 3], [3, 1]), b: tensor([2], [1], { offset: 4 }), c: tensor([], []) });

test.each([{}, { isWide: true }, { comment: "PK\x05\x06 and more" }])("views of one entry, %o", async (options) => {
  const file = await open(plain, options);
  expect([...file.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ["a", "F32", [2, 3]],
    ["b", "F32", [2]],
    ["c", "F32", []],
  ]);
  expect(await file.readFloat32("a")).toEqual(values);
  expect(await file.readFloat32("b")).toEqual(values.subarray(4));
  expect(await file.readFloat32("c")).toEqual(values.subarray(0, 1));
});

test("torch's own files begin every tensor where a machine may map it", async () => {
  for (const bytes of realFiles()) {
    const file = await readTorchFile(memorySource("real.pth", bytes));
    expect(file.tensors.size).toBeGreaterThan(10);
    for (const { start, dtype } of file.tensors.values()) expect(start % (dtype === "F32" ? 4 : 2)).toBe(0);
  }
});

describe("a pickle that asks for anything but tensors is refused by the name of the thing", () => {
  const asks: [name: string, made: Uint8Array, message: string][] = [
    [
      "a system call",
      pickle(global("os", "system"), text("echo bad"), 0x85, "R"),
      'asks for "os.system", but cria makes plain tensors of a pickle and nothing else: save the weights alone',
    ],
    ["a name that is only mentioned", pickle("}", text("a"), global("builtins", "eval"), "s"), 'asks for "builtins.eval"'],
    ["another builder", pickle(global("torch._utils", "_rebuild_sparse_tensor"), ")R"), 'asks for "torch._utils._rebuild_sparse_tensor"'],
    ["FP8", dictOf({ a: tensor([2], [1], { storage: "Float8_e4m3fnStorage" }) }), 'asks for "torch.Float8_e4m3fnStorage"'],
    [
      "FP8 as torch 2.15 saves it",
      pickle(global("torch._utils", "_rebuild_tensor_v3")),
      "nothing else: it has 8-bit floats, or another type",
    ],
    ["quantised integers", dictOf({ a: tensor([2], [1], { storage: "QInt8Storage" }) }), 'asks for "torch.QInt8Storage"'],
    ["an object's state", pickle("}", text("x"), "b"), "it gives attributes to what is no state dict"],
    ["attributes of a dict", pickle("}", "}", text("forward"), text("x"), "s", "b"), "it gives attributes to what is no state dict"],
    ["a dict made of pairs", pickle(global("collections", "OrderedDict"), "]", 0x85, "R"), "it calls collections.OrderedDict in a way"],
    ["a call of a storage", pickle(global("torch", "FloatStorage"), ")R"), "it calls torch.FloatStorage in a way"],
    ["a call of a text", pickle(text("x"), ")R"), "it calls what is no function in a way"],
    ["a tensor of a text", pickle(global("torch._utils", "_rebuild_tensor_v2"), "(", text("x"), "K\0))tR"), "_rebuild_tensor_v2 in a way"],
    ["another thing beside it", pickle(text("x"), "Q"), "it asks for a thing beside it that is no storage"],
    ["a new object", pickle(global("collections", "OrderedDict"), ")", 0x81), "0x81 is no opcode of torch.save's"],
    ["protocol 4", Uint8Array.of(0x80, 4, 0x2e), "it is of protocol 4 but torch.save writes 2"],
    ["an optimiser's state", pickle("}", text("step"), "K\x07", "s"), 'its entry the string "step" is no tensor'],
    ["a list", pickle("]"), "it makes an array, not a dict of tensors"],
  ];
  test.each(asks)("%s", async (_, made, message) => {
    await expect(open(made)).rejects.toThrow(message);
  });
});

describe("what is wrong in a pickle is said, and takes no more than its bytes", () => {
  const broken: [name: string, made: Uint8Array, message: string][] = [
    ["an end in the middle", pickle("(K").subarray(0, 4), "it ends in the middle"],
    ["a text beyond the end", pickle("X\xff\xff\xff\x7f"), "bytes of it go beyond its end"],
    ["a value that was not kept", pickle("h\x05"), "it recalls value 5, which it did not keep"],
    ["nothing to take", pickle("0"), "it takes a value where there is none"],
    ["a mark in the place of a value", pickle("(0"), "it takes a value where there is none"],
    ["an end without a beginning", pickle("t"), "it closes what it did not open"],
    ["an endless integer", pickle(0x8a, 255, "\x01".repeat(255)), "an integer of it is larger than any size"],
    ["a list in itself", pickle("]q\0h\0a"), "it makes an array"],
    ["a hundred thousand lists in one another", pickle("]".repeat(100_000), "a".repeat(99_999)), "it makes an array"],
    ["an append to a text", pickle(text("x"), "K\x01a"), "it appends to what is no list"],
    ["keys of a list", pickle("]K\x01K\x02s"), "it sets keys of what is no dict"],
  ];
  test.each(broken)("%s", async (_, made, message) => {
    await expect(open(made)).rejects.toThrow(message);
  });
});

describe("tensors that do not fit their file", () => {
  const wrong: [name: string, made: string, message: string][] = [
    ["beyond the storage", tensor([7], [1]), "has elements up to 7 of 6 in 24 bytes of F32"],
    ["an offset beyond it", tensor([2], [1], { offset: 5 }), "has elements up to 7 of 6"],
    ["a storage beyond its entry", tensor([2], [1], { elements: 7 }), "of 7 in 24 bytes of F32"],
    ["wider elements than the entry has", tensor([2], [1], { storage: "DoubleStorage" }), "of 6 in 24 bytes of F64"],
    [
      "a transposed view",
      tensor([3, 2], [1, 3]),
      "is [3, 2] with strides [1, 3], but cria reads rows one after another: save it contiguous",
    ],
    ["fewer strides than sizes", tensor([2, 3], [1]), "with strides [1]"],
  ];
  test.each(wrong)("%s", async (_, made, message) => {
    await expect(open(dictOf({ a: made }))).rejects.toThrow(message);
  });
});

describe("archives", () => {
  const big = { "archive/byteorder": new TextEncoder().encode("big") };
  const cases: [name: string, read: () => Promise<unknown>, message: string][] = [
    ["compressed", () => open(plain, { method: 8 }), "is compressed by method 8, but entries of tensors are stored"],
    ["big-endian", () => open(plain, {}, big), "its numbers are big-endian"],
    ["without a pickle", () => readTorchFile(memorySource("x", zipOf({ "a/b": data }))), "it holds 0 data.pkl, but torch.save writes one"],
    ["with two", () => open(plain, {}, { "b/data.pkl": plain }), "it holds 2 data.pkl"],
    [
      "with a missing entry",
      () => readTorchFile(memorySource("x", zipOf({ "archive/data.pkl": plain }))),
      'tensor "a" lies in an entry that is missing',
    ],
    ["before 1.6", () => readTorchFile(memorySource("x", Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c))), "it is of PyTorch's form before 1.6"],
    ["something else", () => readTorchFile(memorySource("x", data)), "it is none of PyTorch's files"],
    ["empty", () => readTorchFile(memorySource("x", new Uint8Array())), "it is none of PyTorch's files"],
  ];
  test.each(cases)("%s", async (_, read, message) => {
    await expect(read()).rejects.toThrow(message);
  });
});

test("damaged files are read or refused", async () => {
  expect(await fuzzTorchFiles(1, 300)).toBeGreaterThan(100);
});
