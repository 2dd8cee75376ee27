import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import { variedTexts } from "../tokenizer/conformance.ts";
import type { CommandIo, Flags } from "./command.ts";
import { tokenizerCommand } from "./tokenizer.ts";

let folder = "";
let corpus = "";
let trained = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-tokenizer-"));
  corpus = join(folder, "corpus.txt");
  trained = join(folder, "tokenizer.json");
  await writeFile(corpus, variedTexts.join("\n").replaceAll("\0", "").repeat(20));
  await run("train", [corpus], { kind: "bytes", "vocab-size": 400, out: trained });
});

afterAll(() => rm(folder, { recursive: true }));

async function run(
  name: string,
  args: readonly string[],
  flags: Flags,
  { json = false, stdin = "" as string | Uint8Array, code = 0 } = {},
) {
  let stdout = "";
  const input = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const io: CommandIo = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: () => undefined,
    json,
    began: 0,
    caller: { cria: "cria", demo: "cria demo" },
    width: 80,
    colours: false,
    stdin: () => Promise.resolve(input),
    stdinChunks: async function* () {
      for (let at = 0; at < input.length; at++) yield input.subarray(at, at + 1);
    },
    signal: new AbortController().signal,
    progress: () => undefined,
  };
  const command = await tokenizerCommand.commands.find((found) => found.name === name)!.load();
  expect(await command.run(args, flags, io)).toBe(code);
  return stdout;
}

test("train, encode, decode: the text comes back", async () => {
  const text = "Hello,  wörld 🦙\n";
  for (const flags of [
    { kind: "sentencepiece", "character-coverage": 0.99 },
    { kind: "bytes", pattern: "gpt2", "split-digits": true },
  ]) {
    const out = join(folder, `${flags.kind}.json`);
    expect(await run("train", [corpus, corpus], { ...flags, "vocab-size": 550, out })).toMatch(/550 pieces, \d+ merges/);
    const ids = await run("encode", [out, text], {});
    expect(await run("decode", [out, ...ids.trim().split(" ")], {})).toBe(`${text}\n`);
    expect(await run("decode", [out], {}, { stdin: ids })).toBe(`${text}\n`);
    expect(JSON.parse(await run("decode", [out, ids.trim()], {}, { json: true }))).toEqual({ text });
  }
});

test("a folder gets tokenizer.json and its configuration, and is a tokenizer then", async () => {
  const out = await mkdtemp(join(folder, "run-"));
  const summary = JSON.parse(await run("train", [corpus], { kind: "word", "vocab-size": 400, "max-merges": 20, out }, { json: true }));
  expect(summary).toMatchObject({ kind: "word", merges: 20, out: join(out, "tokenizer.json") });
  expect((await readdir(out)).sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  expect(await run("encode", [out, "a b"], {})).toMatch(/^[\d ]+\n$/);
});

test("what a training was asked for stands in tokenizer_config.json, and the tokenizer opens with it", async () => {
  const out = await mkdtemp(join(folder, "asked-"));
  await run("train", [corpus], { kind: "bytes", "vocab-size": 300, ties: "greater-pair", out });
  const { training } = JSON.parse(await readFile(join(out, "tokenizer_config.json"), "utf8"));
  expect(training).toEqual({ kind: "bytes", vocabSize: 300, ties: "greater-pair", splitDigits: false });
  expect(await run("encode", [out, "a b"], {})).toMatch(/^[\d ]+\n$/);
});

test("a tokenizer.model holds the scores of SentencePiece's modes, and its ids are those of the tokenizer.json", async () => {
  const [model, json] = [join(folder, "spm.model"), join(folder, "spm.json")];
  for (const mode of ["spm", "spm-0.1.97"]) {
    for (const out of [model, json])
      await run("train", [corpus], { kind: "sentencepiece", mode, "character-coverage": 0.99, "vocab-size": 550, out });
    for (const text of variedTexts) expect(await run("encode", [model, text], {})).toBe(await run("encode", [json, text], {}));
  }
  expect((await readFile(model)).subarray(0, 9)).toEqual(Buffer.from("\n\x0e\n\x05<unk>", "latin1"));
});

test("encode reads standard input as bytes and shows pieces", async () => {
  const text = await run("encode", [trained, "-"], { pieces: true, bos: true }, { stdin: Uint8Array.of(0xff, 0x61) });
  expect(text.split("\n").slice(0, 3)).toEqual(['398\t"<|begin_of_text|>"', '255\t"ÿ"', '97\t"a"']);
  expect(JSON.parse(await run("encode", [trained], { pieces: true }, { json: true, stdin: "a" }))).toEqual({ ids: [97], pieces: ["a"] });
});

test("encode puts around a text what the tokenizer says, when asked", async () => {
  const ids = async (flags: Flags, text = "a") => (await run("encode", [trained, text], flags)).trim();
  expect(await ids({})).toBe("97");
  expect(await ids({ template: true })).toBe("398 97");
  expect(await ids({ template: true, bos: true, eos: true })).toBe("398 97 399");
  expect(await ids({ template: true, special: true }, "<|begin_of_text|>a")).toBe("398 97");
});

test("inspect tells what the tokenizer holds and how it fits a text", async () => {
  const facts = JSON.parse(await run("inspect", [trained], { text: corpus }, { json: true }));
  expect(facts).toMatchObject({ kind: "bytes", vocabSize: 400, merges: 142, bosId: 398, pattern: "llama3" });
  expect(facts.text.bytesPerToken).toBeGreaterThan(1);
  const text = await run("inspect", [trained], { text: corpus });
  expect(text).toMatch(/^kind {12}bytes\npieces {10}400\nmerges {10}142\nsplit pattern {3}llama3\n/);
  expect(text).toContain('begin of text   "<|begin_of_text|>" (398)\n');
  expect(text).toMatch(/\nunknown {9}none\n/);
  expect(text).toMatch(/\ntext {12}.*corpus\.txt: [\d,]+ bytes in [\d,]+ tokens, \d+\.\d\d bytes per token\n$/);
});

test("every form of text is learned from, markup of none; --out makes its folders", async () => {
  const texts = join(folder, "forms");
  await mkdir(texts);
  const words = (name: string) => `${name} only says plain words`;
  await writeFile(join(texts, "a.txt"), `${words("text")}\r\n`);
  await writeFile(join(texts, "b.jsonl.gz"), gzipSync(`${JSON.stringify({ body: words("lines"), secret: "zzzz" })}\n`));
  await writeFile(join(texts, "c.csv"), `secret,body\nzzzz,${words("table")}\n`);
  await writeFile(join(texts, "d.html"), `<body class="zzzz"><p>${words("page")}</p></body>`);
  await writeFile(join(texts, ".hidden.txt"), "zzzz");
  const out = join(folder, "made", "deep", "tokenizer.json");
  const flags = { kind: "sentencepiece", "vocab-size": 300, field: "body", out };
  expect(await run("train", [texts], flags)).toMatch(/300 pieces/);
  const { model } = JSON.parse(await readFile(out, "utf8"));
  const characters = Object.keys(model.vocab).filter((piece) => /^[a-z]$/.test(piece));
  expect(characters.sort().join("")).toBe("abdegilnoprstwxy"); // those of the words, so no z
  const inDirectory = join(folder, "made", "folder/");
  expect(await run("train", [join(texts, "*.{txt,html}")], { ...flags, field: undefined, out: inDirectory })).toMatch(/300 pieces/);
  expect((await readdir(inDirectory)).sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  await expect(run("train", [join(texts, "a.txt")], flags)).rejects.toThrow(/field is "body", but .*a\.txt is read as text/);
});

test("convert writes every form, and compare finds the same ids", async () => {
  const model = join(folder, "sp.json");
  await run("train", [corpus], { kind: "sentencepiece", "vocab-size": 550, out: model });
  for (const name of ["sp.model", "sp.gguf", "made/again.json", "folder/"]) {
    const out = join(folder, name);
    const facts = JSON.parse(await run("convert", [model, out], {}, { json: true }));
    expect(facts).toMatchObject({ kind: "sentencepiece", vocabSize: 550, form: /\/$/.test(name) ? "json" : name.split(".").at(-1) });
    expect(await run("compare", [model, out, corpus], {})).toMatch(/^the same ids: [\d,]+ tokens of [\d,]+ bytes\n$/);
  }
  expect((await readdir(join(folder, "folder"))).sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  expect(await run("convert", [trained, join(folder, "x.gguf")], {})).toMatch(
    /x\.gguf: 400 pieces as a GGUF with the vocabulary and no tensors\n$/,
  );
});

test("convert replaces no file of the tokenizer that it reads", async () => {
  const own = join(folder, "own");
  const made = await run("convert", [trained, `${own}/`], {});
  expect(made).toMatch(/400 pieces/);
  const file = join(own, "tokenizer.json");
  const before = await readFile(file, "utf8");
  for (const pair of [
    [file, file],
    [file, own],
    [own, own],
    [own, join(own, ".", "tokenizer.json")],
    [file, join(own, "..", "own", "tokenizer.json")],
  ])
    await expect(run("convert", pair, {})).rejects.toThrow(/OUT is .*tokenizer\.json, a file of the tokenizer .* itself/);
  expect(await readFile(file, "utf8")).toBe(before);
  expect(await run("convert", [own, join(own, "beside.json")], {})).toMatch(/400 pieces/);
});

test("ranks of a kind that is not known are read with what is said of them", async () => {
  const ranks = join(folder, "x.tiktoken");
  await run("convert", [trained, ranks], {});
  const flags = {
    pattern: ["llama3"],
    special: ["<|begin_of_text|>", "<|end_of_text|>"],
    bos: "<|begin_of_text|>",
    eos: "<|end_of_text|>",
  };
  const out = join(folder, "ranks.json");
  await run("convert", [ranks, out], flags);
  expect(await run("compare", [trained, out, corpus], { special: true, template: true })).toMatch(/^the same ids/);
  await expect(run("encode", [ranks, "a"], {})).rejects.toThrow(/it has 398 ranks, and no known kind has so many/);
});

test("compare shows the first difference with ids and pieces of both, and ends with 1", async () => {
  const other = join(folder, "other.json");
  const file = JSON.parse(await readFile(trained, "utf8"));
  file.model.merges = file.model.merges.slice(0, 40);
  await writeFile(other, JSON.stringify(file));
  const text = join(folder, "short.txt");
  await writeFile(text, "a\nb");
  expect(await run("compare", [trained, other, text], {})).toMatch(/^the same ids: 3 tokens of 3 bytes/);
  const found = JSON.parse(await run("compare", [trained, other, text, corpus], {}, { json: true, code: 1 }));
  expect(found).toMatchObject({ same: false, text: corpus });
  expect(found.a.pieces[0]).not.toBe(found.b.pieces[0]);
  expect(found.a.pieces.join("").startsWith(found.b.pieces[0])).toBe(true);
  expect((await readFile(corpus, "utf8")).includes(found.before + found.behind)).toBe(true);
  const shown = await run("compare", [trained, other, corpus], {}, { code: 1 });
  expect(shown).toMatch(/corpus\.txt: token \d+ differs, behind ".*" at ".*"\nA {2}\d+ ".*"\nB {2}\d+ ".*"\n$/);
});

test("text that is not UTF-8 is refused with its place", async () => {
  const path = join(folder, "latin1.txt");
  await writeFile(path, Buffer.concat([Buffer.from("line\n".repeat(300_000)), Buffer.from("caf\xe9 au lait\n", "latin1")]));
  const training = run("train", [path], { kind: "bytes", "vocab-size": 300, out: join(folder, "never.json") });
  await expect(training).rejects.toThrow(/latin1\.txt: byte 0xe9 at offset 1500003 begins no UTF-8 character/);
  expect(await readdir(folder)).not.toContain("never.json");
});

test.each<[string, string, string[], Flags, RegExp]>([
  ["an unknown kind", "train", ["x"], { kind: "byte", "vocab-size": 300, out: "x" }, /unknown kind "byte", did you mean "bytes"\? one of/],
  [
    "a flag of another kind",
    "train",
    ["x"],
    { kind: "word", "vocab-size": 3, out: "x", pattern: "gpt2" },
    /--pattern does not go with --kind word/,
  ],
  [
    "an unknown pattern",
    "train",
    ["x"],
    { kind: "bytes", "vocab-size": 3, out: "x", pattern: "gpt9" },
    /unknown pattern "gpt9", did you mean "gpt2"\?/,
  ],
  ["an unknown rule for ties", "train", ["x"], { kind: "word", "vocab-size": 3, out: "x", ties: "smallest" }, /unknown ties "smallest"/],
  [
    "an unknown mode",
    "train",
    ["x"],
    { kind: "sentencepiece", "vocab-size": 3, out: "x", mode: "spn" },
    /unknown mode "spn", did you mean "spm"\?/,
  ],
  [
    "ties that a mode has not",
    "train",
    ["x"],
    { kind: "sentencepiece", "vocab-size": 3, out: "x", mode: "spm", ties: "greater-pair" },
    /--ties greater-pair does not go with --mode spm/,
  ],
  [
    "a form that another kind has",
    "train",
    ["x"],
    { kind: "bytes", "vocab-size": 300, out: "x.model" },
    /x\.model is SentencePiece's form, which holds no --kind bytes/,
  ],
  ["a size that is none", "train", ["x"], { kind: "bytes", "vocab-size": -5, out: "x" }, /--vocab-size is -5 but must be an integer/],
  [
    "a share above 1",
    "train",
    ["x"],
    { kind: "sentencepiece", "vocab-size": 300, "character-coverage": 7, out: "x" },
    /--character-coverage is 7 but must be above 0 and at most 1/,
  ],
  ["nothing to write", "convert", ["x"], {}, /OUT is missing/],
  [
    "an ending that says no form",
    "convert",
    ["x", "y.txt"],
    {},
    /y\.txt: its ending says no form: let it end in one of \.json, \.model, \.gguf, \.tiktoken, or in \/ for a folder, or say --to/,
  ],
  [
    "a folder without its slash",
    "train",
    ["x"],
    { kind: "bytes", "vocab-size": 300, out: "tok/mine" },
    /--out tok\/mine: its ending says no form: let it end in \.json or \.model, or in \/ for a folder/,
  ],
  ["a form that is none", "convert", ["x", "y"], { to: "ggfu" }, /--to is "ggfu", did you mean "gguf"\?/],
  ["ranks without a pattern", "convert", ["x", "y.json"], { bos: "<s>" }, /--bos says what goes with ranks, but no pattern does/],
  [
    "a role that is not special",
    "convert",
    ["x", "y.json"],
    { pattern: ["gpt2"], bos: "<s>" },
    /--bos is "<s>", which is no special piece/,
  ],
  ["one tokenizer", "compare", ["x"], {}, /A and B are needed/],
  ["no texts to compare on", "compare", ["x", "y"], {}, /no texts: name files/],
  ["two tokenizers", "inspect", ["a", "b"], {}, /"b" is one too many/],
  ["no size", "train", ["x"], { kind: "bytes", out: "x" }, /--vocab-size is missing/],
  ["no files", "train", [], { kind: "bytes", "vocab-size": 300, out: "x.json" }, /no texts: name files/],
  [
    "a form that is none",
    "train",
    ["x"],
    { kind: "bytes", "vocab-size": 300, out: "x", format: "cvs" },
    /--format is "cvs", did you mean "csv"\?/,
  ],
  [
    "a key without a text",
    "inspect",
    ["x"],
    { field: "body" },
    /--field says how texts are read, but none is given: add --text FILE, or omit --field/,
  ],
  ["no tokenizer", "encode", [], {}, /TOKENIZER is missing/],
])("wrong usage: %s", async (_name, command, args, flags, message) => {
  const running = run(command, args, flags);
  await expect(running).rejects.toThrow(message);
  await expect(running).rejects.toBeInstanceOf(UsageError);
});

test("missing and damaged files", async () => {
  const flags = { kind: "bytes", "vocab-size": 300 };
  await expect(run("train", [join(folder, "nowhere.txt")], { ...flags, out: trained })).rejects.toThrow(/nowhere\.txt: no such file/);
  await expect(run("train", [corpus], { ...flags, out: join(corpus, "where.json") })).rejects.toThrow(/corpus\.txt/);
  const whole = await readFile(trained);
  const cut = join(folder, "cut.json");
  await writeFile(cut, whole.subarray(0, whole.length / 2));
  await expect(run("encode", [cut, "x"], {})).rejects.toThrow(/cut\.json: its text is not JSON/);
  await expect(run("decode", [trained, "1.5"], {})).rejects.toThrow(/"1\.5" is no token id/);
  await expect(run("decode", [trained, "400"], {})).rejects.toThrow(/id 400 is outside the vocabulary of 400/);
});
