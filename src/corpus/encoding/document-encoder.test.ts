import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import type { TextTokenizer } from "../../batches/index.ts";
import { createTokenizer, trainTokenizer } from "../../tokenizer/index.ts";
import { DocumentEncoder, type DocumentEncoderOptions } from "./document-encoder.ts";

const tokenizer = createTokenizer(await trainTokenizer(["the low lower newest widest 日本 🦙\n"], { kind: "bytes", vocabSize: 270 }));

async function* documents(texts: readonly string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield { text };
}

async function* encodeDocuments(texts: AsyncIterable<{ text: string }>, from: TextTokenizer, options: DocumentEncoderOptions) {
  await using encoder = new DocumentEncoder(from, options);
  yield* encoder.encode(texts);
}

test("documents have the same tokens, in their order, on one thread and on several", async () => {
  const rng = new Rng(4);
  const texts = Array.from({ length: 100 }, () => "the low 日本 newest 🦙 \ud800\n".repeat(rng.below(200)));
  const alone = texts.map((text) => ({ tokens: [...tokenizer.encode(text, { bos: true, eos: false })], bytes: Buffer.byteLength(text) }));
  for (const options of [{ threads: 1 }, { threads: 2, alone: 0 }, { threads: 3, alone: 1000 }]) {
    const encoded = [];
    for await (const { tokens, bytes } of encodeDocuments(documents(texts), tokenizer, { bos: true, eos: false, ...options }))
      encoded.push({ tokens: Array.from(tokens), bytes });
    expect(encoded).toEqual(alone);
  }
});

test.each([
  { what: "nothing is encoded alone", options: { alone: 0 } },
  { what: "much text is expected", options: { alone: 2 ** 30, expected: 2 ** 31 } },
])("other threads take their part, in order, and the calling one does not wait for them to start: $what", async ({ options }) => {
  let here = 0;
  const encode = (text: string, options: object) => {
    here++;
    return tokenizer.encode(text, options);
  };
  const texts = Array.from({ length: 7 }, (_, i) => "the low 日本 newest 🦙 \ud800\n".repeat(100 + i));
  const alone = texts.map((text) => ({ ids: tokenizer.encode(text, { eos: true }).join(), size: Buffer.byteLength(text) }));
  let read = 0;
  async function* untilOthersHave() {
    for (; read - here < 500; read++) yield { text: texts[read % 7]! };
  }
  const counting = { ...tokenizer, model: tokenizer.model, encode };
  let given = 0;
  const onTwo = { bos: false, eos: true, threads: 2, ...options };
  for await (const { tokens, bytes } of encodeDocuments(untilOthersHave(), counting as never, onTwo)) {
    if (given < 3) expect(here).toBe(given + 1);
    const { ids, size } = alone[given++ % 7]!;
    expect((tokens as Uint32Array).join() === ids && bytes === size).toBe(true);
  }
  expect(given).toBe(read);
});

test("what reading throws arrives, a model that a thread refuses too, and who stops early leaves no thread behind", async () => {
  async function* broken() {
    yield { text: "the low" };
    throw new Error("the disk is gone");
  }
  async function* endless() {
    for (;;) yield { text: "the low newest ".repeat(5000) };
  }
  const options = { bos: false, eos: false, threads: 2, alone: 0 };
  const read = async (texts: AsyncIterable<{ text: string }>, from = tokenizer) => {
    for await (const _ of encodeDocuments(texts, from, options));
  };
  await expect(read(broken())).rejects.toThrow("the disk is gone");
  const damaged = { ...tokenizer, model: { ...tokenizer.model, pieces: ["a"] }, encode: () => [] };
  await expect(read(endless(), damaged as never)).rejects.toThrow(/piece/);
  for await (const { bytes } of encodeDocuments(documents(Array(2000).fill("the low ".repeat(500))), tokenizer, options)) {
    expect(bytes).toBe(4000);
    break;
  }
});
