import { join } from "node:path";
import { expect, test } from "vitest";
import { CriaError, memorySource, Rng } from "../base/index.ts";
import { openFile } from "../files/index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { parameterRows } from "../model/index.ts";
import { createTokenizer } from "../tokenizer/index.ts";
import { hfName, llama2cTokenizerModel, readLlama2c, readLlama2cTokenizer, toHalfPairing, toNeighbourPairing } from "./index.ts";

const shared = sharedData("stories260K");

// dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, max_seq_len
const sizes = [8, 12, 2, 2, 1, 5, 6] as const;
const layerNumbers = { input_layernorm: 8, "self_attn.q_proj": 64, "self_attn.k_proj": 32, "self_attn.v_proj": 32, "self_attn.o_proj": 64 };
const ffnNumbers = { post_attention_layernorm: 8, "mlp.gate_proj": 96, "mlp.down_proj": 96, "mlp.up_proj": 96 };

/** The order of a file, with how many numbers each takes; "" is passed over. */
function order(version: 0 | 1, isTied: boolean): [name: string, numbers: number][] {
  const layered = (groups: Record<string, number>) =>
    Object.entries(groups).flatMap(([name, numbers]) =>
      [0, 1].map((layer): [string, number] => [`model.layers.${layer}.${name}.weight`, numbers]),
    );
  const { input_layernorm, ...attention } = layerNumbers;
  const { post_attention_layernorm, ...ffn } = ffnNumbers;
  const head: [string, number][] = isTied ? [] : [["lm_head.weight", 40]];
  if (version === 0)
    return [
      ["model.embed_tokens.weight", 40],
      ...layered(layerNumbers),
      ...layered(ffnNumbers),
      ["model.norm.weight", 8],
      ["", 24],
      ...head,
    ];
  return [
    ...layered({ input_layernorm, post_attention_layernorm }),
    ["model.norm.weight", 8],
    ["model.embed_tokens.weight", 40],
    ...layered({ ...attention, ...ffn }),
    ...head,
  ];
}

/** A file whose numbers count up from 0, so that a tensor's first number says where it began. */
function build(version: 0 | 1, isTied: boolean): Uint8Array {
  const header = Buffer.alloc(version === 0 ? 28 : 256);
  const at = version === 0 ? 0 : 8;
  sizes.forEach((size, i) => void header.writeInt32LE(i === 5 && version === 0 && !isTied ? -size : size, at + 4 * i));
  if (version === 1) {
    header.writeUInt32LE(0x616b3432, 0);
    header.writeInt32LE(1, 4);
    header[36] = Number(isTied);
  }
  const numbers = order(version, isTied).reduce((sum, [, count]) => sum + count, 0);
  return new Uint8Array(Buffer.concat([header, new Uint8Array(new Float32Array(numbers).map((_, i) => i).buffer)]));
}

test.each([
  [0, true],
  [0, false],
  [1, true],
  [1, false],
] as const)("version %i, tied %s: every tensor is found where export.py puts it", async (version, isTied) => {
  const { config, tensors } = await readLlama2c(memorySource("model.bin", build(version, isTied)));
  expect(config).toMatchObject({ dim: 8, hiddenDim: 12, nLayers: 2, nHeads: 2, nKvHeads: 1, vocabSize: 5, contextLength: 6 });
  expect(config).toMatchObject({ tiedOutput: isTied, ropePairing: "neighbours", normEpsilon: 1e-5 });
  tensors.expect(parameterRows(config).map(({ name, shape }) => ({ name: hfName(name), shape })));
  let first = 0;
  const expected = order(version, isTied);
  expect([...tensors.tensors.keys()].sort()).toEqual(expected.flatMap(([name]) => (name === "" ? [] : [name])).sort());
  for (const [name, count] of expected) {
    if (name !== "") expect(Array.from(await tensors.readFloat32(name))).toEqual(Array.from({ length: count }, (_, i) => first + i));
    first += count;
  }
});

test("files of another size, version or kind are refused before anything is allocated", async () => {
  const read = (bytes: Uint8Array) => readLlama2c(memorySource("model.bin", bytes));
  const valid = build(0, true);
  await expect(read(valid.subarray(0, valid.length - 1))).rejects.toThrow(
    /takes \d+ bytes but the file has \d+: the download is incomplete/,
  );
  await expect(read(new Uint8Array(Buffer.concat([valid, Buffer.alloc(4)])))).rejects.toThrow(/not a llama2\.c model/);
  await expect(read(valid.subarray(0, 27))).rejects.toThrow(/has 27 bytes but a header takes 28/);
  await expect(read(build(1, true).with(4, 3))).rejects.toThrow(/of version 3 but cria reads 0, 1 \(float32\) and 2 \(int8\)/);
  // Version 2 with groups of none, then of three elements.
  await expect(read(build(1, true).with(4, 2))).rejects.toThrow(/its groups have 0 elements/);
  await expect(read(build(1, true).with(4, 2).with(37, 3))).rejects.toThrow(/its groups have 3 elements, which 5 × 8 is not a multiple of/);
  await expect(read(build(1, true).with(4, 2).with(37, 4))).rejects.toThrow(/it is damaged or not a llama2\.c model/);
  const layers = valid.slice();
  new DataView(layers.buffer).setInt32(8, 0x7fffffff, true);
  await expect(read(layers)).rejects.toThrow(/incomplete/);
});

test("fuzz: a damaged header opens or gives a CriaError", async () => {
  const rng = new Rng(4);
  for (let round = 0; round < 3000; round++) {
    const bytes = build(round % 2 === 0 ? 0 : 1, true);
    for (let edits = 1 + rng.below(3); edits > 0; edits--) bytes[rng.below(40)] = rng.below(256);
    try {
      await readLlama2c(memorySource("model.bin", bytes));
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
    }
  }
});

function tokenizerFile(pieces: readonly string[]): Uint8Array {
  const parts = pieces.map((piece, id) => {
    const bytes = Buffer.from(piece);
    const head = Buffer.alloc(8);
    head.writeFloatLE(0 - id / 2, 0);
    head.writeInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  });
  return new Uint8Array(Buffer.concat([Buffer.alloc(4, 7), ...parts]));
}

test("a tokenizer is read whole, or refused when it is of another size", async () => {
  const pieces = ["<unk>", "\n<s>\n", "\n</s>\n", "\ufeff", " é"];
  const bytes = tokenizerFile(pieces);
  const read = (data: Uint8Array, vocabSize = 5) => readLlama2cTokenizer(memorySource("tok.bin", data), vocabSize);
  expect(await read(bytes)).toEqual({ pieces, scores: Float32Array.of(0, -0.5, -1, -1.5, -2) });
  await expect(read(bytes, 4)).rejects.toThrow(/belongs to a model with more tokens/);
  await expect(read(bytes, 6)).rejects.toThrow(/token 5 of 6 starts at byte/);
  await expect(read(bytes, 32000)).rejects.toThrow(/cannot be 32000 tokens/);
  await expect(read(bytes.with(8, 255))).rejects.toThrow(/token 0 takes 255 bytes/);
  await expect(read(bytes.with(bytes.length - 1, 0xff))).rejects.toThrow(/token 4: its text is not UTF-8/);
});

test("pairings of RoPE: rows move as transformers' permute moves them, and back exactly", () => {
  const [heads, headDim, columns] = [3, 8, 5];
  const weight = new Float32Array(heads * headDim * columns).map((_, i) => i);
  const half = toHalfPairing(weight, columns, headDim);
  // w.view(heads, headDim / 2, 2, columns).transpose(1, 2)
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < headDim / 2; i++)
      for (const second of [0, 1])
        expect(half[(h * headDim + (second * headDim) / 2 + i) * columns]).toBe(weight[(h * headDim + 2 * i + second) * columns]);
  expect(toNeighbourPairing(half, columns, headDim)).toEqual(weight);
  expect(() => toHalfPairing(weight, columns, 16)).toThrow(CriaError);
  expect(() => toHalfPairing(weight, columns, 3)).toThrow(CriaError);
});

test.skipIf(shared === undefined)("stories260K opens (skipped where CRIA_DATA is absent)", async () => {
  await using model = await openFile(join(shared!, "stories260K.bin"));
  const { config, tensors } = await readLlama2c(model);
  expect(config).toMatchObject({
    dim: 64,
    hiddenDim: 172,
    nLayers: 5,
    nHeads: 8,
    nKvHeads: 4,
    vocabSize: 512,
    contextLength: 512,
    tiedOutput: true,
  });
  tensors.expect(parameterRows(config).map(({ name, shape }) => ({ name: hfName(name), shape })));
  // Norm gains are near 1 only if every offset before them is right.
  const gains = await tensors.readFloat32("model.norm.weight");
  expect(gains.every((gain) => gain > 0.1 && gain < 20)).toBe(true);
  await using tokenizer = await openFile(join(shared!, "tok512.bin"));
  const read = await readLlama2cTokenizer(tokenizer, config.vocabSize);
  const { pieces } = read;
  expect([pieces[0], pieces[3], pieces[258], pieces.length]).toEqual(["<unk>", "<0x00>", "<0xFF>", 512]);
  const bpe = createTokenizer(llama2cTokenizerModel(read));
  for (const text of ["Once upon a time, there was a little girl named Lily.", " two  spaces\n", "é🦙", ""])
    expect(bpe.decode(bpe.encode(text))).toBe(text);
  const once = bpe.encode("Once upon a time", { bos: true });
  expect([once[0], bpe.idToPiece(once[1]!), once.length < 8]).toEqual([1, "▁Once", true]);
});
