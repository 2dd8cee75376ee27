// cria tokenizer chat: text, ids and the assistant's part.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenizerJson } from "../formats/index.ts";
import { trainTokenizer } from "../tokenizer/index.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const template =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}";
const chat = [
  { role: "user", content: "Hi <|im_end|>" },
  { role: "assistant", content: "Hello!" },
];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-chat-"));
  const specials = { bos: "<s>", eos: "</s>", others: ["<|im_start|>", "<|im_end|>"] };
  const model = await trainTokenizer(["hello hello world"], { kind: "bytes", vocabSize: 264, pattern: "gpt2", specials });
  await write("tokenizer.json", tokenizerJson(model));
  await write("tokenizer_config.json", {
    chat_template: [
      { name: "default", template: template.replaceAll("\\n", "\n") },
      { name: "tool_use", template: "{{ tools[0].name }}{{ messages[0].content }}" },
    ],
  });
  await write("chat.json", chat);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, value: unknown): Promise<void> {
  await writeFile(join(folder, name), JSON.stringify(value));
}

const run = (...words: readonly string[]) => runWords(["tokenizer", "chat", folder, ...words], commandRows);

test("shows the text with the beginning of an answer, or with the assistant's part marked", async () => {
  const asked = await run(join(folder, "chat.json"));
  expect(asked.stdout).toMatch(
    /^<\|im_start\|>user\nHi <\|im_end\|><\|im_end\|>\n<\|im_start\|>assistant\nHello!<\|im_end\|>\n<\|im_start\|>assistant\n\n\n\d+ tokens:\n/,
  );
  const trained = await run(join(folder, "chat.json"), "--no-generation-prompt");
  expect(trained.stdout).toMatch(/assistant\n⟦Hello!<\|im_end\|>⟧\n\n\n\d+ tokens, 5 of them the assistant's:\n[\d ]+\n$/);
  expect([asked.code, trained.code, trained.stderr]).toEqual([0, 0, ""]);
});

test("--json has ids, mask, segments and what ends a turn", async () => {
  const { stdout } = await run(join(folder, "chat.json"), "--no-generation-prompt", "--json");
  const { ids, assistantMask, segments, endOfTurn, text } = JSON.parse(stdout);
  expect(assistantMask.length).toBe(ids.length);
  expect(segments.map((segment: { text: string }) => segment.text).join("")).toBe(text);
  expect(segments[1]).toEqual({ text: "Hi <|im_end|>", origin: { from: "message", message: 0 } });
  expect(ids.filter((id: number) => endOfTurn.includes(id)).length).toBe(2);
});

test("an object may bring tools, which choose a template; what is left out and what is refused is said", async () => {
  await write("tools.json", { messages: chat, tools: [{ name: "clock" }] });
  const { stdout, stderr, code } = await run(join(folder, "tools.json"), "--no-generation-prompt");
  expect(stdout).toMatch(/^clockHi <\|im_end\|>\n\n\d+ tokens:/);
  expect(stderr).toContain("[tokenizer chat] the template leaves messages[1] out, whose role is assistant");
  expect(stderr).toContain("it serves for inference, but not for fine-tuning");
  expect(code).toBe(0);
});

test.each([
  [["chat.json", "--template", "rag"], 1, 'there is no chat template "rag": it is one of default, tool_use'],
  [["none.json"], 1, "none.json"],
  [["bad.json"], 1, "bad.json: its text is not JSON"],
  [["odd.json"], 1, 'odd.json: it has "message", but only messages, tools, documents, variables are read'],
  [["role.json"], 1, 'messages[0].role is "me"'],
  [[], 2, "TOKENIZER and MESSAGES.json are needed"],
])("%j is refused", async ([file, ...flags], code, message) => {
  await writeFile(join(folder, "bad.json"), "[");
  await write("odd.json", { message: [] });
  await write("role.json", [{ role: "me", content: "x" }]);
  const found = await run(...(file === undefined ? [] : [join(folder, file)]), ...flags);
  expect([found.code, found.stdout]).toEqual([code, ""]);
  expect(found.stderr).toContain(message);
});

test("what is wrong with messages on stdin is said of stdin", async () => {
  const stdin = async () => new TextEncoder().encode('{"message": []}');
  const { stderr, code } = await runWords(["tokenizer", "chat", folder, "-"], commandRows, { stdin });
  expect([code, stderr]).toEqual([1, expect.stringContaining('[tokenizer chat] stdin: it has "message", but only messages')]);
});
