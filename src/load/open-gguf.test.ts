// GGUF files as models: which files are opened, and what is read from them beside the config.
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testGguf } from "../formats/gguf-file.test.helper.ts";
import { type GgufValue, ggufTokenizerPairs, tokenizerJson } from "../formats/index.ts";
import { parameterRows } from "../model/index.ts";
import { trainTokenizer } from "../tokenizer/index.ts";
import { openAnyTokenizer, openModel } from "./index.ts";
import { tinyChatGguf, tinyGguf, tinyGgufTensors } from "./tiny-gguf.test.helper.ts";
import { tinyChatTokenizer, tinyConfig, withFolder, writeTinyBin } from "./tiny-model.test.helper.ts";

async function withGguf<T>(bytes: Uint8Array, act: (path: string) => Promise<T>, name = "tiny.gguf"): Promise<T> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, name), bytes);
    return act(join(folder, name));
  });
}

test("config, parameters and tokenizer are those of the same model as llama2.c's .bin", async () => {
  await withGguf(tinyGguf(), async (path) => {
    await using model = await openModel(path);
    await withFolder(async (folder) => {
      await using bin = await openModel(await writeTinyBin(folder));
      expect(model.config).toEqual(bin.config);
      for (const row of parameterRows(model.config)) expect(await model.weights.read(row)).toEqual(await bin.weights.read(row));
      const [ours, theirs] = [await model.openTokenizer(), await bin.openTokenizer()];
      expect([...ours.encode("ab ba")]).toEqual([...theirs.encode("ab ba")]);
    });
    expect([model.format, model.warnings]).toEqual(["GGUF", []]);
    expect(model.tensors.tensors.has("blk.0.attn_q.weight")).toBe(true);
  });
});

test("a file of any name is what its first bytes say, and a folder that holds one is that model", async () => {
  await withGguf(
    tinyGguf(),
    async (path) => {
      await using model = await openModel(path);
      expect(model.format).toBe("GGUF");
      await rename(path, `${path}.gguf`);
      await using folder = await openModel(join(path, ".."));
      expect([folder.format, folder.path]).toEqual(["GGUF", join(path, "..")]);
      await writeFile(join(path, "..", "other.gguf"), tinyGguf());
      await expect(openModel(join(path, ".."))).rejects.toThrow(
        "it has several models, other.gguf, sha256-0a.gguf: name one of these files",
      );
    },
    "sha256-0a",
  );
});

/** The model in three files, the first without tensors. */
function parts(changes: (part: number) => Readonly<Record<string, GgufValue | undefined>> = () => ({})): Uint8Array[] {
  const tensors = tinyGgufTensors();
  const heads = [0, 1, 2].map((part): Record<string, GgufValue | undefined> => {
    const split = { "split.no": u16(part), "split.count": u16(3), "split.tensors.count": { type: "i32", value: tensors.length } as const };
    return { ...split, ...changes(part) };
  });
  const inPart = (from: number, to: number) => tensors.slice(from, to);
  return [
    tinyGguf(heads[0], []),
    testGguf({ pairs: defined(heads[1]!), tensors: inPart(0, 9) }),
    testGguf({ pairs: defined(heads[2]!), tensors: inPart(9, tensors.length) }),
  ];
}

function u16(value: number): GgufValue {
  return { type: "u16", value };
}

function defined(pairs: Readonly<Record<string, GgufValue | undefined>>): [string, GgufValue][] {
  return Object.entries(pairs).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
}

const partName = (part: number, count = 3) => `tiny-0000${part + 1}-of-0000${count}.gguf`;

async function withParts<T>(files: readonly Uint8Array[], act: (folder: string) => Promise<T>, name = partName): Promise<T> {
  return withFolder(async (folder) => {
    for (const [part, bytes] of files.entries()) await writeFile(join(folder, name(part)), bytes);
    return act(folder);
  });
}

test("a split file opens by any of its parts, and by its folder", async () => {
  await withParts(parts(), async (folder) => {
    for (const file of [partName(0), partName(2), ""]) {
      await using model = await openModel(join(folder, file));
      expect(model.config).toEqual(tinyConfig);
      expect((await model.openTokenizer()).vocabSize).toBe(tinyConfig.vocabSize);
      expect(await model.weights.read(parameterRows(model.config).at(-1)!)).toHaveLength(16);
    }
    await rm(join(folder, partName(1)));
    await expect(openModel(join(folder, partName(0)))).rejects.toThrow(`${partName(1)}: no such file`);
  });
});

test.each<[string, Uint8Array[], ((part: number) => string) | undefined, string]>([
  [
    "parts that changed places",
    parts((part) => (part === 0 ? {} : { "split.no": u16(3 - part) })),
    undefined,
    `${partName(1)}: by its metadata it is part 3 of 3, by its name 2 of 3`,
  ],
  [
    "another count than the names",
    parts(() => ({ "split.count": u16(4) })),
    undefined,
    "it is one of 4 files, but its name does not end in -00001-of-00004.gguf",
  ],
  ["names of its own", parts(), (part) => `${"abc"[part]}.gguf`, "it is one of 3 files, but its name does not end in -00001-of-00003.gguf"],
  [
    "another count of tensors",
    parts(() => ({ "split.tensors.count": u16(21) })),
    undefined,
    "its model has 21 tensors by split.tensors.count, but its 3 files have 20",
  ],
  [
    "a part without its number",
    parts((part) => (part === 2 ? { "split.no": undefined } : {})),
    undefined,
    `${partName(2)}: by its metadata it is no part, by its name 3 of 3`,
  ],
  [
    "a count that is a text",
    parts((part) => (part === 0 ? { "split.count": { type: "text", value: "3" } } : {})),
    undefined,
    "split.count must be a whole number",
  ],
])("a split file with %s is refused", async (_, files, name, message) => {
  await withParts(files, async (folder) => expect(openModel(join(folder, (name ?? partName)(0)))).rejects.toThrow(message), name);
});

test("a tensor that two parts have is refused", async () => {
  const files = parts();
  const twice = testGguf({
    pairs: [
      ["split.no", u16(2)],
      ["split.count", u16(3)],
    ],
    tensors: tinyGgufTensors().slice(8),
  });
  await withParts([...files.slice(0, 2), twice], async (folder) =>
    expect(openModel(join(folder, partName(0)))).rejects.toThrow(
      /tiny-00003-of-00003\.gguf: its tensor "\S+" is in .*tiny-00002-of-00003\.gguf, too/,
    ),
  );
});

test("a file cut short says that its download is incomplete", async () => {
  await withGguf(tinyGguf().slice(0, -100), async (path) => expect(openModel(path)).rejects.toThrow("the download is incomplete"));
});

test("a vocabulary without tensors is a tokenizer and no model", async () => {
  await withGguf(tinyGguf({}, []), async (path) => {
    await expect(openModel(path)).rejects.toThrow("it holds a vocabulary and no tensors: it is a tokenizer, name a file with a model");
    expect((await openAnyTokenizer(path)).vocabSize).toBe(tinyConfig.vocabSize);
  });
});

test("templates by name, and all ends: those that keys name, and pieces known by their spelling", async () => {
  const over = tinyChatTokenizer.pieces.indexOf("<|over|>");
  const id = (value: number): GgufValue => ({ type: "u32", value });
  const pieces = tinyChatTokenizer.pieces.with(264, "<|eot_id|>");
  const ends = { "tokenizer.ggml.eot_token_id": id(over), "tokenizer.ggml.eom_token_id": id(7) };
  const named = { "tokenizer.chat_template.tool_use": { type: "text", value: "{{ tools }}" } } as const;
  const known = { "tokenizer.ggml.tokens": { type: "array", value: { type: "text", values: pieces } } } as const;
  await withGguf(tinyChatGguf({ ...ends, ...named }), async (path) => {
    await using model = await openModel(path);
    const { templates, endOfTurn } = await model.openChat(await model.openTokenizer());
    expect([[...templates.keys()].sort(), [...endOfTurn].sort((a, b) => a - b)]).toEqual([
      ["default", "tool_use"],
      [2, 7, over],
    ]);
  });
  await withGguf(tinyChatGguf(known), async (path) => {
    await using model = await openModel(path);
    const { endOfTurn } = await model.openChat(await model.openTokenizer());
    expect(endOfTurn).toContain(264);
  });
});

test("its template and its ends stay the model's with a tokenizer from elsewhere", async () => {
  await withGguf(tinyChatGguf({ "tokenizer.ggml.eom_token_id": { type: "u32", value: 7 } }), async (path) => {
    await withFolder(async (folder) => {
      const other = join(folder, "other.json");
      await writeFile(other, JSON.stringify(tokenizerJson(tinyChatTokenizer)));
      await using model = await openModel(path);
      const { templates, endOfTurn } = await model.openChat(await model.openTokenizer(other), other);
      expect([...templates.keys()]).toEqual(["default"]);
      expect(endOfTurn).toContain(7);
    });
  });
});

test("where keys are absent SentencePiece's kind has begin-of-text and a space in front, and byte-level has neither and says that pre is missing", async () => {
  const absent = { "tokenizer.ggml.add_bos_token": undefined, "tokenizer.ggml.add_space_prefix": undefined };
  await withGguf(tinyGguf(absent), async (path) => {
    await using model = await openModel(path);
    const tokenizer = await model.openTokenizer();
    expect(tokenizer.model.template?.before).toEqual([1]);
    expect(Array.from(tokenizer.encode("a"), (id) => tokenizer.idToPiece(id))).toEqual(["▁a"]);
  });
  const bytes = await trainTokenizer(["a b ab abab babab baba abba bababab"], { kind: "bytes", vocabSize: tinyConfig.vocabSize });
  const pairs = { ...Object.fromEntries(ggufTokenizerPairs(bytes)), ...absent, "tokenizer.ggml.pre": undefined };
  const warnings: string[] = [];
  await withGguf(tinyGguf(pairs), async (path) => {
    await using model = await openModel(path);
    const tokenizer = await model.openTokenizer(undefined, (warning) => warnings.push(warning));
    expect(tokenizer.model.template).toBe(undefined);
    expect(tokenizer.decode(tokenizer.encode("a"))).toBe("a");
  });
  expect(warnings.join()).toContain('it has no tokenizer.ggml.pre, which says how a text is cut into words, and is read as "default"');
});

test("how its makers would have it sampled", async () => {
  const keys = {
    "general.sampling.temp": { type: "f32", value: Math.fround(0.6) },
    "general.sampling.top_k": { type: "i32", value: 20 },
  } as const;
  await withGguf(tinyGguf({ ...keys, "general.sampling.mirostat": { type: "i32", value: 1 } }), async (path) => {
    await using model = await openModel(path);
    expect(model.generation).toEqual({ temperature: 0.6, topK: 20 });
    expect(model.warnings).toEqual([
      expect.stringContaining("it would have texts sampled by general.sampling.mirostat, which cria does not follow"),
    ]);
  });
  await withGguf(tinyGguf({ "general.sampling.top_p": { type: "f32", value: 1.5 } }), async (path) =>
    expect(openModel(path)).rejects.toThrow("general.sampling.top_p is 1.5, but must be a number above 0 and at most 1"),
  );
});
