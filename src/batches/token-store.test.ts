import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { type EncodedDocument, openShards, writeShards } from "../corpus/index.ts";
import type { Vocabulary } from "./text-tokenizer.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-tokens-"));
afterAll(() => rmSync(folder, { recursive: true }));

const small: Vocabulary = { size: 300, fingerprint: "0123456789abcdef0123456789abcdef" };
const large: Vocabulary = { ...small, size: 100_000 };

function randomDocuments(count: number, { size }: Vocabulary, rng: Rng): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: rng.below(20) }, () => rng.below(size)));
}

async function* encoded(documents: readonly (readonly number[])[]): AsyncGenerator<EncodedDocument> {
  for (const tokens of documents) yield { tokens, bytes: 3 * tokens.length };
}

async function write(
  name: string,
  documents: readonly (readonly number[])[],
  vocabulary: Vocabulary,
  shardTokens?: number,
): Promise<string[]> {
  return (await writeShards(join(folder, name), encoded(documents), vocabulary, shardTokens)).map(({ path }) => path);
}

test.each([
  ["uint16, one shard", small, undefined],
  ["uint16, many shards", small, 50],
  ["uint32, many shards", large, 37],
] as const)("%s: any range reads back, with totals and document starts", async (name, vocabulary, shardTokens) => {
  const rng = new Rng(5);
  const documents = randomDocuments(60, vocabulary, rng);
  const all = documents.flat();
  const paths = await write(name, documents, vocabulary, shardTokens);
  expect(paths.length > 3).toBe(shardTokens !== undefined);
  await using store = await openShards(paths, vocabulary);
  expect(store.totals).toEqual({ tokens: all.length, documents: 60, bytes: 3 * all.length });
  const starts: number[] = [];
  for await (const start of store.documentStarts()) starts.push(start);
  expect(starts).toEqual(documents.map((_, i) => documents.slice(0, i).flat().length));
  for (let round = 0; round < 200; round++) {
    const first = rng.below(all.length + 1);
    const count = rng.below(all.length + 1 - first);
    expect(Array.from(await store.read(first, count))).toEqual(all.slice(first, first + count));
    const within = starts.filter((start) => start >= first && start < first + count);
    expect(await store.startsWithin(first, count)).toEqual(within);
  }
  await expect(store.read(all.length - 1, 2)).rejects.toThrow(CriaError);
  await expect(store.read(-1, 1)).rejects.toThrow(CriaError);
});

test("starts of documents are found among more than are read at a time, and those that do not rise are named", async () => {
  const documents = Array.from({ length: 5000 }, (_, i) => Array<number>(i % 3).fill(7)); // every third is empty
  const [path] = await write("starts", documents, small);
  const starts = documents.map((_, i) => 3 * Math.floor(i / 3) + (i % 3 === 2 ? 1 : 0)); // 0 + 1 + 2 tokens for three documents
  {
    await using store = await openShards([path!], small);
    for (const first of [0, 1, 1234, 3000, store.length - 9]) {
      const within = starts.filter((start) => start >= first && start < first + 9);
      expect(await store.startsWithin(first, 9)).toEqual(within);
      const tokens = (await store.documentsWithin(first, 9)).flatMap(({ document, start, from, count }) =>
        Array.from({ length: count }, (_, i) => [document, start + from + i]),
      );
      const owners = Array.from({ length: 9 }, (_, i) => [starts.findLastIndex((start) => start <= first + i), first + i]);
      expect(tokens).toEqual(owners);
    }
  }
  const bytes = readFileSync(path!);
  bytes.writeUInt32LE(0, bytes.length - 32 - 4 * 200);
  writeFileSync(path!, bytes);
  await using damaged = await openShards([path!], small);
  await expect(damaged.startsWithin(damaged.length - 9, 9)).rejects.toThrow("before the one in front of it: it is damaged");
  for (const document of [0, 1]) bytes.writeUInt32LE(2 ** 31, bytes.length - 32 - 4 * (documents.length - document));
  writeFileSync(path!, bytes);
  await using worse = await openShards([path!], small);
  await expect(worse.documentsWithin(0, 9)).rejects.toThrow(
    /starts-00000\.tokens: document 0 of \d+ starts at token 2147483648, behind 0: it is damaged/,
  );
});

test("documents larger than a chunk are written whole", async () => {
  const tokens = Array.from({ length: 600_001 }, (_, i) => i % 300);
  await using store = await openShards(await write("chunks", [[1, 2, 3], tokens], small), small);
  expect(Array.from(await store.read(3, 600_001))).toEqual(tokens);
});

test("a shard cut short anywhere, changed, or of another vocabulary is refused in the house's form", async () => {
  const [path] = await write("bad", randomDocuments(9, small, new Rng(6)), small);
  const valid = readFileSync(path!);
  const refusal = async (vocabulary = small) => {
    const error = await openShards([path!], vocabulary).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CriaError);
    return (error as Error).message;
  };
  for (let size = 0; size < valid.length; size++) {
    truncateSync(path!, size);
    expect(await refusal()).toMatch(/bad-00000\.tokens: .*(cut short|damaged), prepare it again/);
    writeFileSync(path!, valid);
  }
  expect(await refusal({ ...small, size: 301 })).toMatch(/of a vocabulary of 300 pieces but the tokenizer has 301/);
  expect(await refusal({ ...small, fingerprint: small.fingerprint.replace("0", "f") })).toMatch(
    /of vocabulary 0123.* but the tokenizer's is f123/,
  );
  writeFileSync(path!, Buffer.from(valid).fill(1, 0, 8));
  expect(await refusal()).toMatch(/a token shard with "criatok1"/);
  writeFileSync(path!, Buffer.from(valid).fill(9, valid.length - 32, valid.length - 24));
  expect(await refusal()).toMatch(/but the file has/);
  await expect(openShards([join(folder, "none.tokens")], small)).rejects.toThrow(/no such file/);
});

test("a token outside the vocabulary is refused when written and when read", async () => {
  await expect(write("outside", [[1, 300]], small)).rejects.toThrow(/the tokenizer gave 300 but its vocabulary has 300 pieces/);
  expect(readdirSync(folder).filter((name) => name.startsWith("outside"))).toEqual([]);
  const [path] = await write("flip", [[1, 2, 3]], small);
  const bytes = readFileSync(path!);
  bytes.writeUInt16LE(5000, 34);
  writeFileSync(path!, bytes);
  await using store = await openShards([path!], small);
  await expect(store.read(0, 3)).rejects.toThrow(/token 1 is 5000 but the vocabulary has 300/);
  expect(Array.from(await store.read(2, 1))).toEqual([3]);
});

test.each([small, large])("the largest token of a vocabulary of $size is read, and the one above it refused", async (vocabulary) => {
  const [path] = await write(`bound-${vocabulary.size}`, [[vocabulary.size - 1, 0]], vocabulary);
  await using store = await openShards([path!], vocabulary);
  expect(Array.from(await store.read(0, 2))).toEqual([vocabulary.size - 1, 0]);
  const bytes = readFileSync(path!);
  if (vocabulary === small) bytes.writeUInt16LE(vocabulary.size, 34);
  else bytes.writeUInt32LE(vocabulary.size, 36);
  writeFileSync(path!, bytes);
  await expect(store.read(0, 2)).rejects.toThrow(`token 1 is ${vocabulary.size} but the vocabulary has ${vocabulary.size}`);
  await expect(write("outside", [[vocabulary.size]], vocabulary)).rejects.toThrow(/the tokenizer gave/);
});

const badStarts: readonly [what: string, starts: readonly number[], message: RegExp][] = [
  ["do not begin at 0", [1, 2, 4], /document 0 starts at token 1 but the first one starts at 0: it is damaged, prepare it again/],
  ["go back", [0, 4, 2], /document 2 starts at token 2 but must start from 4 to 6/],
  ["lie beyond the tokens", [0, 2, 7], /document 2 starts at token 7 but must start from 2 to 6/],
];

test.each(badStarts)("document starts that %s are refused", async (_, starts, message) => {
  const [path] = await write(
    "starts",
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    small,
  );
  const bytes = readFileSync(path!);
  starts.forEach((start, i) => bytes.writeUInt32LE(start, 32 + 6 * 2 + 4 * i));
  writeFileSync(path!, bytes);
  await using store = await openShards([path!], small);
  const read = async () => {
    for await (const _start of store.documentStarts());
  };
  await expect(read()).rejects.toThrow(message);
  await expect(read()).rejects.toBeInstanceOf(CriaError);
});

test("a shard with any bytes changed opens and reads, or is refused in the house's form", async () => {
  const [path] = await write("fuzz", randomDocuments(9, small, new Rng(6)), small);
  const valid = readFileSync(path!);
  const rng = new Rng(8);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(valid);
    for (let change = 1 + rng.below(3); change > 0; change--) bytes[rng.below(bytes.length)] = rng.below(256);
    writeFileSync(path!, rng.below(4) === 0 ? bytes.subarray(0, rng.below(bytes.length)) : bytes);
    const read = async () => {
      await using store = await openShards([path!], small);
      await store.read(0, store.length);
      for await (const start of store.documentStarts()) expect(start).toBeLessThanOrEqual(store.length);
    };
    const problem = await read().catch((error: unknown) => error);
    if (problem !== undefined) expect(problem).toBeInstanceOf(CriaError);
  }
});

test("a fingerprint tells shards of other sizes and other ends from each other, and is the same for the same files", async () => {
  const documents = randomDocuments(60, small, new Rng(5));
  const fingerprint = async (paths: readonly string[]) => {
    await using store = await openShards(paths, small);
    return await store.fingerprint();
  };
  const [first, again] = [await write("print-a", documents, small, 50), await write("print-b", documents, small, 50)];
  expect(await fingerprint(first)).toBe(await fingerprint(again));
  const prints = [await fingerprint(first), await fingerprint(first.slice(1)), await fingerprint(first.toReversed())];
  const bytes = readFileSync(again.at(-1)!);
  bytes.writeUInt16LE(bytes.readUInt16LE(40) ^ 1, 40);
  writeFileSync(again.at(-1)!, bytes);
  prints.push(await fingerprint(again));
  expect(new Set(prints).size).toBe(4);
});

test("when documents fail midway, the shard before stays and no partial file does", async () => {
  const documents = async function* (): AsyncGenerator<EncodedDocument> {
    yield* encoded([[1, 2, 3], [4, 5, 6], [7]]);
    throw new CriaError("test", "the text ended badly");
  };
  await expect(writeShards(join(folder, "midway"), documents(), small, 4)).rejects.toThrow("the text ended badly");
  expect(readdirSync(folder).filter((name) => name.startsWith("midway"))).toEqual(["midway-00000.tokens"]);
});
