// What transformers says of a model whose files a golden holds: logits of every row of a prompt, and greedy tokens (test/goldens/meta.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Backend } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { generateTokens, SequenceModel } from "./infer/index.ts";
import type { OpenModel } from "./load/index.ts";

export interface Said {
  readonly name: string;
  /** [T, V] of the prompt, as base64 of little-endian float32. */
  readonly logits: string;
  readonly tokens: readonly number[];
}

/** A golden of test/goldens by its name. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../test/goldens/${name}.golden.json`, import.meta.url), "utf8"));
}

/** A file out of base64 of gzip. */
export function unpack(file: string): Uint8Array {
  return Uint8Array.from(gunzipSync(Buffer.from(file, "base64")));
}

/** The model gives these logits after a part of the prompt and after all of it, and these tokens. */
export async function expectSaid(
  { config, weights }: Pick<OpenModel, "config" | "weights">,
  { logits, tokens }: Said,
  prompt: readonly number[],
  backend: Backend = referenceBackend(),
): Promise<void> {
  await using sequences = await SequenceModel.open(backend, config, weights, { contextLength: Math.min(config.contextLength, 64) });
  const rows = new Float32Array(Uint8Array.from(Buffer.from(logits, "base64")).buffer);
  for (const length of [1, 6, prompt.length]) {
    const found = await sequences.sequence().next(prompt.slice(0, length));
    const expected = rows.subarray((length - 1) * found.length, length * found.length);
    const most = Math.max(...expected.map(Math.abs));
    expect(expected.length).toBe(found.length);
    for (const [i, value] of found.entries()) expect(Math.abs(value - (expected[i] ?? Number.NaN)), `logit ${i}`).toBeLessThan(1e-4 * most);
  }
  const written: number[] = [];
  for await (const { id } of generateTokens(sequences, prompt, { temperature: 0, maxTokens: tokens.length })) written.push(id);
  expect(written).toEqual(tokens);
}
