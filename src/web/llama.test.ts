// What a page's door does that needs no page; the pages themselves are test/web.test.mjs.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { memorySource, UsageError } from "../base/index.ts";
import { Llama as NodeLlama } from "../index.ts";
import type { LoadedLlama } from "../llama/index.ts";
import { tinyGguf } from "../load/tiny-gguf.test.helper.ts";
import { withFolder, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { type FileBytes, Llama } from "./llama.ts";
import { openBackend } from "./open-backend.ts";

const anything = (value: unknown) => value as never;

test("without an isolated page no threads are promised: the name says why, and a wish for some is refused", async () => {
  const backend = await openBackend();
  expect(backend.name).toMatch(/^cpu: wasm(\+fma)?, without worker threads: the page is not cross-origin isolated: serve it with /);
  await backend.dispose();
  const asked = await openBackend({ threads: 0 });
  expect(asked.name).toMatch(/^cpu: wasm(\+fma)?, without worker threads$/);
  await asked.dispose();
  await expect(openBackend({ threads: 2 })).rejects.toThrow(UsageError);
  await expect(openBackend(anything({ thread: 2 }))).rejects.toThrow('[cpu] unknown option "thread", did you mean "threads"?');
  await expect(openBackend({ threads: 2 })).rejects.toThrow(/^\[cpu\] threads is 2, but the page is not .*; or omit threads$/);
});

test("files are bytes of any kind, and write what the folder writes", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    const entries = await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const));
    const forms: ((name: string, bytes: Uint8Array<ArrayBuffer>) => FileBytes)[] = [
      (_, bytes) => bytes,
      (_, bytes) => bytes.buffer,
      (_, bytes) => new Blob([bytes]),
      (name, bytes) => memorySource(name, bytes),
    ];
    await using inNode = await NodeLlama.load(folder, { backend: referenceBackend() });
    expect(inNode.backendName).toMatch(/^reference/);
    const expected = await told(inNode);
    for (const form of forms) {
      const files = Object.fromEntries(entries.map(([name, bytes]) => [name, form(name, new Uint8Array(bytes))]));
      await using llama = await Llama.open(files, { backend: referenceBackend() });
      expect(await told(llama)).toBe(expected);
      expect(llama.backendName).toBe(inNode.backendName);
    }
  });
});

test("a GGUF alone is a model, and writes the tokens that the folder of the same model writes", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await using inNode = await NodeLlama.load(folder, { backend: referenceBackend() });
    await using llama = await Llama.open({ "tiny.gguf": tinyGguf() }, { backend: referenceBackend() });
    expect(await idsOf(llama)).toEqual(await idsOf(inNode));
  });
});

test("what a caller gets wrong is named", async () => {
  await expect(Llama.open(anything("model.bin"))).rejects.toThrow('[llama] the record of files is "model.bin" but must be an object');
  await expect(Llama.open({ "config.json": anything("{}") })).rejects.toThrow(
    "[llama] the file config.json is string but must be an ArrayBuffer",
  );
  await expect(Llama.open({}, anything({ thread: 2 }))).rejects.toThrow('[llama] unknown option "thread", did you mean "threads"?');
  await expect(Llama.open({})).rejects.toThrow("[model] model: it has no config.json");
  await expect(Llama.open({}, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

async function told(llama: LoadedLlama): Promise<string> {
  let text = "";
  for await (const part of llama.generate("ab", { maxTokens: 8, temperature: 0 })) text += part;
  return text;
}

async function idsOf(llama: LoadedLlama): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of llama.pieces("ab", { maxTokens: 8, temperature: 0 })) ids.push(id);
  return ids;
}
