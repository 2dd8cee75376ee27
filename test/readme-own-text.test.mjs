// README's own-text commands, verbatim, in an empty folder with README's two files and some texts: the documentation of this checkout.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = await mkdtemp(join(tmpdir(), "cria-readme-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const readme = await readFile(join(root, "README.md"), "utf8");
const section = /^## From your own text[^\n]*\n([\s\S]*?)^## /m.exec(readme)[1];
const blocks = [...section.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
const files = blocks.filter(({ language }) => language === "yaml").map(({ text }) => ({ name: /^# (\S+)/.exec(text)[1], text }));
const commands = blocks.filter(({ language }) => language === "").flatMap(({ text }) => text.trim().split("\n"));

/** Some hundred kilobytes. */
async function writeTexts(to) {
  await mkdir(to);
  const pages = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md") && !name.includes("zh"));
  for (const [i, page] of pages.entries()) await writeFile(join(to, `${i}.txt`), await readFile(join(root, "docs", page)));
}

/** A folder for PATH in which `npx cria` is this checkout's. */
async function writeShim(to) {
  await mkdir(to);
  const main = join(root, "dist/cli/main.js");
  await writeFile(join(to, "npx"), `#!/bin/sh\n[ "$1" = cria ] && shift && exec "${process.execPath}" "${main}" "$@"\n`);
  await chmod(join(to, "npx"), 0o755);
}

test.skipIf(process.platform === "win32")("the commands run as they stand there, one after another", async () => {
  expect(files.map(({ name }) => name)).toEqual(["data.yaml", "train.yaml"]);
  expect(commands.map((command) => command.split(" ").slice(0, 3).join(" "))).toEqual([
    "npx cria tokenizer",
    "npx cria data",
    "npx cria train",
    "npx cria generate",
  ]);
  const [bin, work] = [join(folder, "bin"), join(folder, "empty")];
  await writeShim(bin);
  await mkdir(work);
  await writeTexts(join(work, "texts"));
  for (const { name, text } of files) await writeFile(join(work, name), text);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const printed = [];
  for (const command of commands) printed.push((await promisify(execFile)("sh", ["-c", command], { cwd: work, env })).stdout);
  expect(printed[0]).toMatch(/^tok\/tokenizer\.json: 2048 pieces, /);
  expect(printed[1]).toMatch(/\n {2}held-out +\d/);
  expect(printed[2]).toMatch(/held-out loss \d/);
  expect(printed[3].trim().length).toBeGreaterThan(0);
  expect((await readdir(work)).sort()).toEqual(["data", "data.yaml", "runs", "texts", "tok", "train.yaml"]);
});
