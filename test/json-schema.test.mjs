// Grammars of random JSON schemas against ajv: whatever a grammar accepts is valid, and valid instances are accepted.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { judge } from "./json-schema.helper.mjs";

const { devDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

test(`random schemas as ajv ${devDependencies.ajv} has them`, () => {
  const { compiled, texts, accepted, rejected } = judge(0, 40);
  expect(compiled).toBeGreaterThan(25);
  expect(Math.min(texts, accepted, rejected)).toBeGreaterThan(100);
});
