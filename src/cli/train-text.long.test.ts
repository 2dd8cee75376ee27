// cria train on a text so short that it has been read forty times before the time is over.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

test("a text that ends the run early is not advised to be trained on, nor to be given more time", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cria-short-text-"));
  try {
    const text = join(folder, "same.txt");
    await writeFile(text, Array.from({ length: 3000 }, (_, i) => `word${Math.sin(i ** 2) > 0 ? "s" : ""}`).join(" "));
    const { code, stdout } = await runWords(["train", text, "--minutes", "3", "--out", join(folder, "run")], commandRows);
    expect(code).toBe(0);
    expect(stdout).toContain("more passes over so little text would only learn it by heart");
    expect(stdout).toContain("let it write");
    expect(stdout).not.toMatch(/--resume|--minutes/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
