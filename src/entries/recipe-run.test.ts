import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepare } from "../corpus/index.ts";
import { tokenizerJson } from "../formats/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { parseDataRecipe } from "./data.ts";
import { beginRun, openCpuBackend, readMetrics, resumeRun, runPaths } from "./train.ts";

let folder = "";
const at = (name: string) => join(folder, name);
const backend = await openCpuBackend({ threads: 1 });
const model = { dim: 16, nLayers: 1, nHeads: 2, hiddenDim: 24, contextLength: 16 };
const recipe = (more: object = {}) => ({
  ...{ data: at("data"), tokenizer: at("tokenizer.json"), model, steps: 8, batch: 2, precision: "float32", checkpoints: { every: 4 } },
  ...more,
});
const weights = async (run: string) => readFile(runPaths(at(run)).model);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-entries-"));
  const text = Array.from({ length: 80 }, (_, i) => `a young llama, ${i}, that sings`);
  await writeFile(at("text.txt"), text.join("\n\n"));
  const trained = await trainTokenizer(text, { kind: "bytes", vocabSize: 280, specials: { bos: "<s>", eos: "</s>" } });
  await writeFile(at("tokenizer.json"), JSON.stringify(tokenizerJson(trained)));
  const sources = [{ paths: at("text.txt"), separator: "blank-lines" }];
  await prepare(parseDataRecipe({ sources, heldOut: 0.1 }), createTokenizer(trained), at("data"));
});
afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

test("a run that was stopped and goes on has the weights of one that was not, and a backend of its own gives the same", async () => {
  const whole = await beginRun(recipe(), at("whole"), { backend });
  expect(whole).toMatchObject({ started: 0, step: 8, steps: 8, stopped: false });
  const stop = new AbortController();
  const first = await beginRun(recipe(), at("pieces"), { signal: stop.signal, onStep: ({ step }) => step === 3 && stop.abort() });
  expect(first).toMatchObject({ step: 3, stopped: true, savedStep: 3 });
  expect(await resumeRun(at("pieces"), { backend })).toMatchObject({ started: 3, step: 8, evaluation: whole.evaluation });
  expect((await weights("pieces")).equals(await weights("whole"))).toBe(true);
  const losses = async (run: string) => (await readMetrics(runPaths(at(run)).metrics)).flatMap((row) => ("loss" in row ? [row.loss] : []));
  expect(await losses("pieces")).toEqual(await losses("whole"));
  await expect(beginRun(recipe(), at("whole"), { backend })).rejects.toThrow("it holds a run: go on with it, or choose another folder");
});

test("a recipe that was changed since the checkpoint is refused, and one with mistakes before anything is made", async () => {
  await beginRun(recipe({ steps: 4 }), at("changed"), { backend });
  const path = runPaths(at("changed")).recipe;
  await writeFile(path, (await readFile(path, "utf8")).replace(/^seed: 0$/m, "seed: 5"));
  await expect(resumeRun(at("changed"), { backend })).rejects.toThrow("seed is 5 but was 0 when its checkpoint was made");
  await expect(beginRun({ ...recipe(), stepz: 3 }, at("none"), { backend })).rejects.toThrow('unknown key "stepz", did you mean "steps"?');
  await expect(readFile(runPaths(at("none")).recipe)).rejects.toThrow("ENOENT");
});
