import { Tokenizer as HuggingFace } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { randomText, variedTexts } from "../tokenizer/conformance.ts";
import { createTokenizer, type TokenizerModel, type TrainOptions, trainTokenizer } from "../tokenizer/index.ts";
import { readTokenizerJson, tokenizerConfigJson, tokenizerJson } from "./index.ts";

const corpus = [...variedTexts, ...variedTexts.map((text) => `${text} the low lower newest widest 'twas 123 x  y`)];
const rng = new Rng(21);
const texts = [...variedTexts, ...Array.from({ length: 300 }, () => randomText(rng, rng.below(80)))];

const kinds: [string, TrainOptions][] = [
  ["word", { kind: "word", vocabSize: 500 }],
  ["sentencepiece", { kind: "sentencepiece", vocabSize: 600, characterCoverage: 0.98 }],
  ["bytes, llama3", { kind: "bytes", vocabSize: 500 }],
  ["bytes, gpt2", { kind: "bytes", vocabSize: 500, pattern: "gpt2" }],
  ["bytes, gpt2, digits alone", { kind: "bytes", vocabSize: 500, pattern: "gpt2", splitDigits: true }],
];

/** A copy to change at will. */
// biome-ignore lint/suspicious/noExplicitAny: the tests damage the file in ways its type forbids
function fileOf(model: TokenizerModel): any {
  return JSON.parse(JSON.stringify(tokenizerJson(model)));
}

function idsBy(theirs: HuggingFace, text: string): number[] {
  return theirs.encode(text, { add_special_tokens: false }).ids;
}

test.each(kinds)("%s: @huggingface/tokenizers gives the same ids and text", async (_name, options) => {
  const model = await trainTokenizer(corpus, options);
  const ours = createTokenizer(model);
  const theirs = new HuggingFace(fileOf(model), tokenizerConfigJson(model));
  for (const text of texts) {
    const ids = [...ours.encode(text, { parseSpecial: true })];
    expect(idsBy(theirs, text), JSON.stringify(text)).toEqual(ids);
    expect(theirs.encode(text).ids).toEqual([ours.bosId, ...ids]);
    // Their decoder drops U+FEFF.
    if (ids.length > 0 && options.kind !== "word" && !text.includes("\ufeff"))
      expect(theirs.decode(ids)).toBe(ours.decode(ids, { specials: true }));
  }
});

test.each(kinds)("%s: reading gives back what was written", async (_name, options) => {
  const model = await trainTokenizer(corpus, options);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)), { config: tokenizerConfigJson(model) })).toEqual(model);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)))).toMatchObject({
    kind: model.kind,
    pieces: model.pieces,
    merges: model.merges,
  });
});

test("reads merges as pairs, and writes them so when a piece holds a space", async () => {
  const model = await trainTokenizer(corpus, kinds[1]![1]);
  const file = fileOf(model);
  file.model.merges = file.model.merges.map((merge: string) => merge.split(" "));
  expect(readTokenizerJson(JSON.stringify(file))).toEqual(readTokenizerJson(JSON.stringify(tokenizerJson(model))));
});

/** Forms found in published files, each against the same package. */
const published: [string, number, (file: ReturnType<typeof fileOf>) => void][] = [
  [
    "GPT-2: ByteLevel with its own pattern",
    3,
    (file) => (file.pre_tokenizer = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true }),
  ],
  [
    "SmolLM2: digits, then ByteLevel",
    4,
    (file) =>
      (file.pre_tokenizer = {
        type: "Sequence",
        pretokenizers: [
          { type: "Digits", individual_digits: true },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      }),
  ],
  ["LLaMA 3: ignore_merges", 2, (file) => (file.model.ignore_merges = true)],
  [
    "Qwen 2: a pattern without a name",
    2,
    (file) => (file.pre_tokenizer.pretokenizers[0].pattern.Regex = file.pre_tokenizer.pretokenizers[0].pattern.Regex.replace("{1,3}", "")),
  ],
  ["LLaMA 2 converted anew: Metaspace", 1, (file) => metaspace(file, "first")],
  ["Metaspace everywhere", 1, (file) => metaspace(file, "always")],
  ["a sentencepiece model without the prefix", 1, (file) => (file.normalizer = file.normalizer.normalizers[1])],
];

function metaspace(file: ReturnType<typeof fileOf>, prepend_scheme: string): void {
  file.normalizer = null;
  file.pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme, split: false };
}

test.each(published)("reads %s", async (_name, kind, change) => {
  const file = fileOf(await trainTokenizer(corpus, kinds[kind]![1]));
  change(file);
  const ours = createTokenizer(readTokenizerJson(JSON.stringify(file)));
  const theirs = new HuggingFace(file, {});
  // Their ByteLevel and Digits use JavaScript's \s and \d where the original's are Unicode's.
  const fair = texts.filter((text) => !/[\u0085\ufeff]|(?!\d)\p{N}/u.test(text));
  for (const text of fair) expect(idsBy(theirs, text), JSON.stringify(text)).toEqual([...ours.encode(text, { parseSpecial: true })]);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(ours.model)))).toEqual(ours.model);
});

test("added tokens that are not special stand for themselves in any text", async () => {
  const file = fileOf(await trainTokenizer(corpus, kinds[2]![1]));
  file.added_tokens.push({ id: 500, content: "[X]", special: false, normalized: false });
  const ours = createTokenizer(readTokenizerJson(JSON.stringify(file)));
  expect(Array.from(ours.encode("a[X]b"), (id) => ours.idToPiece(id))).toEqual(["a", "[X]", "b"]);
  expect(ours.decode(ours.encode("a[X]b"))).toBe("a[X]b");
});

test("roles come from the configuration first", async () => {
  const model = await trainTokenizer(corpus, kinds[2]![1]);
  const text = JSON.stringify(tokenizerJson(model));
  const config = { bos_token: { content: "<|end_of_text|>" }, eos_token: "<|begin_of_text|>" };
  expect(readTokenizerJson(text, { config })).toMatchObject({ bosId: model.eosId, eosId: model.bosId });
});

test.each<[string, (file: ReturnType<typeof fileOf>) => unknown, RegExp]>([
  ["a unigram model", (f) => (f.model.type = "Unigram"), /model\.type is "Unigram": only BPE/],
  ["no model", (f) => delete f.model, /model must be an object, but it is nothing/],
  ["no vocabulary", (f) => delete f.model.vocab, /model\.vocab must be an object, but it is nothing/],
  ["no merges", (f) => delete f.model.merges, /model\.merges must be a list, but it is nothing/],
  ["a hole in the ids", (f) => (f.model.vocab.a = 9999), /"a" has the id 9999, but there are 600 pieces/],
  ["an id twice", (f) => (f.model.vocab.a = 300), /both have the id 300/],
  ["an id that is none", (f) => (f.model.vocab.a = -1.5), /the id of "a" must be an id, but it is the number -1.5/],
  ["a merge of an unknown piece", (f) => (f.model.merges[3] = "q qzq"), /merge 3, "q qzq", needs the piece "qzq"/],
  ["a merge of three", (f) => (f.model.merges[3] = ["a", "b", "c"]), /must have two parts, but it has 3/],
  ["a merge that is a number", (f) => (f.model.merges[3] = 7), /merge 3 must be a list, but it is the number 7/],
  ["an added token elsewhere", (f) => (f.added_tokens[0].id = 5), /"<unk>" has the id 0 in the vocabulary but 5/],
  ["an added token that strips", (f) => (f.added_tokens[0].lstrip = true), /"<unk>" has lstrip: it is not supported/],
  ["another normaliser", (f) => (f.normalizer = { type: "NFC" }), /normalizer \{"type":"NFC"\} is not supported/],
  ["another pre-tokenizer", (f) => (f.pre_tokenizer = { type: "Punctuation" }), /pre_tokenizer \{"type":"Punctuation"\} is not supported/],
  ["no normaliser", (f) => (f.normalizer = null), /neither ByteLevel nor/],
  ["suffixes", (f) => (f.model.end_of_word_suffix = "</w>"), /end_of_word_suffix is "<\/w>": it is not supported/],
  ["no unk", (f) => (f.model.unk_token = null), /model\.unk_token must be a string, but it is null/],
])("refuses %s", async (_name, damage, message) => {
  const file = fileOf(await trainTokenizer(corpus, kinds[1]![1]));
  damage(file);
  expect(() => readTokenizerJson(JSON.stringify(file), { name: "x/tokenizer.json" })).toThrow(message);
});

test("refuses a file cut short, naming it", () => {
  expect(() => readTokenizerJson('{"model": {"type"', { name: "x/tokenizer.json" })).toThrow(
    /\[tokenizer\.json\] x\/tokenizer\.json: its text is not JSON .*: it is damaged/,
  );
  expect(() => readTokenizerJson("[]")).toThrow(/it holds an array but must hold a JSON object/);
  expect(() => readTokenizerJson('{"model": {"vocab": {"a": 0, "b": 1, "a": 2}}}')).toThrow(/"a" stands twice in one object/);
});

test("a merge that spells the word's end has no form in this file", async () => {
  const model = await trainTokenizer(["</w> ".repeat(9)], { kind: "word", vocabSize: 20, maxMerges: 3 });
  expect(() => tokenizerJson(model)).toThrow(/which this format cannot hold/);
});
