// gguf-py as the judge of what quantised blocks stand for (test/goldens/block_layouts.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dequantise } from "./dequantise.ts";
import { isQuantised, weightDTypes } from "./element-layouts.ts";

type Golden = Readonly<Record<string, { readonly blocks: string; readonly values: string }>>;
const golden = JSON.parse(readFileSync(new URL("../../test/goldens/block-layouts.golden.json", import.meta.url), "utf8")) as Golden;
const quantised = weightDTypes.filter(isQuantised);

test("gguf-py has said what every quantised layout means", () => {
  expect(Object.keys(golden).toSorted()).toEqual(quantised.toSorted());
});

// gguf-py computes in float32, where every product of scales and quants is exact: its values are the formulas', rounded once.
test.each(quantised)("%s has gguf-py's values, bit for bit, of ordinary and extreme scales", (name) => {
  const blocks = Buffer.from(golden[name]!.blocks, "base64");
  const wanted = new Float32Array(new Uint8Array(Buffer.from(golden[name]!.values, "base64")).buffer);
  const made = Float32Array.from(dequantise(name, blocks));
  expect(made.length).toBe(wanted.length);
  const differ = [...made.keys()].filter((i) => !Object.is(made[i], wanted[i]));
  expect(differ.map((i) => [i, made[i], wanted[i]])).toEqual([]);
});
