import { describe, expect, test } from "vitest";
import { byteFallbackPiece, mergeList } from "../tokenizer/index.ts";
import { readTokenizerJson, tokenizerJson } from "./index.ts";
import type { JsonKindName, KeyRow } from "./json-keys.ts";
import { configKeys, fileKeys, mapKeys, modelKeys } from "./tokenizer-keys.ts";

const model = {
  ...({ kind: "sentencepiece", byteFallback: true, dummyPrefix: "each", prefixBeforeSpace: true } as const),
  pieces: ["<unk>", "<s>", "</s>", ...Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte)), "▁", "a", "▁a"],
  merges: mergeList([[259, 260]]),
  ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2 },
};
// biome-ignore lint/suspicious/noExplicitAny: the tests put all kinds of things into the file
const file = (): any => JSON.parse(JSON.stringify(tokenizerJson(model)));

interface Files {
  readonly file?: unknown;
  readonly config?: object;
  readonly specialTokensMap?: object;
  readonly addedTokens?: object;
}

/** The model and the warnings. */
function read({ file: document = file(), ...beside }: Files = {}) {
  const warnings: string[] = [];
  const found = readTokenizerJson(JSON.stringify(document), { ...beside, onWarning: (text) => warnings.push(text) });
  return { found, warnings };
}

/** A value of each kind that asks for something, and one of another kind. */
const samples: Partial<Record<JsonKindName, readonly [unknown, unknown]>> = {
  flag: [true, "yes"],
  number: [1e30, "7"],
  count: [7, -1],
  text: ["x", 7],
  texts: [["x"], "x"],
  list: [["x"], "x"],
  object: [{ x: 1 }, "x"],
  objectOrList: [["x"], "x"],
  objectOrText: ["x", 7],
  flagOrText: ["x", 7],
  textOrTemplates: ["x", 7],
  addedToken: ["<s>", 7],
};

/** Each table, with a way to put a value under one of its keys. */
const tables: [string, readonly KeyRow[], (key: string, value: unknown) => Files][] = [
  ["tokenizer_config.json", configKeys, (key, value) => ({ config: { [key]: value } })],
  ["special_tokens_map.json", mapKeys, (key, value) => ({ specialTokensMap: { [key]: value } })],
  ["tokenizer.json", fileKeys, (key, value) => ({ file: { ...file(), [key]: value } })],
  ["tokenizer.json's model", modelKeys, (key, value) => ({ file: { ...file(), model: { ...file().model, [key]: value } } })],
];

describe.each(tables)("%s", (name, rows, put) => {
  test("has a row per key once", () => {
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  });

  test.each(rows)("$key: $role, of its kind", ({ key, kind, role }) => {
    const [odd, wrong] = samples[kind]!;
    expect(() => read(put(key, wrong)), "another kind").toThrow(`${key} is `);
    if (role === "harmless") {
      expect(read(put(key, odd))).toEqual(read());
      expect(read(put(key, null))).toEqual(read());
    }
    if (role === "refused") {
      expect(() => read(put(key, kind === "number" ? 0.5 : odd))).toThrow(new RegExp(`${key} is .*, but `));
      expect(read(put(key, null))).toEqual(read());
    }
  });

  test("a key without a row is named", () => {
    const files = put("new_thing", 1);
    if (name.startsWith("tokenizer.json"))
      expect(() => read(files)).toThrow('"new_thing" is a key that cria does not know: it is of another format');
    else
      expect(read(files).warnings).toEqual([
        `[tokenizer.json] ${name}: "new_thing" is a key that cria does not know: the tokenizer is opened without regard to it`,
      ]);
  });
});

test("neutral values of refused keys are as if they were not there", () => {
  const neutral = {
    ...{ split_special_tokens: false, sp_model_kwargs: {}, init_inputs: [], auto_map: {}, fast_tokenizer_files: [], errors: "replace" },
    ...{ fix_mistral_regex: false, do_lower_case: false, remove_space: false, suffix_first: false },
    clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: false,
  };
  expect(Object.keys(neutral).sort()).toEqual(
    configKeys
      .filter(({ role }) => role === "refused")
      .map(({ key }) => key)
      .sort(),
  );
  expect(read({ config: neutral })).toEqual(read());
  const whole = {
    ...file(),
    version: "1.0",
    model: { ...file().model, dropout: 0, continuing_subword_prefix: "", end_of_word_suffix: "" },
  };
  expect(read({ file: whole })).toEqual(read());
});

describe("honoured keys", () => {
  test("roles, as strings and as objects; an empty name is none", () => {
    const token = { __type: "AddedToken", content: "</s>", lstrip: false, normalized: false, rstrip: false, single_word: false };
    expect(read({ config: { bos_token: token, eos_token: "<s>" } }).found).toMatchObject({ bosId: 2, eosId: 1 });
    expect(read({ specialTokensMap: { bos_token: "</s>" } }).found).toMatchObject({ bosId: 2 });
    expect(read({ config: { bos_token: "", eos_token: null } })).toEqual(read());
  });

  // Alpaca's fine-tunes of LLaMA 1 have such a map; every release of transformers since 4.28 takes it, unless added_tokens_decoder is there.
  test("where the two files name different tokens one counts as in transformers, and a warning names both", () => {
    const files = { config: { bos_token: "<s>", eos_token: "</s>" }, specialTokensMap: { bos_token: "</s>", eos_token: "</s>" } };
    const byMap = read(files);
    expect(byMap.found).toMatchObject({ bosId: 2, eosId: 2 });
    expect(byMap.warnings).toEqual([
      '[tokenizer.json] tokenizer_config.json: bos_token is "<s>", but special_tokens_map.json says "</s>", which counts: the tokenizer is opened without regard to it',
    ]);
    const byConfig = read({ ...files, config: { ...files.config, added_tokens_decoder: {} } });
    expect(byConfig.found).toMatchObject({ bosId: 1, eosId: 2 });
    expect(byConfig.warnings).toEqual([
      '[tokenizer.json] special_tokens_map.json: bos_token is "</s>", but tokenizer_config.json says "<s>", which counts: the tokenizer is opened without regard to it',
    ]);
  });

  test.each([
    [{ add_bos_token: true, add_eos_token: false }, []],
    [{ add_eos_token: true }, ["add_eos_token is true, but tokenizer.json's post_processor puts none"]],
    [{ add_bos_token: false }, ["add_bos_token is false, but tokenizer.json's post_processor puts one"]],
  ])("where the template says otherwise, it counts and a warning says so: %j", (config, complaints) => {
    const document = {
      ...file(),
      post_processor: {
        ...{ type: "TemplateProcessing", single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }] },
        ...{ pair: [], special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } } },
      },
    };
    const { found, warnings } = read({ file: document, config: { tokenizer_class: "LlamaTokenizer", ...config } });
    expect(found.template).toEqual({ before: [1], after: [] });
    expect(warnings).toEqual(
      complaints.map((text) => `[tokenizer.json] tokenizer_config.json: ${text}: what the post_processor says counts`),
    );
  });

  test("tokens that tokenizer.json does not have come behind its pieces, once each", () => {
    const config = {
      ...{ pad_token: "[PAD]", sep_token: "[S]", cls_token: "[S]", mask_token: "<s>", prefix_token: "[P]", add_prefix_token: true },
      ...{
        additional_special_tokens: ["[A]"],
        extra_special_tokens: { x: "[B]" },
        model_specific_special_tokens: { y: { content: "[C]" } },
      },
    };
    const { found, warnings } = read({ config });
    expect(found.pieces.slice(262)).toEqual(["[PAD]", "[S]", "[P]", "[A]", "[B]", "[C]"]);
    expect(found).toMatchObject({ padId: 262, specials: [0, 1, 2, 262, 263, 264, 265, 266, 267] });
    expect(warnings).toEqual([expect.stringContaining('"add_prefix_token" is a key that cria does not know')]);
  });

  const added = (flags: object) => ({ added_tokens_decoder: { 262: { content: "[X]", ...flags } } });

  test("added_tokens_decoder brings tokens, and its flags count before tokenizer.json's", () => {
    const { found } = read({ config: added({ special: false, lstrip: true, normalized: false }) });
    expect(found).toMatchObject({ added: [262], matching: [{ id: 262, lstrip: true }] });
    const flags = { single_word: false, lstrip: true, rstrip: false, normalized: false, special: false };
    const document = { ...file(), added_tokens: [...file().added_tokens, { id: 262, content: "[X]", ...flags }] };
    expect(read({ file: document, config: added(flags) }).found).toEqual(found);
    const other = read({ file: document, config: added({ ...flags, lstrip: false, rstrip: true }) });
    expect(other.found).toMatchObject({ added: [262], matching: [{ id: 262, rstrip: true }] });
    expect(other.warnings).toEqual([
      "[tokenizer.json] tokenizer.json: lstrip of added token 262 is true, but false in tokenizer_config.json's added_tokens_decoder, which counts; " +
        "rstrip of added token 262 is false, but true in tokenizer_config.json's added_tokens_decoder, which counts: the tokenizer is opened without regard to it",
    ]);
    expect(() => read({ file: document, config: { added_tokens_decoder: { 262: { content: "[Y]", ...flags } } } })).toThrow(
      'content of added token 262 is "[X]", but "[Y]" in tokenizer_config.json\'s added_tokens_decoder',
    );
    expect(() => read({ config: { added_tokens_decoder: { 5: { content: "<s>" } } } })).toThrow(
      '"<s>" has the id 1 in the vocabulary but 5 as an added token of tokenizer_config.json',
    );
    expect(() => read({ config: { added_tokens_decoder: { x: { content: "<s>" } } } })).toThrow(
      'added_tokens_decoder has "x", which is no id',
    );
  });

  test("added_tokens.json brings tokens, of which those that play a part are special", () => {
    const { found } = read({ config: { pad_token: "[PAD]" }, addedTokens: { "[X]": 262, "[PAD]": 263, "<s>": 1 } });
    expect(found.pieces.slice(262)).toEqual(["[X]", "[PAD]"]);
    expect(found).toMatchObject({ added: [262], specials: [0, 1, 2, 263], padId: 263, matching: [{ id: 262, normalized: true }] });
    expect(() => read({ addedTokens: { "[X]": 1 } })).toThrow(
      'added token 1 is "<s>", but "[X]" in added_tokens.json: correct one of them',
    );
    expect(() => read({ addedTokens: { a: 262 } })).toThrow(
      '"a" has the id 260 in the vocabulary but 262 as an added token of added_tokens.json',
    );
    expect(() => read({ addedTokens: { "[X]": "262" } })).toThrow('the id of "[X]" must be an id, but it is the string "262"');
  });

  test("unk_token, where the model names none", () => {
    const silent = { ...file(), model: { ...file().model, unk_token: null } };
    expect(read({ file: silent, config: { unk_token: "<s>" } }).found.unkId).toBe(1);
    expect(read({ file: silent, specialTokensMap: { unk_token: "<s>" } }).found.unkId).toBe(1);
    expect(read({ file: silent }).found.unkId).toBe(undefined);
    expect(() => read({ file: { ...file(), model: { ...file().model, unk_token: "[U]" } } })).toThrow(
      'model.unk_token is "[U]", which is not in the vocabulary',
    );
  });

  test("add_prefix_space must be what tokenizer.json does", () => {
    expect(read({ config: { add_prefix_space: true } })).toEqual(read());
    expect(() => read({ config: { add_prefix_space: false } })).toThrow(
      "it puts a space in front of a text, but tokenizer_config.json has add_prefix_space false: correct one of them",
    );
  });
});

describe("parts of tokenizer.json", () => {
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false };
  const withMetaspace = (more: object) => ({ ...file(), normalizer: null, pre_tokenizer: { ...metaspace, ...more } });

  test.each<[string, unknown, string | RegExp]>([
    ["a key that they do not have", withMetaspace({ speed: 1 }), 'pre_tokenizer, a "Metaspace", has "speed", which cria does not know'],
    ["a flag of another kind", withMetaspace({ split: "no" }), 'pre_tokenizer\'s split must be true or false, but it is the string "no"'],
    ["two schemes that disagree", withMetaspace({ add_prefix_space: false }), /pre_tokenizer .* is not supported/],
    ["a part without a type", withMetaspace({ type: undefined }), "pre_tokenizer.type must be a string, but it is nothing"],
    ["a decoder's key", { ...file(), decoder: { type: "Fuse", x: 1 } }, 'decoder, a "Fuse", has "x", which cria does not know'],
  ])("%s", (_name, document, message) => {
    expect(() => read({ file: document })).toThrow(message);
  });

  test("null is absence", () => {
    const nulls = {
      ...withMetaspace({ add_prefix_space: null }),
      truncation: null,
      padding: null,
      post_processor: null,
      added_tokens: null,
    };
    expect(read({ file: nulls }).found).toMatchObject({ kind: "sentencepiece", dummyPrefix: "first", specials: [] });
  });
});

test.each(["constructor", "toString", "__proto__", "hasOwnProperty"])(
  "a part of the type %s, which every object has, is refused as any other",
  (type) => {
    for (const place of ["normalizer", "pre_tokenizer", "post_processor", "decoder"])
      expect(() => read({ file: { ...file(), [place]: { type, a: 1 } } })).toThrow(/^\[tokenizer\.json\] .*is not supported/);
  },
);
