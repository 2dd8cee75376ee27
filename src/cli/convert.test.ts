import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Conversion } from "../convert/index.ts";
import { writeVariant } from "../convert/variants.test.helper.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: string[]) => runWords(["convert", ...words], commandRows);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-convert-"));
  await writeVariant(folder, { dim: 64, hiddenDim: 128, contextLength: 32 });
  await writeFile(at("text.txt"), "ab a ba bab aab ab ab ba ba ab a b a aa bb ab ba\n".repeat(4));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a table names every tensor, its layout, its error, and what it has instead of what", async () => {
  const { code, stdout } = await run(folder, at("small.gguf"), "--type", "Q4_K_M", "--measure", at("text.txt"));
  expect(code).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(/^tensor +shape +layout +error$/);
  expect(lines).toContainEqual(
    expect.stringMatching(/^blk\.1\.attn_q\.weight +64 × 64 +q5_0 +\d(\.\d)? % +instead of q4_K: rows of 64 are no whole blocks of 256$/),
  );
  expect(lines).toContainEqual(expect.stringMatching(/^blk\.1\.attn_norm\.weight +64 +f32 +0$/));
  expect(stdout).toMatch(/\n\S*small\.gguf: GGUF of q4_K_M, [\d.]+ kB, [\d.]+ bits per weight\n/);
  expect(stdout).toMatch(/\nperplexity [\d.]+, then [\d.]+; bits per byte [\d.]+, then [\d.]+; \d+ tokens\n$/);
});

test("--json says all of it", async () => {
  const { code, stdout } = await run(at("small.gguf"), at("folder"), "--type", "f16", "--shard-bytes", "50k", "--json");
  expect(code).toBe(0);
  const made: Conversion = JSON.parse(stdout);
  expect(made).toMatchObject({ path: at("folder"), form: "Hugging Face folder", type: "f16" });
  expect(made.tensors[0]).toMatchObject({ parameter: "embedding", name: "model.embed_tokens.weight", dtype: "f16" });
  expect(await readdir(at("folder"))).toEqual(expect.arrayContaining(["tokenizer.json", "model.safetensors.index.json"]));
});

test.each([
  [[], 2, "MODEL is missing"],
  [["model"], 2, "OUT is missing: name a file that ends in .gguf, or a folder"],
  [["model", "out", "more"], 2, '"more" is one too many'],
  [["model", "out.gguf", "--type", "q4_k_n"], 2, '--type is "q4_k_n"'],
  [["model", "out.gguf", "--field", "x"], 2, "--field says how texts are read, but none is given: add --measure TEXT"],
  [["model", "out.gguf", "--calibrate", "-", "--measure", "-"], 2, "--calibrate and --measure are both -"],
  [["model", "out.gguf", "--tokens", "1"], 2, "--tokens is 1 but must be an integer, at least 2"],
  [["model", ""], 2, 'OUT is "": name a file that ends in .gguf, or a folder'],
  [["model", "hf:owner/name"], 2, 'OUT is "hf:owner/name", but models are written on this machine alone'],
  [["model", "out.safetensors"], 2, 'OUT is "out.safetensors", but .safetensors alone is no form that is written'],
  [["model", "nowhere/out.gguf"], 1, "nowhere/out.gguf: there is no folder nowhere: make it first"],
  [["none", "out.gguf"], 1, "none: no such file"],
  [["model", "out.gguf", "--measure", "no.txt"], 1, "no.txt: no such file"],
] as const)("%j ends with a reason", async (words, code, message) => {
  const found = await run(...words);
  expect(found.code).toBe(code);
  expect(found.stderr).toContain(message);
});

test.each([
  [["f.gguf", "--shard-bytes", "50k"], "files of 50000 bytes are asked for, but a GGUF is one file: leave it out (--shard-bytes)"],
  [["f", "--name", "x"], 'the name is "x", but a Hugging Face folder has none inside: leave it out (--name)'],
] as const)("%j would change nothing, and ends with a reason", async ([out, ...words], message) => {
  const { code, stderr } = await run(folder, at(out), ...words);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("a text to calibrate by that would change nothing is not read, and that is said", async () => {
  const { code, stderr } = await run(folder, at("plain.gguf"), "--type", "q8_0", "--calibrate", at("text.txt"));
  expect([code, stderr]).toEqual([0, expect.stringContaining("the type is q8_0, for which a text to calibrate by changes nothing")]);
});

test("the way out names the flag, and Ctrl-C leaves nothing", async () => {
  const { code, stderr } = await run(folder, at("other"), "--type", "q8_0");
  expect([code, stderr]).toEqual([2, expect.stringContaining("or let the name end in .gguf (--type)")]);
  const control = new AbortController();
  const progress = () => control.abort(new Interrupted("SIGINT"));
  const stopped = await runWords(["convert", folder, at("half.gguf")], commandRows, { signal: control.signal, progress });
  expect(stopped.code).toBe(130);
  expect((await readdir(folder)).filter((name) => name.startsWith("half"))).toEqual([]);
});
