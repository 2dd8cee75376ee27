import { Tokenizer as HuggingFace } from "@huggingface/tokenizers";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { randomText, variedTexts } from "../tokenizer/conformance.ts";
import { createTokenizer, splitPatterns, type TokenizerModel, type TrainOptions, trainTokenizer } from "../tokenizer/index.ts";
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

const models = new Map<number, Promise<TokenizerModel>>();

/** The model of a row of `kinds`, trained once. */
function trained(kind: number): Promise<TokenizerModel> {
  const model = models.get(kind) ?? trainTokenizer(corpus, kinds[kind]![1]);
  models.set(kind, model);
  return model;
}

/** A copy to change at will. */
// biome-ignore lint/suspicious/noExplicitAny: the tests damage the file in ways its type forbids
function fileOf(model: TokenizerModel): any {
  return JSON.parse(JSON.stringify(tokenizerJson(model)));
}

function idsBy(theirs: HuggingFace, text: string): number[] {
  return theirs.encode(text, { add_special_tokens: false }).ids;
}

test.each(kinds)("%s: @huggingface/tokenizers gives the same ids and text", async (name, options) => {
  const model = await trained(kinds.findIndex(([known]) => known === name));
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

test.each(kinds)("%s: reading gives back what was written", async (name) => {
  const model = await trained(kinds.findIndex(([known]) => known === name));
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)), { config: tokenizerConfigJson(model) })).toEqual(model);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)))).toMatchObject({
    kind: model.kind,
    pieces: model.pieces,
    merges: model.merges,
  });
});

test("reads merges as pairs, and writes them so when a piece holds a space", async () => {
  const model = await trained(1);
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
    "Qwen 2: every digit alone, by the pattern",
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
  const file = fileOf(await trained(kind));
  change(file);
  const ours = createTokenizer(readTokenizerJson(JSON.stringify(file)));
  const theirs = new HuggingFace(file, {});
  // Their ByteLevel and Digits use JavaScript's \s and \d where the original's are Unicode's.
  const fair = texts.filter((text) => !/[\u0085\ufeff]|(?!\d)\p{N}/u.test(text));
  for (const text of fair) expect(idsBy(theirs, text), JSON.stringify(text)).toEqual([...ours.encode(text, { parseSpecial: true })]);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(ours.model)))).toEqual(ours.model);
});

test("an expression that is none of the published ones is run, or refused with its place and the reason", async () => {
  const file = fileOf(await trained(2));
  const [split] = file.pre_tokenizer.pretokenizers;
  const read = () => readTokenizerJson(JSON.stringify(file));
  split.pattern.Regex = "(a+)\\1";
  expect(read).toThrow(/pre_tokenizer splits by "\(a\+\)\\\\1": .*references to groups are not supported, at character 4/);
  split.pattern.Regex = "(a+)+$";
  const steps = [{ type: "expression", source: "(a+)+$", behaviour: "isolated", invert: false }];
  expect(read()).toMatchObject({ preTokeniser: steps });
  expect(createTokenizer(read()).decode(createTokenizer(read()).encode(`${"a".repeat(1000)}b`))).toBe(`${"a".repeat(1000)}b`);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(read())))).toEqual(read());
  split.pattern.Regex = splitPatterns.llama3;
  split.behavior = "Removed";
  expect(read()).toMatchObject({ preTokeniser: [{ type: "expression", source: splitPatterns.llama3, behaviour: "removed" }] });
  split.invert = true;
  expect(read()).toMatchObject({ pattern: "llama3" });
});

describe("what goes around a text", () => {
  const bos = { SpecialToken: { id: "<s>", type_id: 0 } };
  const eos = { SpecialToken: { id: "</s>", type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };
  const special_tokens = { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] }, "</s>": { id: "</s>", ids: [2], tokens: ["</s>"] } };
  const template = (...single: unknown[]) => ({ type: "TemplateProcessing", single, pair: [], special_tokens });
  const byteLevel = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
  const names = { bos_token: "<s>", eos_token: "</s>" };

  test.each<[string, unknown, object | undefined, [number[], number[]]]>([
    ["a template with bos", template(bos, text), undefined, [[1], []]],
    ["a template with both", template(bos, text, eos), undefined, [[1], [2]]],
    ["a template with eos only", template(text, eos), undefined, [[], [2]]],
    ["a template without either, whatever the flags", template(text), { tokenizer_class: "LlamaTokenizer", add_bos_token: true }, [[], []]],
    ["a template in a sequence", { type: "Sequence", processors: [byteLevel, template(bos, text)] }, undefined, [[1], []]],
    [
      "two templates, one around the other",
      { type: "Sequence", processors: [template(bos, text), template(text, eos)] },
      undefined,
      [[1], [2]],
    ],
    ["RoBERTa's", { type: "RobertaProcessing", cls: ["<s>", 1], sep: ["</s>", 2], trim_offsets: true }, undefined, [[1], [2]]],
    ["none, and no configuration", null, undefined, [[], []]],
    ["none, LlamaTokenizer", null, { ...names, tokenizer_class: "LlamaTokenizer" }, [[1], []]],
    ["none, LlamaTokenizerFast", null, { ...names, tokenizer_class: "LlamaTokenizerFast" }, [[1], []]],
    [
      "none, LlamaTokenizer that is told not to",
      byteLevel,
      { ...names, tokenizer_class: "LlamaTokenizer", add_bos_token: false },
      [[], []],
    ],
    ["none, LlamaTokenizer with eos", null, { ...names, tokenizer_class: "LlamaTokenizer", add_eos_token: true }, [[1], [2]]],
    ["none, null flags", null, { ...names, tokenizer_class: "LlamaTokenizer", add_bos_token: null, add_eos_token: null }, [[1], []]],
    ["none, GPT2Tokenizer (SmolLM)", byteLevel, { ...names, tokenizer_class: "GPT2Tokenizer" }, [[], []]],
    ["none, GPT2Tokenizer that is told to", byteLevel, { ...names, tokenizer_class: "GPT2Tokenizer", add_bos_token: true }, [[1], []]],
    [
      "none, a class that follows the file",
      byteLevel,
      { ...names, tokenizer_class: "PreTrainedTokenizerFast", add_bos_token: true },
      [[], []],
    ],
    ["none, the same in transformers 5", byteLevel, { ...names, tokenizer_class: "TokenizersBackend", add_eos_token: true }, [[], []]],
  ])("%s", async (_name, post_processor, config, [before, after]) => {
    const file = { ...fileOf(await trained(1)), post_processor };
    const model = readTokenizerJson(JSON.stringify(file), { config });
    expect([model.template?.before ?? [], model.template?.after ?? []]).toEqual([before, after]);
    const tokenizer = createTokenizer(model);
    expect([...tokenizer.encode("the low", { template: true })]).toEqual([...before, ...tokenizer.encode("the low"), ...after]);
    const again = readTokenizerJson(JSON.stringify(tokenizerJson(model)), { config: tokenizerConfigJson(model) });
    expect(again.template).toEqual(model.template);
    expect(tokenizerConfigJson(model)).toMatchObject({ add_bos_token: before.length > 0, add_eos_token: after.length > 0 });
    const theirs = new HuggingFace(JSON.parse(JSON.stringify(tokenizerJson(model))), tokenizerConfigJson(model));
    expect(theirs.encode("the low").ids).toEqual([...tokenizer.encode("the low", { template: true })]);
  });

  test("a class that puts a token there must have one", async () => {
    const file = fileOf(await trained(1));
    file.post_processor = null;
    for (const token of file.added_tokens) token.special = false;
    expect(() => readTokenizerJson(JSON.stringify(file), { config: { tokenizer_class: "LlamaTokenizer" } })).toThrow(
      /tokenizer_config\.json puts a bos token around a text but names none: name it, or set add_bos_token to false/,
    );
  });
});

test("added tokens that are not special stand for themselves in any text", async () => {
  const file = fileOf(await trained(2));
  file.added_tokens.push({ id: 500, content: "[X]", special: false, normalized: false });
  const ours = createTokenizer(readTokenizerJson(JSON.stringify(file)));
  expect(Array.from(ours.encode("a[X]b"), (id) => ours.idToPiece(id))).toEqual(["a", "[X]", "b"]);
  expect(ours.decode(ours.encode("a[X]b"))).toBe("a[X]b");
});

test.each([1, 2])("ids that a file leaves out are pieces that no text becomes", async (kind) => {
  const file = fileOf(await trained(kind));
  const size = Object.keys(file.model.vocab).length;
  file.added_tokens.push({ id: size + 3, content: "[X]", special: false, normalized: false });
  const model = readTokenizerJson(JSON.stringify(file), { config: { pad_token: "[PAD]" } });
  expect(model.unused).toEqual([size, size + 1, size + 2]);
  expect(model.pieces.slice(size)).toEqual([...model.unused!.map((id) => `<|unused_${id}|>`), "[X]", "[PAD]"]);
  const ours = createTokenizer(model);
  expect([...ours.encode("[X]")].at(-1)).toBe(size + 3);
  expect([...ours.encode(`<|unused_${size}|>`, { parseSpecial: true })]).not.toContain(size);
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)), { config: tokenizerConfigJson(model) })).toEqual(model);
});

test("roles come from the configuration first", async () => {
  const model = await trained(2);
  const text = JSON.stringify(tokenizerJson(model));
  const config = { bos_token: { content: "<|end_of_text|>" }, eos_token: "<|begin_of_text|>" };
  expect(readTokenizerJson(text, { config })).toMatchObject({ bosId: model.eosId, eosId: model.bosId });
});

const firstMetaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true };

const unigram = (more: object) => ({
  added_tokens: [],
  post_processor: null,
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["a", -1],
      ["b", -2],
    ],
    byte_fallback: false,
    ...more,
  },
});

test.each<[string, (file: ReturnType<typeof fileOf>) => unknown, RegExp]>([
  ["a WordPiece model", (f) => (f.model.type = "WordPiece"), /model\.type is "WordPiece": only BPE and Unigram are supported/],
  [
    "a unigram model without a list of pieces",
    (f) => (f.model = { type: "Unigram", vocab: {} }),
    /model: vocab is \{\} but must be a list/,
  ],
  [
    "a unigram model without an unknown",
    (f) => Object.assign(f, unigram({ unk_id: null })),
    /model\.unk_id is null, and a character without/,
  ],
  ["an unknown out of the list", (f) => Object.assign(f, unigram({ unk_id: 3 })), /model\.unk_id is 3, but model\.vocab has 3 pieces/],
  [
    "a piece twice in the list",
    (f) =>
      Object.assign(
        f,
        unigram({
          vocab: [
            ["a", 0],
            ["a", 0],
          ],
        }),
      ),
    /model\.vocab has "a" at 0 and at 1/,
  ],
  [
    "a piece without a score",
    (f) => Object.assign(f, unigram({ vocab: [["a"]] })),
    /model\.vocab\[0\] is .*: it must be a piece and its score/,
  ],
  ["no model", (f) => delete f.model, /model must be an object, but it is nothing/],
  ["no vocabulary", (f) => delete f.model.vocab, /model\.vocab must be an object, but it is nothing/],
  ["no merges", (f) => delete f.model.merges, /model\.merges must be a list, but it is nothing/],
  ["an id far out", (f) => (f.model.vocab.a = 9999), /"a" has the id 9999, but there are 600 pieces: so many ids cannot be left out/],
  ["an id twice", (f) => (f.model.vocab.a = 300), /both have the id 300/],
  ["an id that is none", (f) => (f.model.vocab.a = -1.5), /the id of "a" must be an id, but it is the number -1.5/],
  ["a merge of an unknown piece", (f) => (f.model.merges[3] = "q qzq"), /merge 3, "q qzq", needs the piece "qzq"/],
  ["a merge of three", (f) => (f.model.merges[3] = ["a", "b", "c"]), /must have two parts, but it has 3/],
  ["a merge that is a number", (f) => (f.model.merges[3] = 7), /merge 3 must be a list, but it is the number 7/],
  ["an added token elsewhere", (f) => (f.added_tokens[0].id = 5), /"<unk>" has the id 0 in the vocabulary but 5/],
  [
    "a flag that is none",
    (f) => (f.added_tokens[0].lstrip = 1),
    /lstrip of added_tokens\[0\] must be true or false, but it is the number 1/,
  ],
  ["an unknown flag", (f) => (f.added_tokens[0].case = true), /added_tokens\[0\] has "case", which is no property of an added token/],
  ["another normaliser", (f) => (f.normalizer = { type: "Custom" }), /normalizer \{"type":"Custom"\} is not supported/],
  ["another pre-tokenizer", (f) => (f.pre_tokenizer = { type: "Custom" }), /pre_tokenizer \{"type":"Custom"\} is not supported/],
  [
    "rules that are no base64",
    (f) => (f.normalizer = { type: "Precompiled", precompiled_charsmap: "?" }),
    /precompiled_charsmap is not in base64/,
  ],
  [
    "a BertNormalizer that says too little",
    (f) => (f.normalizer = { type: "BertNormalizer", clean_text: true }),
    /normalizer's lowercase is missing/,
  ],
  ["words of no length", (f) => (f.pre_tokenizer = { type: "FixedLength", length: 0 }), /pre_tokenizer .*FixedLength.* is not supported/],
  [
    "a prefix that merges lack",
    (f) => (f.model.continuing_subword_prefix = "##"),
    /merge 0, .*, has a right part without "##", model\.continuing_subword_prefix/,
  ],
  ["merges left out at random", (f) => (f.model.dropout = 0.1), /model: dropout is the number 0\.1, but cria's merges are never left out/],
  [
    "neither unk nor all bytes",
    (f) => Object.assign(f.model, { unk_token: null, byte_fallback: false }),
    /model\.unk_token is null, .*tokenizer_config\.json names no unk_token, and not all 256 bytes have pieces/,
  ],
  ["a post-processor of another kind", (f) => (f.post_processor = { type: "X" }), /post_processor \{"type":"X"\} is not supported/],
  [
    "a template of two texts",
    (f) => f.post_processor.single.push({ Sequence: { id: "B" } }),
    /must hold the text, Sequence A, exactly once/,
  ],
  [
    "a template of other ids",
    (f) => (f.post_processor.special_tokens["<s>"].ids = [5]),
    /post_processor says "<s>" is id 5, but the vocabulary has "<0x02>" there/,
  ],
  ["a template without its ids", (f) => (f.post_processor.special_tokens = {}), /post_processor\.special_tokens "<s>" must be an object/],
  ["a decoder of another kind", (f) => (f.decoder = { type: "WordPiece" }), /decoder \{"type":"WordPiece"\} is not supported there/],
  ["a decoder in another order", (f) => f.decoder.decoders.reverse(), /decoder \{"type":"Strip",.*\} is not supported there/],
  ["another thing to strip", (f) => (f.decoder.decoders[3].content = "_"), /decoder \{"type":"Strip","content":"_".*\} is not supported/],
  [
    "a replacement by an expression with a reference",
    (f) => (f.decoder.decoders[0].pattern = { Regex: "(a+)\\1" }),
    /decoder replaces "\(a\+\)\\\\1": /,
  ],
  [
    "a normaliser by an expression with a reference",
    (f) => (f.normalizer = { type: "Replace", pattern: { Regex: "(a+)\\1" }, content: "▁" }),
    /normalizer replaces "\(a\+\)\\\\1": .*references to groups are not supported, at character 4/,
  ],
  [
    "a ▁ in front of the first word where a text's beginning may go",
    (f) => Object.assign(f, { normalizer: { type: "Strip", strip_left: true, strip_right: true }, pre_tokenizer: firstMetaspace }),
    /Metaspace has prepend_scheme "first", which is not supported behind the normalizer's step strip: make it "always" or "never"/,
  ],
  [
    "a ▁ in front of the first word where one character becomes several words",
    (f) =>
      Object.assign(f, {
        normalizer: { type: "NFKC" },
        pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, firstMetaspace] },
      }),
    /prepend_scheme "first" behind another step, which is not supported behind the normalizer's step form/,
  ],
])("refuses %s", async (_name, damage, message) => {
  const file = fileOf(await trained(1));
  damage(file);
  expect(() => readTokenizerJson(JSON.stringify(file), { name: "x/tokenizer.json" })).toThrow(message);
});

test.each([
  ["normalizer", "normalizers"],
  ["pre_tokenizer", "pretokenizers"],
  ["post_processor", "processors"],
  ["decoder", "decoders"],
])("refuses a %s nested without end", async (key, member) => {
  const deep = `${`{"type":"Sequence","${member}":[`.repeat(5000)}${"]}".repeat(5000)}`;
  const text = JSON.stringify({ ...fileOf(await trained(1)), [key]: "deep" }).replace('"deep"', deep);
  expect(() => readTokenizerJson(text)).toThrow(`${key} is nested more than 50 deep`);
});

test("refuses a file cut short, naming it", () => {
  expect(() => readTokenizerJson('{"model": {"type"', { name: "x/tokenizer.json" })).toThrow(
    /\[tokenizer\.json\] x\/tokenizer\.json: its text is not JSON .*: it is damaged/,
  );
  expect(() => readTokenizerJson("[]")).toThrow(/it holds an array but must hold a JSON object/);
  expect(() => readTokenizerJson('{"model": {"vocab": {"a": 0, "b": 1, "a": 2}}}')).toThrow(/it has "a" twice: every key may stand once/);
});

test("a merge that spells the word's end has no form in this file", async () => {
  const model = await trainTokenizer(["</w> ".repeat(9)], { kind: "word", vocabSize: 20, maxMerges: 3 });
  expect(() => tokenizerJson(model)).toThrow(/which this format cannot hold/);
});
