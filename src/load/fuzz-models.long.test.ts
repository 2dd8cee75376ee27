// Models whose files have something changed, or are cut short: they open, and every tensor of theirs is read, or they are refused in a sentence. The file
// is one of a Hugging Face folder's (config, index, weights in one file or several) or a llama2.c .bin.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CriaError, memorySource, Rng } from "../base/index.ts";
import { openModel, sourceFiles } from "../open/index.ts";
import { withFolder, writeTinyBin, writeTinyFolder } from "./tiny-model.test.helper.ts";

const rounds = 10_000;

type Files = ReadonlyMap<string, Uint8Array>;

async function filesOf(write: (folder: string) => Promise<unknown>): Promise<Files> {
  return withFolder(async (folder) => {
    await write(folder);
    const names = await readdir(folder);
    return new Map(await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const)));
  });
}

/** Some bytes changed, mostly where headers are; a third of the files cut short. */
function changed(bytes: Uint8Array, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  const head = Math.min(copy.length, 2000);
  for (let count = 1 + rng.below(4); count > 0; count--) {
    const at = rng.below(rng.below(4) === 0 ? copy.length : head);
    copy[at] = rng.below(3) === 0 ? copy[at]! ^ (1 << rng.below(8)) : rng.below(256);
  }
  return rng.below(3) === 0 ? copy.subarray(0, rng.below(copy.length + 1)) : copy;
}

/** @returns whether the model was read */
async function readAll(files: Files, file: string | undefined): Promise<boolean> {
  const sources = Object.fromEntries([...files].map(([name, bytes]) => [name, memorySource(name, bytes)]));
  try {
    await using model = await openModel(sourceFiles("fuzzed", sources), file === undefined ? {} : { file });
    for (const name of model.tensors.tensors.keys()) await model.tensors.readFloat32(name);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(CriaError);
    return false;
  }
}

test.each([
  { name: "a folder", write: (folder: string) => writeTinyFolder(folder), file: undefined, parts: /^(?:config\.json|model.*)$/ },
  { name: "a folder of shards", write: (folder: string) => writeTinyFolder(folder, { shards: 3 }), file: undefined, parts: /^model/ },
  { name: "llama2.c's .bin", write: writeTinyBin, file: "tiny.bin", parts: /^tiny\.bin$/ },
])("$name, 10,000 times changed", { timeout: 1_800_000 }, async ({ write, file, parts }) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const rng = new Rng(seed);
  const files = await filesOf(write);
  const names = [...files.keys()].filter((name) => parts.test(name));
  let [read, most] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const name = names[round % names.length]!;
    if (await readAll(new Map([...files, [name, changed(files.get(name)!, rng)]]), file)) read++;
    if (round % 100 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  expect(read).toBeGreaterThan(100);
  expect(rounds - read).toBeGreaterThan(1000);
  expect(most).toBeLessThan(2 ** 30);
});
