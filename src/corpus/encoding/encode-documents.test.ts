import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { createTokenizer, trainTokenizer } from "../../tokenizer/index.ts";
import { encodeDocuments } from "./encode-documents.ts";

const tokenizer = createTokenizer(await trainTokenizer(["the low lower newest widest 日本 🦙\n"], { kind: "bytes", vocabSize: 270 }));

async function* documents(texts: readonly string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield { text };
}

test("documents have the same tokens, in their order, on one thread and on several", async () => {
  const rng = new Rng(4);
  const texts = Array.from({ length: 300 }, () => "the low 日本 newest 🦙 \n".repeat(rng.below(400)));
  const alone = texts.map((text) => ({ tokens: [...tokenizer.encode(text, { bos: true, eos: false })], bytes: Buffer.byteLength(text) }));
  for (const options of [{ threads: 1 }, { threads: 2, alone: 0 }, { threads: 3, alone: 1000 }]) {
    const encoded = [];
    for await (const { tokens, bytes } of encodeDocuments(documents(texts), tokenizer, { bos: true, eos: false, ...options }))
      encoded.push({ tokens: Array.from(tokens), bytes });
    expect(encoded).toEqual(alone);
  }
});

test("what reading throws arrives, a model that a thread refuses too, and who stops early leaves no thread behind", async () => {
  async function* broken() {
    yield { text: "the low" };
    throw new Error("the disk is gone");
  }
  const options = { bos: false, eos: false, threads: 2, alone: 0 };
  const read = async (texts: AsyncIterable<{ text: string }>, from = tokenizer) => {
    for await (const _ of encodeDocuments(texts, from, options));
  };
  await expect(read(broken())).rejects.toThrow("the disk is gone");
  const damaged = { ...tokenizer, model: { ...tokenizer.model, pieces: ["a"] } };
  await expect(read(documents(["a"]), damaged as never)).rejects.toThrow(/piece/);
  for await (const { bytes } of encodeDocuments(documents(Array(2000).fill("the low ".repeat(500))), tokenizer, options)) {
    expect(bytes).toBe(4000);
    break;
  }
});
