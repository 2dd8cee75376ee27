// The comparison with other programs, where none of these is there: its tests by name, its file of rounds, and what it refuses.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { run } from "../bench/models.mjs";
import { writeRandomModel } from "../bench/write-models.mjs";
import { folderForAll } from "../dist/files/with-folder.test.helper.js";
import { llamaConfig } from "../dist/model/index.js";

const config = llamaConfig({ vocabSize: 300, dim: 64, nLayers: 1, nHeads: 2, hiddenDim: 64, contextLength: 64, ropePairing: "neighbours" });
const folder = folderForAll(async (at) => writeRandomModel(join(at, "tiny.gguf"), config, { type: "q8_0", seed: 1, name: "tiny" }));
let file;
beforeAll(() => {
  file = join(folder(), "tiny.gguf");
});

test("rounds of several calls add up in the file", async () => {
  const lines = [];
  vi.spyOn(console, "log").mockImplementation((line) => lines.push(line));
  const json = join(folder(), "rounds.json");
  const words = ["--file", file, "--peers", "cria", "--threads", "1", "--json", json];
  await run([...words, "--only", "pp9,tg3x2@d8", "--rounds", "1"]);
  await run([...words, "--only", "pp9", "--rounds", "1"]);
  vi.restoreAllMocks();
  const { summary, rounds } = JSON.parse(await readFile(json, "utf8"));
  expect(rounds).toHaveLength(3);
  expect(summary.map(({ test, name, rounds }) => [test, name, rounds])).toEqual([
    ["pp9", "cria", 2],
    ["tg3 × 2 @ d8", "cria", 1],
  ]);
  expect(summary[1].share).toBeGreaterThan(0);
  expect(lines.filter((line) => line.startsWith("| tiny.gguf | pp9 "))).toHaveLength(2);
});

test("what is misspelt is refused by name", async () => {
  await expect(run(["--file", file, "--only", "pp9,bb3"])).rejects.toThrow('--only has "bb3": tests are such as pp512');
  await expect(run(["--file", file, "--peers", "vllm"])).rejects.toThrow('--peers has "vllm": there are cria');
  await expect(run(["--file", file, "--rounds", "0"])).rejects.toThrow('--rounds is "0" but must be a whole number');
  await expect(run(["--shape", "7B", "--folder", folder()])).rejects.toThrow('--shape has "7B"');
});
