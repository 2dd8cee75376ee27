// `cria` in a clone that was never built: it is built once, whatever was called, and standard output holds what the command prints.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const clone = mkdtempSync(join(tmpdir(), "cria-first-run-"));
afterAll(() => rmSync(clone, { recursive: true }));
mkdirSync(join(clone, "bin"));
cpSync(fileURLToPath(new URL("../bin/cria.mjs", import.meta.url)), join(clone, "bin/cria.mjs"));

/** Stands in for tools/setup.mjs: fails once, then makes a command that prints its words. */
const setup = `
  import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
  appendFileSync("builds", process.argv.slice(2).join(" ") + "\\n");
  console.log("added 9 packages");
  if (!existsSync("dist")) { mkdirSync("dist"); process.exit(3); }
  for (const folder of ["dist/cli", "dist/page"]) mkdirSync(folder);
  writeFileSync("dist/cli/main.js", "console.log(process.argv.slice(2).join())");
  writeFileSync("dist/page/index.html", "");`;

test("a clone is built before its first command, and a package that holds no build says so", async () => {
  expect(await cria("a", "b")).toEqual([1, "", expect.stringContaining("holds neither compiled code nor what compiles it")]);
  mkdirSync(join(clone, "tools"));
  writeFileSync(join(clone, "tools/setup.mjs"), setup);
  expect(await cria("a", "b")).toEqual([3, "", "added 9 packages\n"]);
  expect(await cria("a", "b")).toEqual([0, "a,b\n", "added 9 packages\n"]);
  expect(await cria("c")).toEqual([0, "c\n", ""]);
  expect(readFileSync(join(clone, "builds"), "utf8")).toBe("build\nbuild\n");
});

function cria(...words) {
  return new Promise((resolve) =>
    execFile(process.execPath, [join(clone, "bin/cria.mjs"), ...words], { cwd: clone }, (error, stdout, stderr) =>
      resolve([error?.code ?? 0, stdout, stderr]),
    ),
  );
}
