import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkDocs } from "../tools/check-docs.mjs";
import { openings, words } from "../tools/docs-rules.mjs";

const made = [];
afterEach(() => Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true }))));

/** Problems of a tree of these files. */
async function problemsOf(files, rules) {
  const root = await mkdtemp(join(tmpdir(), "cria-docs-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return checkDocs(root, rules);
}

const source = { "src/norm.ts": "export function rmsNorm(x: number) {\n  return x;\n}\n" };

test("links that lead somewhere and names that stand there pass", async () => {
  const page = "[`rmsNorm`](../src/norm.ts), [all](../src), [elsewhere](https://example.org/x)\n\n```ts excerpt\nreturn x;\n```\n";
  expect(await problemsOf({ ...source, "docs/a.md": page, "README.md": "[a](docs/a.md#part)\n" })).toEqual([]);
});

test.each([
  ["a link to nothing", "[x](../src/gone.ts)", "links to ../src/gone.ts, which is not there"],
  ["a picture of nothing", "![x](gone.svg)", "links to gone.svg"],
  ["a name that moved away", "[`layerNorm`](../src/norm.ts)", "says that `layerNorm` stands in ../src/norm.ts"],
  ["a part of a name", "[`rms`](../src/norm.ts)", "says that `rms`"],
  ["an excerpt that the source has not", "[x](../src/norm.ts)\n\n```ts excerpt\nreturn y;\n```\n", 'shows "return y;"'],
])("%s is found", async (_, page, message) => {
  const problems = await problemsOf({ ...source, "docs/a.md": page });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(message);
});

test("what stands in a block of code is no link", async () => {
  expect(await problemsOf({ "docs/a.md": "```\n[x](gone.md)\n# no heading\n```\n" })).toEqual([]);
});

test.each([
  ["a page in one language", undefined, "docs/paper/zh/a.md is missing"],
  ["another number of headings", "# a\n", "headings differ at number 2"],
  ["another link", "# a\n## b\n[x](../en/b.md)\n", "links (in any order) differ at number 1"],
  ["another block", "# a\n## b\n[x](../en/a.md)\n```\n2\n```\n", "code blocks differ at number 1"],
])("%s is found", async (_, zh, message) => {
  const en = "# a\n## b\n[x](../zh/a.md)\n```\n1\n```\n";
  const others = { "docs/paper/en/b.md": "# b\n", "docs/paper/zh/b.md": "# b\n" };
  const problems = await problemsOf({ ...others, "docs/paper/en/a.md": en, ...(zh && { "docs/paper/zh/a.md": zh }) });
  expect(problems.join("\n")).toContain(message);
});

const pair = { "docs/paper/en/a.md": "# a\nThe first step.\n", "docs/paper/zh/a.md": "# a\n第一步，词元（token）。\n" };
const steps = { "a.md": [{ step: "the first", en: "first step", zh: "第一步" }] };

test("pages that have every step pass", async () => {
  expect(await problemsOf(pair, { steps })).toEqual([]);
});

test("a step that one language lacks is found, and a page that is not there", async () => {
  const second = { step: "the second", both: "x + 1" };
  expect(await problemsOf(pair, { steps: { "a.md": [...steps["a.md"], second] } })).toEqual([
    'docs/paper/en/a.md: lacks a step, the second: explain it, where "x + 1" stands',
    'docs/paper/zh/a.md: lacks a step, the second: explain it, where "x + 1" stands',
  ]);
  expect(await problemsOf(pair, { steps: { "b.md": [second] } })).toEqual([
    "docs/paper/en/b.md is missing: write it",
    "docs/paper/zh/b.md is missing: write it",
  ]);
});

test("a term is glossed where it stands first", async () => {
  const glosses = { zh: [{ term: "词元", first: "词元（token）" }] };
  expect(await problemsOf(pair, { glosses })).toEqual([]);
  const late = { ...pair, "docs/paper/zh/a.md": "# a\n词元，词元（token）。\n" };
  expect(await problemsOf(late, { glosses })).toEqual([
    "docs/paper/zh/a.md: says 词元 without its gloss: write 词元（token） where it stands first",
  ]);
});

test("words to avoid are found in prose and in strings and comments of the source, not in code of pages", async () => {
  const files = {
    "README.md": "# a\n```\nnats a token\n```\nThe loss in nats a token, `nats a token`.\n",
    "src/a.ts": '// nats a token\nexport const a = "nats a token"; // nats a token\n',
    "src/a.test.ts": 'export const a = "nats a token";\n',
  };
  expect(await problemsOf(files, { words: [{ avoid: /nats a token/, say: "nats per token" }] })).toEqual([
    'README.md:5: "nats a token": say nats per token',
    'src/a.ts:1: "nats a token": say nats per token',
    'src/a.ts:2: "nats a token": say nats per token',
  ]);
});

const avoided = (text) => words.filter(({ avoid }) => avoid.test(text)).length;

test.each([
  "in nats a token",
  "held-out losses, one a seed",
  "trained once a seed",
  "148 tokens a parameter",
  "what the law foretells",
  "at the lowest rate nobody minds",
  "above 1 more daring, below 1 more sober",
  "instead of leaving them away",
  "below the tokens' frequencies",
  '{ help: "of the first weights" }',
  "RoPE 遥遥领先",
  "其中 $g$ 是学到的增益",
])("house language has no %s", (text) => expect(avoided(text)).toBeGreaterThan(0));

test.each(["in nats per token", "a model that takes hours or a day", "omitting them", "可学习的增益"])("house language has %s", (text) =>
  expect(avoided(text)).toBe(0),
);

test("what a source file exports has a docstring", async () => {
  const text = `/** One. */
export const one = 1;

export async function two() {}
/**
 * Three.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: an example.
export abstract class Three {}
// No docstring.
export interface Four {}
export type { One } from "./one.ts";
const five = 5;
`;
  const files = { "src/base/a.ts": text, "src/base/a.test.ts": text, "test/a.mjs": text };
  expect(await problemsOf(files, { documented: true })).toEqual([
    'src/base/a.ts:4: "two" has no docstring: say what it is, with shapes, units, ranges and errors',
    'src/base/a.ts:11: "Four" has no docstring: say what it is, with shapes, units, ranges and errors',
  ]);
});

test("comments begin with no preposition", async () => {
  const comments = [
    "// From here",
    "// of this block the first line counts",
    "/** Of a step. */",
    "/**",
    " * By name.",
    " */",
    "const a = 1; // per row",
    "const b = 2; // to += from",
    'const text = "x // of no comment";',
    "// A note of its own.",
    "/** Seconds per step. */",
    "// for (const x of y) is code",
  ].join("\n");
  const names = ["src/a.ts", "src/base/a.test.ts", "src/backend/cpu/x/a.ts", "test/a.test.mjs", "tools/a.mjs", "examples/a/b.tsx"];
  const files = Object.fromEntries([...names, "examples/a/node_modules/b/c.ts", "dist/a.mjs"].map((name) => [name, comments]));
  const found = (name) => [
    `${name}:1: a comment begins with "From": begin with its subject`,
    `${name}:3: a comment begins with "Of": begin with its subject`,
    `${name}:4: a comment begins with "By": begin with its subject`,
    `${name}:7: a comment begins with "per": begin with its subject`,
  ];
  const problems = await problemsOf(files, { openings });
  expect(problems.sort()).toEqual(names.flatMap(found).sort());
});
