import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkDocs } from "../tools/check-docs.mjs";

const made = [];
afterEach(() => Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true }))));

/** Problems of a tree of these files. */
async function problemsOf(files) {
  const root = await mkdtemp(join(tmpdir(), "cria-docs-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return checkDocs(root);
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
