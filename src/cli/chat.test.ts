import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Llama } from "../index.ts";
import { folderForAll, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { mostLines, readHistory, writeHistory } from "./chatting/history.ts";
import { MessageLines } from "./chatting/messages.ts";
import { Talk } from "./chatting/talk.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const folder = folderForAll(async (at) => {
  await writeTinyFolder(at);
  await writeTinyChat(at);
  const config = join(at, "config.json");
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, "utf8")), max_position_embeddings: 256 }));
});
const base = folderForAll(writeTinyFolder);
const never = new AbortController().signal;

const chat = (lines: readonly string[], words: readonly string[] = []) =>
  runWords(["chat", folder(), "--max-tokens", "3", ...words], commandRows, {
    stdinChunks: async function* () {
      yield Buffer.from(lines.map((line) => `${line}\n`).join(""));
    },
  });

test("a pipe has a message a line, and with --json an answer a line", async () => {
  const { stdout, code } = await chat(["a", "b", '"""', "a", "b", '"""'], ["--json", "--temperature", "0"]);
  expect(code).toBe(0);
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(answers).toHaveLength(3);
  for (const answer of answers) expect(answer).toMatchObject({ role: "assistant", finishReason: "length", tokens: 3 });
  expect(answers[1].promptTokens).toBeGreaterThan(answers[0].promptTokens);
  expect((await chat(["a"], ["--temperature", "0"])).stdout).toBe(`${answers[0].content} [cut: --max-tokens are written]\n`);
  const refused = await chat(["a ".repeat(300), "a"], ["--json"]);
  expect(refused.code).toBe(1);
  const [problem, answer] = refused.stdout.split("\n").map((line) => line && JSON.parse(line));
  expect(problem).toEqual({ error: expect.stringContaining("256") });
  expect(answer).toMatchObject({ role: "assistant", tokens: 3 });
});

test("words with a slash act, and mistakes leave the conversation as it was", async () => {
  await using llama = await Llama.load(folder(), { threads: 1 });
  const told: string[] = [];
  const output = { said: () => {}, thought: () => {}, told: (line: string) => void told.push(line) };
  const talk = new Talk(llama, output, { "max-tokens": 2, temperature: 0 });
  const say = async (line: string) => {
    told.length = 0;
    const reply = await talk.take(line, never);
    return reply.kind === "answer" ? reply.answer : told.join("\n");
  };
  const first = await say("a b");
  expect(await say("/retry")).toMatchObject({ content: (first as { content: string }).content });
  expect(await say("/system b a")).toBe("system: b a");
  const path = join(folder(), "kept.json");
  expect(await say(`/save ${path}`)).toBe(`saved in ${path}`);
  const kept = JSON.parse(await readFile(path, "utf8"));
  expect(kept.messages.map(({ role }: { role: string }) => role)).toEqual(["system", "user", "assistant"]);
  expect(await say("/reset")).toBe("forgotten");
  expect(await say("/retry")).toContain("nothing was said yet");
  expect(await say(`/load ${path}`)).toBe(`2 messages from ${path}`);
  expect(await say("/set temperature 0.5")).toBe("max-tokens 2, temperature 0.5");
  expect(await say("/set temperature -1")).toContain("--temperature");
  expect(await say("/set temprature 1")).toContain('did you mean "temperature"');
  expect(await say("/set max-tokens 0.5")).toContain("max-tokens is 0.5");
  expect(await say("/set")).toBe("max-tokens 2, temperature 0.5");
  expect(await say("/tokens")).toMatch(/^\d+ of 256 tokens of context are used; the last answer had 2 tokens, [\d.]+ per second$/);
  expect(await say("/sav x")).toContain('did you mean "/save"');
  expect(await say("/save")).toContain("/save needs a file's name");
  await writeFile(path, '{"messages":[{"role":"tool","content":"a"}]}');
  expect(await say(`/load ${path}`)).toContain("messages[0] must have a role");
  await writeFile(path, "{");
  expect(await say(`/load ${path}`)).toContain("is no JSON");
  expect(await say("/load nowhere.json")).toContain("no such file");
  expect(await say("/help")).toContain("/tokens");
  expect(await say("a ".repeat(300))).toContain("256"); // more than the context holds
  expect(await say("//a")).toMatchObject({ tokens: 2 });
  expect(await talk.take("/exit", never)).toEqual({ kind: "leave" });
});

test("what is stopped stays as far as it was written", async () => {
  await using llama = await Llama.load(folder(), { threads: 1 });
  const controller = new AbortController();
  let said = "";
  const more = (text: string) => {
    said += text;
    controller.abort();
  };
  const talk = new Talk(llama, { said: more, thought: more, told: () => {} }, { temperature: 0, "logit-bias": ["260=100"] });
  const reply = await talk.take("a b", controller.signal);
  expect(reply).toMatchObject({ kind: "answer", answer: { finishReason: "stopped", content: said } });
  expect(said).not.toBe("");
});

test("a base model says that it only continues texts, and has no system's message", async () => {
  const run = (words: readonly string[]) =>
    runWords(["chat", base(), "--max-tokens", "2", ...words], commandRows, {
      stdinChunks: async function* () {
        yield Buffer.from("a b\n");
      },
    });
  const { stdout, stderr, code } = await run([]);
  expect(code).toBe(0);
  expect(stderr).toContain("it only goes on from each text by itself");
  expect(stdout).toContain("[cut");
  await using llama = await Llama.load(base(), { threads: 1 });
  const talk = new Talk(llama, { said: () => {}, thought: () => {}, told: () => {} }, {});
  for (const line of ["/system x", "/load x.json"])
    expect(await talk.take(line, never)).toEqual({ kind: "refused", problem: expect.stringContaining("has no chat template") });
  expect(await run(["--system", "x"])).toMatchObject({ code: 2, stderr: expect.stringContaining("no chat template") });
});

test("lines that go on are one message", () => {
  const lines = new MessageLines();
  const pushed = ["one\\", "two", "", '"""', "a", "", "b\\", '"""', "  ", "x"].map((line) => lines.push(line));
  expect(pushed.filter((message) => message !== undefined)).toEqual(["one\ntwo", "a\n\nb\\", "x"]);
  expect(lines.isOpen).toBe(false);
  lines.push('"""');
  expect(lines.isOpen).toBe(true);
  lines.drop();
  expect(lines.push("y")).toBe("y");
});

test("an input that ends inside of a message is told", async () => {
  expect(await chat(["a\\"])).toMatchObject({ code: 1, stderr: expect.stringContaining("inside of a message that goes on") });
});

test("history is kept for the user alone, bounded, and never in the way", async () => {
  const path = join(folder(), "deep", "chat-history.json");
  expect(await readHistory(path)).toEqual([]);
  const lines = Array.from({ length: mostLines + 9 }, (_, i) => `line ${i}`);
  await writeHistory(path, lines);
  expect(await readHistory(path)).toEqual(lines.slice(0, mostLines));
  await writeFile(path, '{"no":"list"}');
  expect(await readHistory(path)).toEqual([]);
  await writeHistory(join(path, "below", "a", "file"), lines);
});
