// A tokenizer.json as bytes, whose large members are read where they stand, against the same as a text, which JSON.parse reads.
import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { variedTexts } from "../tokenizer/conformance.ts";
import { createTokenizer, type TokenizerModel, trainTokenizer } from "../tokenizer/index.ts";
import { readTokenizerJson, tokenizerJson } from "./index.ts";
import { scanTokenizerJson } from "./tokenizer-json-scan.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const trained = await trainTokenizer([...variedTexts, ...variedTexts], { kind: "bytes", vocabSize: 330, specials: { bos: "<s>" } });
const sentences = await trainTokenizer([...variedTexts, ...variedTexts], {
  kind: "sentencepiece",
  vocabSize: 500,
  characterCoverage: 0.98,
});
// biome-ignore lint/suspicious/noExplicitAny: the tests change the file in ways its type forbids
const fileOf = (): any => JSON.parse(JSON.stringify(tokenizerJson(trained)));

/** Every character that is no ASCII as an escape, as Python's json writes them. */
function escaped(text: string): string {
  return text.replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const pretty = (value: unknown) => JSON.stringify(value, null, 2);
const pairs = {
  ...fileOf(),
  model: {
    ...fileOf().model,
    merges: fileOf().model.merges.map((merge: string | string[]) => [merge].flat().flatMap((part) => part.split(" "))),
  },
};
const lines = { ...fileOf(), model: { ...fileOf().model, merges: pairs.model.merges.map((merge: string[]) => merge.join(" ")) } };
const decoy = { 'a{[\\"': { vocab: [1, "}"], merges: [{ x: "]" }] } };

test.each<[string, string]>([
  ["as it is written", JSON.stringify(fileOf())],
  ["with white space", pretty(fileOf())],
  ["with tabs and returns", pretty(fileOf()).replaceAll("\n", "\r\n\t")],
  ["with escapes", escaped(JSON.stringify(fileOf()))],
  ["with merges as pairs", JSON.stringify(pairs)],
  ["with merges as pairs, white space and escapes", escaped(pretty(pairs))],
  ["with merges as lines", JSON.stringify(lines)],
  ["of the sentencepiece kind", JSON.stringify(tokenizerJson(sentences))],
])("a document %s is read where it stands, as JSON.parse reads it", (_name, text) => {
  expect(scanTokenizerJson(encode(text))).toBeDefined();
  expect(readTokenizerJson(encode(text))).toEqual(readTokenizerJson(text));
});

const compact = JSON.stringify(fileOf());
const own = fileOf().model;

/** The document with other members of its model. */
function withModel(members: object): string {
  return JSON.stringify({ ...fileOf(), model: { ...own, ...members } });
}

/** The document with another id of a piece. */
function withId(id: unknown): string {
  return withModel({ vocab: { ...own.vocab, "!": id } });
}

function open(source: string | Uint8Array): TokenizerModel | "refused" {
  try {
    return createTokenizer(readTokenizerJson(source)).model;
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return "refused";
  }
}

/** The vocabulary has U+FFFD, and what is added would be the same in UTF-8. */
function addedHalf(): string {
  const file = { ...fileOf(), model: { ...own, vocab: { ...own.vocab, "\ufffd": 331 } } };
  return JSON.stringify({ ...file, added_tokens: [...file.added_tokens, { ...file.added_tokens[0], content: "\ud800", id: 332 }] });
}

test.each<[string, string]>([
  ["merges before the vocabulary", JSON.stringify({ ...fileOf(), model: { merges: own.merges, ...own } })],
  ["other members with the same names", JSON.stringify({ ...decoy, ...fileOf() })],
  [
    "a piece that is added",
    JSON.stringify({ ...fileOf(), added_tokens: [...fileOf().added_tokens, { ...fileOf().added_tokens[0], content: "<new>", id: 331 }] }),
  ],
  ["a piece twice", compact.replace('"vocab":{', '"vocab":{"Ġ":7,')],
  ["an id twice", withId(own.vocab["#"])],
  ["an id that is no whole number", withId(1.5)],
  ["an id that is one, written with a point", compact.replace('"!":1,', '"!":1.0,')],
  ["an id with a zero in front", compact.replace('"!":1,', '"!":01,')],
  ["an id far out", withId(99_999)],
  ["a comma too many", compact.replace('"merges":[', '"merges":[,')],
  ["a comma at the end", compact.replace(/\](?=[^\]]*$)/, ",]")],
  ["no merges", withModel({ merges: [] })],
  ["no vocabulary", withModel({ vocab: {} })],
  ["a merge of unknown pieces", withModel({ merges: [...own.merges, ["Ġ", "nothing"]] })],
  ["a merge that makes nothing", withModel({ merges: [...own.merges, ["Ġ", "ÿ"]] })],
  ["a merge of three", withModel({ merges: [...own.merges, "a b c"] })],
  ["half of a surrogate pair", compact.replace('"vocab":{', '"vocab":{"\\ud800":331,')],
  ["half of a surrogate pair that is added beside U+FFFD", addedHalf()],
  ["a control character", compact.replace('"vocab":{', '"vocab":{"\u0001":331,')],
  ["an escape that is none", compact.replace('"vocab":{', '"vocab":{"\\x":331,')],
  ["two models", compact.replace('"model":{', '"model":{},"model":{')],
  ["two vocabularies", compact.replace('"merges":[', '"vocab":{},"merges":[')],
  ["a continuing prefix", withModel({ continuing_subword_prefix: "##" })],
  ["something behind the end", `${compact}]`],
  ["nothing", ""],
])("a document with %s is read or refused as by JSON.parse", (_name, text) => {
  expect(open(encode(text))).toEqual(open(text));
});

test("bytes that are no UTF-8 are refused", () => {
  const bytes = encode(compact);
  const at = compact.indexOf('"vocab":{"') + 10;
  expect(() => readTokenizerJson(bytes.with(at, 0xff))).toThrow(/its text is not UTF-8 from byte/);
});

test("changed bytes are read or refused as by JSON.parse", () => {
  const rng = new Rng(11);
  const bytes = encode(pretty(fileOf()));
  let [read, refused] = [0, 0];
  for (let round = 0; round < 250; round++) {
    const copy = bytes.slice(0, rng.below(8) === 0 ? rng.below(bytes.length) : bytes.length);
    const written = '{}[]",:\\0 1a';
    for (let i = rng.below(2); i >= 0; i--) copy[rng.below(copy.length)] = written.charCodeAt(rng.below(written.length));
    const text = new TextDecoder().decode(copy);
    if (!Buffer.from(encode(text)).equals(copy)) continue;
    const model = open(text);
    if (model === "refused") refused++;
    else read++;
    expect(open(copy), `round ${round}`).toEqual(model);
  }
  expect(Math.min(read, refused)).toBeGreaterThan(10);
});
