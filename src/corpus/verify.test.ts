import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { prepare } from "./prepare.ts";
import { PreparedData } from "./prepared.ts";
import { dataRecipe } from "./recipe.ts";
import { verifyPrepared } from "./verify.ts";

const root = mkdtempSync(join(tmpdir(), "cria-verify-"));
const folder = join(root, "data");
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(async () => {
  const text = Array.from({ length: 60 }, (_, i) => `Document ${i} says ${"so ".repeat(i % 7)}much.`);
  writeFileSync(join(root, "text.txt"), text.join("\n\n"));
  const recipe = dataRecipe.parse({
    sources: [{ name: "text", paths: "text.txt", separator: "blank-lines", weight: 1 }],
    ...{ heldOut: 0.2, shardTokens: 400 },
  });
  const model = await trainTokenizer(text, { kind: "bytes", vocabSize: 280, pattern: "gpt2", specials: { bos: "<s>", eos: "</s>" } });
  await prepare(recipe, createTokenizer(model), folder, { folder: root });
});

test("what was prepared is what the manifest says; a bit that flips anywhere is found, and the file named", async () => {
  const seen: number[] = [];
  const { files, bytes, hasChecksums } = await verifyPrepared(folder, { progress: ({ done }) => seen.push(done) });
  expect(hasChecksums).toBe(true);
  expect(files).toBeGreaterThan(3);
  expect(seen.at(-1)).toBe(bytes);
  const rng = new Rng(2);
  for (const name of ["text-00001.tokens", "held-out-00000.tokens", "held-out.jsonl"]) {
    const path = join(folder, name);
    const valid = readFileSync(path);
    const changed = Buffer.from(valid);
    changed[rng.below(changed.length - 64) + 32]! ^= 1;
    writeFileSync(path, changed);
    await expect(verifyPrepared(folder)).rejects.toThrow(
      new RegExp(
        `^\\[data\\] .*data: 1 of ${files} files are not what was written: ${name} has SHA-256 [0-9a-f]{64} but had [0-9a-f]{64}: prepare it again$`,
      ),
    );
    writeFileSync(path, valid);
  }
  await verifyPrepared(folder);
});

test("it can be stopped", async () => {
  const controller = new AbortController();
  const progress = () => controller.abort(new Error("interrupted"));
  await expect(verifyPrepared(folder, { progress, signal: controller.signal })).rejects.toThrow(/^interrupted$/);
});

test("a folder of an earlier version has no checksums, and its tokens and documents are looked at", async () => {
  const old = join(root, "old");
  cpSync(fileURLToPath(new URL("../../test/fixtures/2026-11-28/data", import.meta.url)), old, { recursive: true });
  expect(await verifyPrepared(old)).toMatchObject({ hasChecksums: false });
  const path = join(old, "rests-00000.tokens");
  const bytes = readFileSync(path);
  bytes.writeUInt16LE(290, 40);
  writeFileSync(path, bytes);
  await expect(verifyPrepared(old)).rejects.toThrow(/rests-00000\.tokens: token 4 is 290 but the vocabulary has 290/);
});

test("a manifest with anything changed opens, or is refused in the house's form", async () => {
  const path = join(folder, "manifest.json");
  const valid = readFileSync(path, "utf8");
  const rng = new Rng(4);
  const parts = [...valid.matchAll(/"[^"]*"(?!:)|\d+|[{}[\],:]/g)];
  const odd = ["null", "-1", "1e999", "[]", "{}", '""', '"../x"', "true", "0.5", ""];
  for (let round = 0; round < 60; round++) {
    const { 0: part, index } = parts[rng.below(parts.length)]!;
    writeFileSync(path, valid.slice(0, index) + odd[rng.below(odd.length)] + valid.slice(index + part.length));
    const problem = await PreparedData.open(folder).then(
      (data) => data.close(),
      (error: unknown) => error,
    );
    if (problem !== undefined) expect(problem).toBeInstanceOf(CriaError);
  }
  writeFileSync(path, valid.replace(/"documents": (\d+)/, '"documents": 7'));
  await expect(PreparedData.open(folder)).rejects.toThrow(/hold \d+ documents but the manifest says 7: prepare it again/);
  writeFileSync(path, valid);
});
