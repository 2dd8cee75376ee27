// What the page sees inside of a model: judged by the tokenizer's own ids and the model's own rows.
import { expect, test } from "vitest";
import { openModel } from "../../../load/index.ts";
import { parameterCount } from "../../../model/index.ts";
import { ask, post, serverForAll } from "../../serve.test.helper.ts";
import { mostAttentionTokens } from "./attention.ts";
import { type LookAttention, type LookModel, type LookText, type LookWeights, type LookWord, mostPiecesText } from "./index.ts";

const server = serverForAll({ page: { assets: "" } });
const pieces = (text: string) => post(`${server().url}/page/pieces`, { model: "tiny", text });

/** The symbols behind all merges, done as the page does them. */
function mergedSymbols({ symbols, merges }: LookWord): readonly string[] {
  return merges.reduce<readonly string[]>((now, { at, result }) => [...now.slice(0, at), result, ...now.slice(at + 2)], symbols);
}

test("a text is the pieces that the tokenizer makes of it, and merging the symbols by the steps gives them", async () => {
  await using model = await openModel(server().folder);
  const tokenizer = await model.openTokenizer();
  for (const text of ["ab ab a", "", "é 中 🦙", "<|go|>ab", "<b>ab</b>\n\tab"]) {
    const { before, parts, after, count }: LookText = (await pieces(text)).json;
    const all = [...before, ...parts.flatMap((word) => word.pieces), ...after];
    expect(all.map(({ id }) => id)).toEqual([...tokenizer.encode(text, { template: true })]);
    expect(count).toBe(all.length);
    for (const piece of all)
      expect(Buffer.from(piece.bytes.replaceAll(" ", ""), "hex")).toEqual(Buffer.from(tokenizer.pieceBytes(piece.id)));
    for (const word of parts.filter(({ merges }) => merges.length > 0))
      expect(mergedSymbols(word).length).toBeLessThanOrEqual(word.pieces.length);
  }
  const { parts }: LookText = (await pieces("ab ab")).json;
  expect(parts.flatMap(({ merges }) => merges.map(({ result }) => result))).not.toEqual([]);
});

test("a piece that ends inside of a character has bytes and no text", async () => {
  const { parts }: LookText = (await pieces("é")).json;
  const halves = parts.flatMap((word) => word.pieces).filter(({ bytes }) => ["c3", "a9"].includes(bytes));
  expect(halves.map(({ text }) => text)).toEqual([undefined, undefined]);
});

test("the architecture has every trained number", async () => {
  const { config, tensors }: LookModel = (await ask(`${server().url}/page/architecture?name=tiny`, { method: "GET" })).json;
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  expect(numbers).toBe(parameterCount(config));
});

test("attention is a triangle per head whose rows add up to one, of texts that are not too long", async () => {
  const asked = (text: string, layer: number) => post(`${server().url}/page/attention`, { model: "tiny", text, layer });
  const { pieces: tokens, heads }: LookAttention = (await asked("ab ab", 1)).json;
  expect(heads.length).toBe(4);
  for (const head of heads) {
    expect(head.length).toBe((tokens.length * (tokens.length + 1)) / 2);
    for (let row = 0, at = 0; row < tokens.length; row++, at += row) {
      const sum = head.slice(at, at + row + 1).reduce((all, weight) => all + weight, 0);
      expect(Math.abs(sum - 1000)).toBeLessThanOrEqual(tokens.length);
    }
  }
  expect(await asked("ab", 2)).toMatchObject({
    status: 400,
    json: { error: { message: "layer is 2, but the model has the layers 0 to 1" } },
  });
  expect(await asked("x".repeat(mostAttentionTokens), 0)).toMatchObject({
    status: 400,
    json: { error: { message: expect.stringContaining(`at most ${mostAttentionTokens}`), param: "text" } },
  });
});

test("a tensor's numbers are counted all, and quantised ones are as far off as the layout's steps", async () => {
  const asked = (tensor: string, type?: string) => post(`${server().url}/page/weights`, { model: "tiny", tensor, type });
  await using model = await openModel(server().folder);
  const values = await model.weights.read({ name: "embedding", shape: [265, 16], init: 1, decay: true });
  const found: LookWeights = (await asked("embedding")).json;
  expect(found.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
  expect([found.histogram.from, found.histogram.to]).toEqual([Math.min(...values), Math.max(...values)]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(found.mean).toBeCloseTo(mean, 6);
  expect(found.deviation).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length), 5);
  const { quantised }: LookWeights = (await asked("embedding", "bf16")).json;
  expect(quantised?.compared).toBe(values.length);
  expect(quantised?.error).toBeGreaterThan(1e-4);
  expect(quantised?.error).toBeLessThan(2 ** -8);
  expect(await asked("embedding", "q4_0")).toMatchObject({
    status: 400,
    json: { error: { message: expect.stringContaining("blocks of q4_0") } },
  });
  expect(await asked("nothing")).toMatchObject({ status: 404 });
});

test("texts that are too long and models that are not there are refused by name", async () => {
  expect(await pieces("a".repeat(mostPiecesText))).toMatchObject({ status: 200 });
  expect(await pieces("a".repeat(mostPiecesText + 1))).toMatchObject({
    status: 400,
    json: { error: { message: expect.stringContaining(`more than ${mostPiecesText} characters`), param: "text" } },
  });
  expect(await ask(`${server().url}/page/architecture?name=nothing`, { method: "GET" })).toMatchObject({ status: 404 });
});
