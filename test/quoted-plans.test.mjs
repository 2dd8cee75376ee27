// What the documents quote of `cria plan` is what it prints in a terminal so wide that nothing wraps: the same lines in the same order, with … for what is left out.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandRows } from "../dist/cli/commands.js";
import { runWords } from "../dist/cli/terminal.test.helper.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = ["README.md", ...["en", "zh"].flatMap((language) => markdownIn(join("docs", "paper", language)))];
const quotations = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), "utf8").replaceAll("\r\n", "\n");
  return [...text.matchAll(/^```\n\$ cria (plan .*)\n([\s\S]*?)^```$/gm)].map(([, words, quoted]) => ({ page, words, quoted }));
});

function markdownIn(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

test("there are some", () => expect(quotations.length).toBeGreaterThan(5));

test.each(quotations)("$page: cria $words", async ({ words, quoted }) => {
  const { code, stdout } = await runWords(words.split(" "), commandRows, { width: 1000 });
  expect(code).toBe(0);
  const printed = stdout.split("\n");
  let from = 0;
  for (const line of quoted.trimEnd().split("\n")) {
    if (line === "…") continue;
    const at = printed.indexOf(line, from);
    expect(at, `"${line}" in the output, from line ${from + 1} on`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
});
