// Chats in the library: what is rendered, what ends an answer, and what is refused.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { referenceBackend } from "./backend/reference/index.ts";
import { atomicWriteJson } from "./files/index.ts";
import { type GgufValue, ggufBytes, ggufTokenizerPairs, tokenizerJson } from "./formats/index.ts";
import { type ChatOptions, Llama, type LoadOptions, type Message } from "./index.ts";
import {
  folderForAll,
  tinyChatTemplate,
  tinyChatTokenizer,
  tinyTokenizer,
  writeTinyChat,
  writeTinyFolder,
} from "./load/tiny-model.test.helper.ts";

const [go, over, eos, bos] = [263, 264, 2, 1];
const hi: readonly Message[] = [{ role: "user", content: "a" }];
const backend = referenceBackend();

let folder: string;
const made = folderForAll(writeTinyFolder);
beforeAll(() => {
  folder = made();
});
beforeEach(async () => {
  await writeTinyChat(folder);
  await rm(join(folder, "generation_config.json"), { force: true });
});

const load = (options: LoadOptions = {}) => Llama.load(folder, { backend, ...options });

async function idsOf(llama: Llama, messages: readonly Message[], options: ChatOptions) {
  const pieces: { id: number; finishReason?: string }[] = [];
  for await (const { id, finishReason } of llama.chatPieces(messages, options))
    pieces.push(finishReason === undefined ? { id } : { id, finishReason });
  return pieces;
}

describe("a rendered chat", () => {
  test("has special pieces where the template writes them, one bos, and nothing special of a user's", async () => {
    await using llama = await load();
    const ids = [...llama.chatIds([{ role: "user", content: "</s><|go|><s>" }])];
    expect(ids.filter((id) => llama.tokenizer.isSpecial(id))).toEqual([bos, go, over, go]);
    const { text, leftOut, template } = llama.renderChat(hi);
    expect(text).toBe("<s><|go|>ua<|over|><|go|>a");
    expect([leftOut, template]).toEqual([[], expect.stringContaining("the chat template default")]);
    expect([...llama.promptIds(text, { parseSpecial: true })]).toEqual([...llama.chatIds(hi)]);
    expect([...llama.chatIds(hi, { addGenerationPrompt: false })].at(-1)).toBe(over);
  });

  test("has no bos where the template writes none, and the one that it writes where the tokenizer puts none", async () => {
    await writeTinyChat(folder, tinyChatTemplate.replace("{{ bos_token }}", ""));
    await using without = await load();
    expect(without.tokenizer.model.template?.before).toEqual([bos]);
    expect(without.chatIds(hi)[0]).toBe(go);
  });

  test("takes tools, variables and documents, and the template that is named or that tools choose", async () => {
    const templates = [
      { name: "default", template: "{{ messages[0].content }}{{ mood }}{{ documents[0].title if documents }}" },
      { name: "tool_use", template: "{{ tools[0].function.name }}" },
    ];
    await writeTinyChat(folder, templates);
    await using llama = await load();
    expect(llama.chatTemplates).toEqual(["default", "tool_use"]);
    const tools = [{ type: "function", function: { name: "clock" } }];
    expect(llama.renderChat(hi, { variables: { mood: "!" }, documents: [{ title: "b" }] }).text).toBe("a!b");
    expect(llama.renderChat(hi, { tools })).toMatchObject({ text: "clock", leftOut: [0] });
    expect(llama.renderChat(hi, { tools, template: "default" }).text).toBe("a");
    expect(() => llama.chatIds(hi, { template: "rag" })).toThrow('there is no chat template "rag": it is one of default, tool_use');
  });
});

describe("an answer", () => {
  test("is what the model writes after the ids, in text and token by token", async () => {
    await using llama = await load();
    const options = { temperature: 0, maxTokens: 6, stopIds: [] };
    const rendered = llama.renderChat(hi).text;
    const expected: number[] = [];
    for await (const { id } of llama.pieces(rendered, { ...options, parseSpecial: true })) expected.push(id);
    expect((await idsOf(llama, hi, options)).map(({ id }) => id)).toEqual(expected);
    let text = "";
    for await (const piece of llama.chat(hi, options)) text += piece;
    let prompted = "";
    for await (const piece of llama.generate(rendered, { ...options, parseSpecial: true })) prompted += piece;
    expect(text).toBe(prompted);
    expect(text).not.toBe("");
  });

  test("keeps to a schema, with the special pieces that end a turn outside of it", async () => {
    await using llama = await load();
    for (let seed = 0; seed < 5; seed++) {
      let text = "";
      for await (const piece of llama.chat(hi, { jsonSchema: { type: "integer", minimum: 10, maximum: 99 }, seed })) text += piece;
      expect(text).toMatch(/^[1-9]\d$/);
    }
  });

  /** Lets the model write one token alone, at most twice. */
  const onlyOf = (id: number): ChatOptions => ({
    ...{ temperature: 0, maxTokens: 2 },
    suppressTokens: Array.from({ length: tinyTokenizer.pieces.length }, (_, i) => i).filter((one) => one !== id),
  });

  test("ends at every id that ends a turn: the files', the tokenizer's, the template's, but the caller's alone where there are some", async () => {
    await atomicWriteJson(join(folder, "generation_config.json"), { eos_token_id: [50, 51] });
    await using llama = await load();
    expect(llama.defaults.stopIds).toEqual([50, 51, eos, over]);
    for (const id of [50, 51, eos, over]) {
      expect(await idsOf(llama, hi, onlyOf(id))).toEqual([{ id, finishReason: "stop" }]);
      let pieces = 0;
      for await (const _ of llama.pieces("a", onlyOf(id))) pieces++;
      expect(pieces).toBe(1);
      const more = await idsOf(llama, hi, { ...onlyOf(id), stopIds: [52] });
      expect(more).toEqual([{ id }, { id, finishReason: "length" }]);
    }
    expect(await idsOf(llama, hi, onlyOf(52))).toEqual([{ id: 52 }, { id: 52, finishReason: "length" }]);
  });

  test("ends at a GGUF's eot and eom, whose templates count", async () => {
    const path = join(folder, "chat.gguf");
    const pairs = new Map<string, GgufValue>([
      ...ggufTokenizerPairs(tinyChatTokenizer),
      ["tokenizer.chat_template", { type: "text", value: "{{ messages[0].content }}{{ 'b' if add_generation_prompt }}" }],
      ["tokenizer.ggml.eot_token_id", { type: "u32", value: 60 }],
      ["tokenizer.ggml.eom_token_id", { type: "u32", value: 61 }],
    ]);
    await writeFile(path, ggufBytes(pairs));
    await using llama = await load({ tokenizer: path });
    expect(llama.defaults.stopIds).toEqual([eos, 60, 61]);
    expect(llama.renderChat(hi).text).toBe("ab");
    for (const id of [60, 61]) expect(await idsOf(llama, hi, onlyOf(id))).toEqual([{ id, finishReason: "stop" }]);
  });
});

describe("is refused", () => {
  test("a chat with a model that has no template, which goes on to continue texts", async () => {
    await writeTinyChat(folder, null);
    await using llama = await load();
    expect(llama.chatTemplates).toEqual([]);
    expect(() => llama.chatIds(hi)).toThrow("[chat] the model has no chat template: it only continues text");
    await expect(llama.chat(hi).next()).rejects.toThrow("it only continues text");
    expect((await llama.generate("a", { temperature: 0, maxTokens: 3 }).next()).done).toBe(false);
  });

  test("a conversation, in the template's own words", async () => {
    await writeTinyChat(folder, "{{ raise_exception('Only ' + messages[0].content + ' may speak') }}");
    await using llama = await load();
    expect(() => llama.chatIds(hi)).toThrow("refuses these messages: Only a may speak");
  });

  test("a template that cannot be read, when a chat is asked for; loading warns of it", async () => {
    await writeTinyChat(folder, "{% if %}");
    await using llama = await load();
    expect(llama.warnings).toEqual([expect.stringMatching(/default, line 1, column 7.*the model continues texts, but renders no chat/)]);
    expect(() => llama.chatIds(hi)).toThrow("the chat template default, line 1, column 7");
  });

  test("a template that writes a token which the model lacks, on loading; not one that might, nor pieces without a use", async () => {
    const more = {
      ...tinyChatTokenizer,
      pieces: [...tinyChatTokenizer.pieces, "<|new|>"],
      scores: [...(tinyChatTokenizer.scores ?? []), 0],
    };
    const larger = tokenizerJson({ ...more, specials: [...tinyChatTokenizer.specials, 265] });
    await atomicWriteJson(join(folder, "tokenizer.json"), larger);
    await using fine = await load();
    expect(fine.chatIds(hi).length).toBeGreaterThan(3);
    const write = async (template: string) => {
      const path = join(folder, "tokenizer_config.json");
      await atomicWriteJson(path, { ...JSON.parse(await readFile(path, "utf8")), chat_template: template });
    };
    await write(`${tinyChatTemplate}{{ '<|new|>' if tools }}`);
    await (await load()).dispose();
    await write(`<|new|>${tinyChatTemplate}`);
    await expect(load()).rejects.toThrow("it uses token 265 (<|new|>), but the model has 265 tokens: the two do not belong together");
  });

  test("an end that the generation config names and the model lacks, unless another can come", async () => {
    const settings = (ids: unknown) => atomicWriteJson(join(folder, "generation_config.json"), { eos_token_id: ids });
    await settings([265, 266]);
    await expect(load()).rejects.toThrow("token 265 ends a text, but the model has 265 tokens and the tokenizer 265");
    await settings([265, over]);
    await using llama = await load();
    expect(llama.defaults.stopIds).toEqual([over, eos]);
  });

  test("what chat is given wrongly", async () => {
    await using llama = await load();
    for (const [messages, options, message] of [
      [5, {}, "[chat] messages must be a list of objects with role and content"],
      [[], {}, "[chat] messages is empty"],
      [[{ role: "me", content: "a" }], {}, '[chat] messages[0].role is "me"'],
      [hi, { tools: {} }, "[llama] the option tools is an object but must be an array"],
      [hi, { variables: [] }, "[llama] the option variables is an empty array but must be an object"],
      [hi, { template: 5 }, "[llama] the option template is 5 but must be a text that is not empty"],
      [hi, { parseSpecial: true }, '[llama] unknown option "parseSpecial"'],
      [hi, { maxToken: 5 }, '[llama] unknown option "maxToken", did you mean "maxTokens"?'],
      [hi, { variables: { messages: 1 } }, "[chat] the variable messages is given by an option of its own"],
    ] as const)
      await expect(llama.chat(messages as never, options as never).next()).rejects.toThrow(message);
  });
});
