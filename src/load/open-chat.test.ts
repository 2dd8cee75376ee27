// Chat templates from folders and GGUF files.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chooseTemplate, encodeChat, renderChat } from "../chat/index.ts";
import { type GgufValue, ggufBytes, ggufTokenizerPairs, tokenizerJson } from "../formats/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { folderFiles } from "./folder-files.ts";
import { openAnyTokenizer, openChat } from "./index.ts";

const others = ["<|im_start|>", "<|im_end|>", "<|eot_id|>"];
const model = await trainTokenizer(["hello hello world"], {
  kind: "bytes",
  vocabSize: 264,
  pattern: "gpt2",
  specials: { bos: "<s>", eos: "</s>", others },
});
const own = createTokenizer(model);
const hi = [{ role: "user", content: "hi" }] as const;
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-chat-"));
  await write({ "tokenizer.json": tokenizerJson(model) });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  }
}

async function open(path = folder, modelSize?: number) {
  const tokenizer = await openAnyTokenizer(path);
  const { templates, endOfTurn } = await openChat(path, tokenizer, modelSize === undefined ? {} : { modelSize });
  const texts = Object.fromEntries(
    [...templates.keys()].map((name) => [name, renderChat(chooseTemplate(templates, false, name), hi).text]),
  );
  return { texts, ends: endOfTurn.map((id) => tokenizer.idToPiece(id)) };
}

test("a folder without any has none; its ends are the tokenizer's and those known by their spelling", async () => {
  expect(await open()).toEqual({ texts: {}, ends: ["</s>", "<|eot_id|>", "<|im_end|>"] });
});

test("tokenizer_config.json holds one, or several by name", async () => {
  await write({ "tokenizer_config.json": { chat_template: "one" } });
  expect((await open()).texts).toEqual({ default: "one" });
  await write({
    "tokenizer_config.json": {
      chat_template: [
        { name: "default", template: "a" },
        { name: "tool_use", template: "b" },
      ],
    },
  });
  expect((await open()).texts).toEqual({ default: "a", tool_use: "b" });
  await write({ "tokenizer_config.json": { chat_template: [{ name: "default" }] } });
  await expect(open()).rejects.toThrow("chat_template is an array, but must be a string or templates with names");
  const twice = ["x", "y"].map((template) => ({ name: "rag", template }));
  await write({ "tokenizer_config.json": { chat_template: twice } });
  await expect(open()).rejects.toThrow('chat_template has "rag" twice: remove the wrong one');
});

test("chat_template.jinja counts before tokenizer_config.json, and further ones stand in a folder", async () => {
  await write({
    "tokenizer_config.json": { chat_template: "old" },
    "chat_template.jinja": "new\n",
    "additional_chat_templates/rag.jinja": "r",
  });
  expect((await open()).texts).toEqual({ default: "new", rag: "r" });
});

test("ids that end a turn come from generation_config.json and config.json first", async () => {
  await write({ "generation_config.json": { eos_token_id: [own.pieceToId("<|im_end|>"), 5] }, "config.json": { eos_token_id: null } });
  expect((await open()).ends).toEqual(["<|im_end|>", own.idToPiece(5), "</s>", "<|eot_id|>"]);
  await write({ "generation_config.json": { eos_token_id: "x" } });
  await expect(open()).rejects.toThrow("eos_token_id");
});

test("a GGUF has its own, and names ids that end a turn", async () => {
  const text = (value: string) => ({ type: "text", value }) as const;
  const pairs = new Map<string, GgufValue>([
    ...ggufTokenizerPairs(model),
    ["tokenizer.chat_template", text("g{{ messages[0].content }}")],
    ["tokenizer.chat_template.tool_use", text("t")],
    ["tokenizer.ggml.eot_token_id", { type: "u32", value: own.pieceToId("<|im_start|>") ?? 0 }],
  ]);
  await writeFile(join(folder, "m.gguf"), ggufBytes(pairs));
  const { texts, ends } = await open(join(folder, "m.gguf"));
  expect(texts).toEqual({ default: "ghi", tool_use: "t" });
  expect(ends).toContain("<|im_start|>");
});

test("a template that cannot be read is told of, and its error is thrown where it is chosen", async () => {
  await write({ "chat_template.jinja": "{% if %}", "additional_chat_templates/rag.jinja": "r" });
  const tokenizer = await openAnyTokenizer(folder);
  const warnings: string[] = [];
  const { templates } = await openChat(folder, tokenizer, { onWarning: (warning) => warnings.push(warning) });
  const error = /chat_template\.jinja: the chat template default, line 1, column 7/;
  expect(warnings).toEqual([expect.stringMatching(error)]);
  expect(warnings[0]).toMatch(/: the model continues texts, but renders no chat by this template$/);
  expect(() => chooseTemplate(templates, false)).toThrow(error);
  const rag = chooseTemplate(templates, false, "rag");
  expect([renderChat(rag, hi).text, rag.name]).toEqual([
    "r",
    `${join(folder, "additional_chat_templates/rag.jinja")}: the chat template rag`,
  ]);
});

test("a model's templates serve a tokenizer that lies elsewhere and has none", async () => {
  await write({ "chat_template.jinja": "here", "elsewhere/tokenizer.json": tokenizerJson(model) });
  const elsewhere = join(folder, "elsewhere");
  const names = async () => {
    const { templates } = await openChat(elsewhere, own, { templatePlace: { files: folderFiles(folder), file: "tokenizer.json" } });
    return [...templates.keys()].map((name) => renderChat(chooseTemplate(templates, false, name), hi).text);
  };
  expect(await names()).toEqual(["here"]);
  await write({ "elsewhere/tokenizer_config.json": { chat_template: "there" } });
  expect(await names()).toEqual(["there"]);
});

test("what lies beside a file that is no tokenizer.json speaks of another one", async () => {
  await write({ "chat_template.jinja": "here", "vocabulary.json": tokenizerJson(model), "generation_config.json": { eos_token_id: 5 } });
  const { templates, endOfTurn } = await openChat(join(folder, "vocabulary.json"), own);
  expect([templates.size, endOfTurn.includes(5)]).toEqual([0, false]);
});

test("tokens that the model lacks are refused only where they are used", async () => {
  const size = own.pieceToId("<|im_start|>") ?? 0;
  await write({ "chat_template.jinja": "<|im_start|>{{ messages[0].content }}" });
  await expect(open(folder, size)).rejects.toThrow(`it uses token ${size} (<|im_start|>), but the model has ${size} tokens`);
  await write({ "chat_template.jinja": "{{ '<|im_start|>' if tools }}<|none|>{{ messages[0].content }}" });
  expect((await open(folder, size)).texts).toEqual({ default: "<|none|>hi" });
  expect((await open(folder, size)).ends).toEqual(["</s>"]);
});

test("bos_token is the tokenizer's", async () => {
  await write({ "chat_template.jinja": "{{ bos_token }}x" });
  const tokenizer = await openAnyTokenizer(folder);
  const { templates } = await openChat(folder, tokenizer);
  expect([...encodeChat(tokenizer, chooseTemplate(templates, false), hi, { bos: true }).ids]).toEqual([own.bosId, ...own.encode("x")]);
});
