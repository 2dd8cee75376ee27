// What the pages on the paper compute by example is so: blocks of JavaScript are run, and their numbers are held against the code that they explain.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ropeOp, ropeTurns } from "../dist/graph/ops/rope.js";
import { f32, i32 } from "../dist/graph/tensor.js";
import { textbookBpe } from "../dist/study/textbook-bpe.js";

const paper = fileURLToPath(new URL("../docs/paper", import.meta.url));
const pages = ["en", "zh"].flatMap((language) => readdirSync(join(paper, language)).map((name) => join(language, name)));
const blocks = pages.flatMap((page) => {
  const text = readFileSync(join(paper, page), "utf8").replaceAll("\r\n", "\n");
  return [...text.matchAll(/^```js example\n([\s\S]*?)^```$/gm)].map(([, code], i) => ({ page, number: i + 1, code }));
});

/** Lines `const NAME = …; // → VALUE` of a block: what the page says, by name. */
function saidBy(code) {
  return Object.fromEntries([...code.matchAll(/^const (\w+) = .*\/\/ → (.*)$/gm)].map(([, name, value]) => [name, JSON.parse(value)]));
}

/** The values of the same names when the block runs. */
function runOf(code, names) {
  return new Function(`"use strict";\n${code}\nreturn { ${names.join(", ")} };`)();
}

const rounded = (value) => (Array.isArray(value) ? value.map(rounded) : Number(value.toFixed(4)) + 0);

test("both languages have examples", () => expect(new Set(blocks.map(({ page }) => page.slice(0, 2))).size).toBe(2));

test.each(blocks)("$page: example $number gives the values in its comments", ({ code }) => {
  const said = saidBy(code);
  expect(Object.keys(said).length).toBeGreaterThan(0);
  const found = runOf(code, Object.keys(said));
  for (const [name, value] of Object.entries(said)) expect(rounded(found[name]), name).toEqual(value);
});

test("the example of RoPE is what the model's op computes, and the product with the block-diagonal matrix", () => {
  const { code } = blocks.find(({ code }) => code.includes("rotated") && saidBy(code).y);
  const { x, m, theta, y } = runOf(code, ["x", "m", "theta", "y"]);
  const byOp = new Float64Array(x.length);
  const attributes = { headDim: x.length, pairing: "neighbours", attentionFactor: 1, inverse: false };
  const turns = ropeTurns(theta, "neighbours");
  ropeOp.reference([Float64Array.from(x), Int32Array.of(m), turns], [byOp], attributes, [f32(1, x.length), i32(1), i32(2, x.length)]);
  const byMatrix = x.map((_, row) => {
    const angle = m * theta[Math.floor(row / 2)];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return row % 2 === 0 ? cos * x[row] - sin * x[row + 1] : sin * x[row - 1] + cos * x[row];
  });
  y.forEach((value, c) => {
    expect(byOp[c]).toBeCloseTo(value, 12);
    expect(byMatrix[c]).toBeCloseTo(value, 12);
  });
});

test.each(["en", "zh"])("%s: the textbook's merges are those of the algorithm", (language) => {
  const text = readFileSync(join(paper, language, "tokenizer.md"), "utf8").replaceAll("\r\n", "\n");
  const [, words, before, steps] = /^```\n(low <\/w>×5.*)\n(l o w .*)\n([\s\S]*?)^```$/m.exec(text);
  const counted = words.split("   ").map((part) => /^(\w+) <\/w>×(\d+)$/.exec(part).slice(1));
  const corpus = counted.map(([word, count]) => `${word} `.repeat(Number(count))).join("");
  const rows = steps.trimEnd().split("\n");
  expect(before).toBe(counted.map(([word]) => `${[...word].join(" ")} </w>`).join(" · "));
  const found = textbookBpe(corpus, rows.length).map(
    ({ left, right, count, words }) =>
      `${`${left} + ${right}`.padEnd(14)}${count}   ${words.map((symbols) => symbols.join(" ")).join(" · ")}`,
  );
  expect(rows).toEqual(found);
});
