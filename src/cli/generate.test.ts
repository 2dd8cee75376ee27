import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { atomicWriteJson } from "../files/index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { folderForAll, withFolder, writeTinyBin, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import type { Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

function run(words: readonly string[], more: Partial<Terminal> = {}) {
  return runWords(words, commandRows, more);
}

/** A folder with the tiny model in both forms, for all tests. */
let folder: string;
let bin: string;
const made = folderForAll(async (at) => {
  await writeTinyFolder(at);
  bin = await writeTinyBin(at);
});
beforeAll(() => {
  folder = made();
});

describe("cria generate", () => {
  test("prints the text and a line end, with --json everything there is to know", async () => {
    const words = ["generate", folder, "ab a", "--temperature", "0", "--max-tokens", "12"];
    const plain = await run(words);
    const json = JSON.parse((await run([...words, "--json"])).stdout);
    expect(plain).toMatchObject({ code: 0, stdout: `${json.text}\n` });
    expect(json).toMatchObject({ model: folder, prompt: "ab a", promptTokens: 4, finishReason: "length" });
    expect(json.tokens).toHaveLength(12);
    expect(json.promptSeconds).toBeGreaterThan(0);
    expect(await run([...words, "--cache", "f16"])).toMatchObject({ code: 0, stdout: plain.stdout });
    expect(await run([...words, "--cache", "q8_0"])).toMatchObject({ code: 1, stderr: expect.stringContaining("q8_0") });
  });

  test("holds the text to a schema or a grammar, of a file or as it is, and says where it was cut", async () => {
    const schema = {
      type: "object",
      properties: { a: { enum: ["ab", "b"] }, b: { type: "integer", minimum: 3, maximum: 5 } },
      required: ["a", "b"],
      additionalProperties: false,
    };
    const file = join(folder, "schema.json");
    await atomicWriteJson(file, schema);
    const words = ["generate", folder, "ab a", "--max-tokens", "27"];
    for (const [seed, given] of [
      ["1", file],
      ["2", JSON.stringify(schema)],
      ["3", file],
    ] as const) {
      const { stdout, code } = await run([...words, "--seed", seed, "--json-schema", given, "--whitespace", "none"]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ a: expect.stringMatching(/^a?b$/), b: expect.toSatisfy((b) => b >= 3 && b <= 5) });
    }
    const grammar = 'root ::= "b" [ab]{3} "!"';
    expect((await run([...words, "--grammar", grammar])).stdout).toMatch(/^b[ab]{3}!\n$/);
    const cut = await run(["generate", folder, "ab a", "--max-tokens", "2", "--grammar", grammar]);
    expect(cut).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("not complete by its grammar or schema: it is cut at its length"),
    });
    const wrong = [
      [["--grammar", "root ::= x"], 'line 1, column 10: rule "x" is used but not defined', 1],
      [["--json-schema", '{"typ": "x"}'], '/typ: the keyword is not known, did you mean "type"?', 1],
      [["--json-schema", "{"], "--json-schema", 1],
      [["--json-schema", "true", "--grammar", grammar], "a text keeps to one of them", 2],
      [["--json-schema", "true", "--stop", "x"], "--stop would cut a text off", 2],
      [["--whitespace", "none"], "--whitespace is for --json-schema", 2],
      [["--json-schema", "true", "--whitespace", "tabs"], '--whitespace is "tabs" but must be space, none, indented', 2],
    ] as const;
    for (const [flags, stderr, code] of wrong)
      expect(await run([...words, ...flags])).toMatchObject({ code, stderr: expect.stringContaining(stderr) });
  });

  test("when its reader leaves it ends quietly with 141, and no text is written to the end for nobody", async () => {
    const main = fileURLToPath(new URL("./main.js", import.meta.url));
    const child = spawn(process.execPath, [main, "generate", folder, "ab a", "--max-tokens", "20"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((done) => child.on("close", done));
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
  });

  test("answers in a chat that the model's template renders", async () => {
    await withFolder(async (told) => {
      await writeTinyFolder(told);
      await writeTinyChat(told);
      const [messages, tools] = [join(told, "messages.json"), join(told, "tools.json")];
      const conversation = [
        { role: "system", content: "b" },
        { role: "user", content: "a" },
      ];
      await atomicWriteJson(messages, conversation);
      await atomicWriteJson(tools, [{ type: "function", function: { name: "clock" } }]);
      const ending = ["--temperature", "0", "--max-tokens", "4"];
      const json = async (...words: readonly string[]) => JSON.parse((await run(["generate", told, ...words, ...ending, "--json"])).stdout);
      const asked = await json("a", "--chat", "--system", "b");
      const rendered = "<s><|go|>sb<|over|><|go|>ua<|over|><|go|>a";
      const { tokens, promptTokens } = await json(rendered, "--special");
      expect(asked).toMatchObject({ messages: conversation, tokens, promptTokens, leftOut: [], finishReason: "length" });
      expect(asked.template).toContain("the chat template default");
      expect(await json("--messages", messages)).toMatchObject({ messages: conversation, tokens });
      expect((await run(["generate", told, "a", "--chat", "--system", "b", ...ending])).stdout).toBe(`${asked.text}\n`);
      await writeTinyChat(told, [
        { name: "default", template: "{{ messages[-1].content }}" },
        { name: "tool_use", template: "{{ tools[0].function.name }}{{ messages[-1].content }}" },
      ]);
      const named = await json("a", "--chat", "--tools", tools);
      expect(named).toMatchObject({ template: expect.stringContaining("tool_use"), promptTokens: 7 });
      const shortened = await run(["generate", told, "--messages", messages, "--template", "default", ...ending]);
      expect(shortened.stderr).toBe("[generate] the template leaves messages[0] out, whose role is system\n");
      await atomicWriteJson(messages, { messages: conversation, tools: [] });
      expect(await run(["generate", told, "--messages", messages, "--tools", tools])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`--tools ${tools} is given, and ${messages} has tools: give one of them`),
      });
      await atomicWriteJson(tools, {});
      expect(await run(["generate", told, "a", "--chat", "--tools", tools])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("tools.json: it must hold a list of tools"),
      });
      expect(await run(["generate", folder, "a", "--chat"])).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("the model has no chat template: it only continues text"),
      });
    });
  });

  test("the seed that it tells gives the text again", async () => {
    const words = ["generate", bin, "a", "--max-tokens", "8", "--temperature", "2", "--top-k", "50", "--min-p", "0.01", "--json"];
    const first = JSON.parse((await run(words)).stdout);
    const again = JSON.parse((await run([...words, "--seed", String(first.seed)])).stdout);
    expect(again.tokens).toEqual(first.tokens);
  });

  test("the prompt may come through stdin, less its last line end", async () => {
    const words = ["generate", bin, "-", "--temperature", "0", "--max-tokens", "4", "--json"];
    const { stdout } = await run(words, { stdin: async () => new TextEncoder().encode("ab\nb\n") });
    expect(JSON.parse(stdout).prompt).toBe("ab\nb");
    const latin = await run(words, { stdin: async () => Uint8Array.of(0x61, 0xff) });
    expect(latin).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("stdin: its text is not UTF-8 from byte 1 on: convert it first"),
    });
  });

  test("a text that fills the context before it has the tokens that were asked for says so on stderr", async () => {
    const words = ["generate", folder, "ab a", "--temperature", "0", "--context", "10", "--max-tokens"];
    const full = await run([...words, "20"]);
    expect(full).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /^note: the text stops after \d tokens, not 20: with its prompt it fills the context of 10 tokens \(--context-end slide goes on\)\n$/,
      ),
    });
    expect((await run([...words, "3"])).stderr).toBe("");
    const json = await run([...words, "20", "--json"]);
    expect([json.stderr, JSON.parse(json.stdout).finishReason]).toEqual(["", "context"]);
  });

  test("a context that slides writes all tokens and says what was dropped, and one that refuses says both counts", async () => {
    const words = ["generate", folder, "ab a", "--temperature", "0", "--context", "10", "--max-tokens", "20"];
    const slid = [...words, "--context-end", "slide"];
    expect(await run([...slid, "--keep", "2"])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: the context of 10 tokens was full: \d+ tokens were dropped, which the model sees no more\n$/),
    });
    const { tokens, droppedTokens, finishReason } = JSON.parse((await run([...slid, "--json"])).stdout);
    expect([tokens.length, finishReason]).toEqual([20, "length"]);
    expect(droppedTokens).toBeGreaterThan(8);
    expect(await run([...words, "--context-end", "refuse"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/with 20 more the model reads 23, but the context holds 10: .* \(--max-tokens, --context-end\)/),
    });
    for (const [flags, message] of [
      [["--context-end", "shift"], '--context-end is "shift"'],
      [["--keep", "2"], "--keep says what stays where the context slides: add --context-end slide"],
    ] as const)
      expect(await run([...words, ...flags])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });

  test("stop strings end the text and are not in it", async () => {
    const words = ["generate", bin, "ab", "--temperature", "0", "--max-tokens", "20", "--json"];
    const { text } = JSON.parse((await run(words)).stdout);
    const stop = text.slice(3, 5);
    const stopped = JSON.parse((await run([...words, "--stop", "never comes", `--stop=${stop}`])).stdout);
    expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finishReason: "stop" });
  });

  test("what the model's files say and cria does not follow is told on stderr, the text is not disturbed", async () => {
    await withFolder(async (told) => {
      await writeTinyFolder(told);
      const words = ["generate", told, "ab a", "--temperature", "0", "--max-tokens", "3"];
      const { stdout, stderr } = await run(words);
      expect(stderr).toBe("");
      await atomicWriteJson(join(told, "generation_config.json"), { num_beams: 4, eta_cutoff: 0.9, max_length: 12, do_sample: true });
      const warned = await run(words);
      expect(warned).toMatchObject({ code: 0, stdout });
      expect(warned.stderr).toMatch(/^\[generation_config\] .*num_beams is the number 4.*eta_cutoff is the number 0\.9.*\n$/);
      const { warnings, tokens, promptTokens } = JSON.parse((await run([...words.slice(0, 5), "--json"])).stdout);
      expect(warnings).toEqual([warned.stderr.trimEnd()]);
      expect(tokens.length + promptTokens).toBe(12);
      expect(JSON.parse((await run(["inspect", told, "--json"])).stdout).warnings).toEqual(warnings);
      expect((await run(["inspect", told])).stderr).toBe(warned.stderr);
      expect(JSON.parse((await run(["plan", told, "--tokens", "1M", "--json"])).stdout).warnings).toContain(warnings[0]);
    });
  });

  test.each([
    [[], "[generate] MODEL is missing"],
    [["m", "a", "b"], '"b" follows the prompt: put the prompt in quotes'],
    [["m", "a", "--mirostat-tau", "3"], "--mirostat-tau 3 changes nothing without --mirostat: give that too, or omit --mirostat-tau"],
    [["m", "a", "--dry-base", "1.5", "--top-k", "4"], "--dry-base 1.5 changes nothing without --dry-multiplier"],
    [["m", "a", "--temperature=-1"], "--temperature is -1 but must be at least 0"],
    [["m", "a", "--top-p", "1.5"], "--top-p is 1.5 but must be above 0 and at most 1"],
    [["m", "a", "--repeat-penalty", "0"], "--repeat-penalty is 0 but must be above 0"],
    [["m", "a", "--cache", "f8"], '--cache is "f8" but must be f32, f16, q8_0'],
    [["m", "a", "--context", "1.5"], "--context is 1.5 but must be an integer, at least 1"],
    [["m", "a", "--max-tokens", "0"], "--max-tokens is 0 but must be an integer, at least 1"],
    [["m", "a", "--system", "b"], "--system is for chats: give --chat or --messages FILE too"],
    [["m", "a", "--tools", "t.json"], "--tools is for chats: give --chat or --messages FILE too"],
    [["m", "a", "--messages", "c.json"], '"a" is given beside --messages c.json: put it into that file as the last message'],
    [["m", "--messages", "c.json", "--system", "b"], "--system is given beside --messages c.json: put it into that file"],
    [["m", "a", "--chat", "--special"], "--special is for prompts that are continued"],
    [["m", "a", "--seed", "0.5"], "--seed is 0.5 but must be an integer"],
  ])("wrong use is said before anything is loaded: %j", async (words, message) => {
    expect(await run(["generate", ...words])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
  });

  test("a model that is not there, a prompt that is too long, an interruption", async () => {
    expect(await run(["generate", "/no/where", "a"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("/no/where: no such file"),
    });
    const long = await run(["generate", bin, "é".repeat(40)]);
    expect(long).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("but the context holds 32: shorten it") });
    const { code } = await run(["generate", bin, "a"], { signal: AbortSignal.abort(new Interrupted("SIGINT")) });
    expect(code).toBe(130);
  });
});

const stories = sharedData("stories260K");
if (stories === undefined) console.warn("skipped: cria generate on stories260K, its folder is not here (CRIA_DATA)");

test.skipIf(stories === undefined)(
  "a folder with llama2.c's stories260K writes what llama2.c writes, and so does a GGUF of it",
  async () => {
    await withFolder(async (folder) => {
      const gguf = join(folder, "stories.gguf");
      expect((await run(["convert", stories!, gguf])).code).toBe(0);
      for (const model of [stories!, gguf]) {
        const { code, stdout } = await run(["generate", model, "", "--temperature", "0", "--max-tokens", "200"]);
        expect(code).toBe(0);
        expect(stdout).toMatch(/^Once upon a time, there was a little girl named Lily\. She loved to play outside in the park\./);
        expect(stdout).toMatch(/Lily didn't want to help her mom, so she\n$/);
      }
    });
  },
);
