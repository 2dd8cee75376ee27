// The examples of the package's doors do what they say, as programs of their own; the pages of the guide show the same code.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const model = join(root, "test/fixtures/2026-11-28/run");
let folder;
const at = (name) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-examples-"));
  const lives = (i) => `Once there was a young llama, number ${i}, who lived in the hills of ${"abcdefgh"[i % 8]} and sang all day.`;
  await writeFile(at("text.txt"), Array.from({ length: 300 }, (_, i) => lives(i)).join("\n\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(name, ...args) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(root, "examples", name), ...args]);
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

test("a tokenizer, data made with it, and a run on these, one after the other", async () => {
  expect(await run("tokenizer.mjs", at("text.txt"), at("tokenizer.json"))).toEqual([
    expect.stringMatching(/^\d+ characters are \d+ tokens$/),
    "they come back: true",
    "opened again, it has 400 pieces",
  ]);
  expect(await run("data.mjs", at("text.txt"), at("tokenizer.json"), at("data"))).toEqual([
    expect.stringMatching(/^text: \d+ documents, \d+ tokens$/),
    "4 files are what was written: true",
    "a batch of 128 tokens, 128 seen",
    "the same again: true",
  ]);
  const [stopped, ended, fell] = await run("train.mjs", at("data"), at("tokenizer.json"), at("run"));
  expect(stopped).toBe("stopped at step 5: true");
  expect(ended).toMatch(/^step 10, \d\.\d bits per byte$/);
  const [, first, last] = /^the loss fell from (\d\.\d) to (\d\.\d)$/.exec(fell);
  expect(Number(last)).toBeLessThan(Number(first) / 4); // ln 16 is 2.8, and counting is soon learnt
  const rows = (await readFile(at("run/metrics.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.filter((row) => "loss" in row).map(({ step }) => step)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
});

test("a plan", async () => {
  expect(await run("plan.mjs")).toEqual([
    "1e22 operations: 9.0B parameters, 184B tokens, loss 2.14",
    "24 hours on 64 of them: 4.0B parameters",
    "the fastest layout: tensor 1, pipeline 1, data 64",
    "fitted to its own points, alpha is 0.35, where it was 0.35",
  ]);
});

test("a vocabulary is explained, extended, cut and written", async () => {
  expect(await run("vocabulary.mjs", at("tokenizer.json"), at("text.txt"), at("larger.gguf"))).toEqual([
    expect.stringMatching(/^llamas: \d merges, ids [\d ]+$/),
    expect.stringMatching(/^Ġsang: \d merges, ids \d+$/),
    expect.stringMatching(/^3\.\d bytes per token, \d+ pieces used$/),
    "20 merges more: fewer tokens",
    expect.stringMatching(/^cut to 2\d\d pieces: true$/),
    "the same ids: true",
  ]);
});

test("a model in fewer bits", async () => {
  const [lost, ...more] = await run("convert.mjs", model, at("small.gguf"), "q6_K", at("text.txt"));
  expect(lost).toMatch(/^\d+ bytes; \S+ in f16 lost most: 0\.0\d %$/);
  expect(more).toContain("token_embd.weight: f16 instead of q6_K");
  const [, before, after] = /^perplexity ([\d.]+), then ([\d.]+)$/.exec(more.at(-1));
  expect(Number(after) / Number(before)).toBeCloseTo(1, 2);
});

test("a model writes, shows its tokens and answers", async () => {
  await cp(model, at("chat model"), { recursive: true });
  await writeFile(at("chat model/chat_template.jinja"), "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
  const [written, first, second, read, ...answer] = await run("generate.mjs", at("chat model"), "The");
  expect(written).not.toBe("");
  expect([first, second]).toEqual([expect.stringMatching(/^token \d+: "/), expect.stringMatching(/^token \d+: "/)]);
  expect(read).toBe('the model reads "user: The\\n"');
  expect(answer.join("").trim()).not.toBe("");
});

test("several texts, the likeliest, and log-probabilities of a prompt", async () => {
  const lines = await run("sampling.mjs", model, "The llama");
  expect(new Set(lines.slice(0, 3)).size).toBe(3);
  expect(lines[3]).toMatch(/^the likeliest text: ".*", -\d+\.\d nats$/);
  for (const line of lines.slice(4, -1)) expect(line).toMatch(/^token \d+: -\d+\.\d\d, likelier is \d+$/);
  expect(lines.at(-1)).toBe("the same text: true; true");
});

test("scores, vectors, saved texts, and the context's end", async () => {
  expect(await run("library.mjs", model, "Once", at("a.session"))).toEqual([
    expect.stringMatching(/^\d+ and \d+ tokens, true$/),
    "a text of any length: true",
    "1.000, and less with another text: true",
    expect.stringMatching(/^true: of (\d+) tokens \d+ are not computed again$/),
    "stop: context, slide: length",
    "true",
  ]);
});

test("a text keeps to a schema, and one to a grammar", async () => {
  const [sum, written, judged] = await run("constrained.mjs", model, "The");
  expect(sum).toMatch(/^a sum of [1-9]\d?$/);
  expect(written).toMatch(/^[a-z]{1,3}(-[a-z]{1,3}){1,2}\. \(stop\)$/);
  expect(judged).toBe("true false");
});

test("a model calls a function and answers", async () => {
  await cp(model, at("calling model"), { recursive: true });
  const config = JSON.parse(await readFile(join(model, "config.json"), "utf8"));
  await writeFile(at("calling model/config.json"), JSON.stringify({ ...config, max_position_embeddings: 1024 }));
  const call = `{{ '<tool_call>\\n{"name": "' + c.function.name + '", "arguments": ' }}{{ c.function.arguments | tojson }}{{ '}\\n</tool_call>' }}`;
  const messages = `{% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls %}${call}{% endfor %}</s>{% endfor %}`;
  await writeFile(
    at("calling model/chat_template.jinja"),
    `{{ tools | tojson if tools else '' }}${messages}{% if add_generation_prompt %}assistant: {% endif %}`,
  );
  const [called, , json] = await run("chat-tools.mjs", at("calling model"), "Rain?");
  expect(called).toMatch(/^get_weather: (Paris|Rome)$/);
  expect(json).toBe("boolean");
});

test("a model's files and the machine are told", async () => {
  const lines = await run("inspect.mjs", model);
  expect(lines[0]).toBe("Hugging Face folder: 2 layers, 8 channels, 290 tokens of vocabulary");
  expect(lines).toContain("model.layers.1.mlp.up_proj.weight: F32, 16 × 8");
  expect(lines).toContain("sentencepiece; a turn ends with 2; 0 chat templates");
  expect(lines.at(-1)).toMatch(/^cpu: \w+/);
});

test("every door gives the same names by import and by require", async () => {
  const doors = ["cria", "cria/tokenizer", "cria/data", "cria/train", "cria/convert", "cria/plan", "cria/web"];
  const namesOf = async (door) => Object.keys(await import(door)).sort();
  const names = Object.fromEntries(await Promise.all(doors.map(async (door) => [door, await namesOf(door)])));
  for (const door of doors) expect(names[door].length).toBeGreaterThan(3);
  const code = `const names = (door) => Object.keys(require(door)).filter((name) => name !== "__esModule").sort();
    console.log(JSON.stringify(Object.fromEntries(${JSON.stringify(doors)}.map((door) => [door, names(door)]))))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { cwd: root });
  expect(JSON.parse(stdout)).toEqual(names);
});

test("without arguments every program says its usage, as its first line has it", async () => {
  const names = (await readdir(join(root, "examples"))).filter((name) => name.endsWith(".mjs") && name !== "step.mjs"); // a module of a recipe
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) {
    const code = await readFile(join(root, "examples", name), "utf8");
    const [, usage, words] = /^\/\/ .*: (node examples\/\S+( .*)?)$/m.exec(code);
    if (words !== undefined) expect(code).toContain(` === undefined) throw new Error("usage: ${usage}");\n`);
  }
  await expect(run("tokenizer.mjs")).rejects.toThrow("Error: usage: node examples/tokenizer.mjs TEXT OUT.json");
});

const pages = {
  cria: ["generate.mjs", "using.ts", "inspect.mjs", "sampling.mjs"],
  library: ["library.mjs"],
  constrained: ["constrained.mjs"],
  "chat-tools": ["chat-tools.mjs"],
  tokenizer: ["tokenizer.mjs", "vocabulary.mjs"],
  data: ["step.mjs", "data.mjs"],
  train: ["train.mjs", "raise.mjs", "study.mjs"],
  convert: ["convert.mjs"],
  plan: ["plan.mjs"],
};

test.each(Object.entries(pages))("docs/guide/%s.md shows its examples, and all code there is one of them", async (name, examples) => {
  const read = async (path) => (await readFile(join(root, path), "utf8")).replaceAll("\r\n", "\n");
  const blocks = [...(await read(`docs/guide/${name}.md`)).matchAll(/^```(?:js|ts)\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  expect(blocks).toEqual(await Promise.all(examples.map((example) => read(`examples/${example}`))));
});
