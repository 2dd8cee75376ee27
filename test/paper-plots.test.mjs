// The drawings of docs/paper are what the plot room draws from the data beside them, and the plan's is what the command in the page writes.

import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandRows } from "../dist/cli/commands.js";
import { runWords } from "../dist/cli/terminal.test.helper.js";
import { drawPlots } from "../tools/paper-plots.mjs";

const paper = fileURLToPath(new URL("../docs/paper", import.meta.url));
const folder = join(paper, "plots");
const drawn = drawPlots(folder);
/** A drawing to a hundredth of a pixel: machines' logarithms differ in their last digits. */
const rounded = (svg) => svg.replaceAll("\r\n", "\n").replace(/-?\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(2))));

test.each(drawn.map(([file, svg]) => ({ name: basename(file), file, svg })))("$name is drawn from its data", ({ file, svg }) => {
  expect(rounded(readFileSync(file, "utf8")) === rounded(svg), "node tools/paper-results.mjs draws it anew").toBe(true);
});

test("the plan's plot is what the command in the page writes, and every other one has its data", async () => {
  const others = readdirSync(folder).filter((name) => name.endsWith(".svg") && !drawn.some(([file]) => basename(file) === name));
  expect(others).toEqual(["plan.svg"]);
  const [, words] = /`cria (plan [^`]*--svg FILE)`/.exec(readFileSync(join(paper, "en", "scaling.md"), "utf8"));
  const out = await mkdtemp(join(tmpdir(), "cria-plan-"));
  try {
    const file = join(out, "plan.svg");
    const given = words.split(" ").map((word) => (word === "FILE" ? file : word));
    expect((await runWords(given, commandRows)).code).toBe(0);
    expect(rounded(await readFile(join(folder, "plan.svg"), "utf8")) === rounded(await readFile(file, "utf8")), "write it again").toBe(
      true,
    );
  } finally {
    await rm(out, { recursive: true });
  }
});
