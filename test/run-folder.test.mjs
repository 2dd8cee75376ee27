// A run folder as other tools see it: PyTorch, through transformers where that is installed, else a small reader, gives our logits.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { referenceBackend } from "../dist/backend/reference/index.js";
import { hfName } from "../dist/formats/index.js";
import { SequenceModel } from "../dist/infer/index.js";
import { initialise, parameterRows } from "../dist/model/index.js";
import { createTokenizer, trainTokenizer } from "../dist/tokenizer/index.js";
import { completeRecipe, parseRecipe, saveModel, startRunFolder } from "../dist/train/index.js";

const script = fileURLToPath(new URL("goldens/check_run_folder.py", import.meta.url));
const python = ["python3", "/usr/bin/python3"].find(hasTorch);
const ids = [1, 5, 7, 300, 9, 11, 2];

const text = "  a llama<s> is </s>a ẞ llama";

test("the logits of a run folder are the same in PyTorch, and a text's ids in transformers", async (context) => {
  if (python === undefined) return context.skip("there is no Python with torch here");
  const folder = await mkdtemp(join(tmpdir(), "cria-run-"));
  try {
    const tokenizer = await trainTokenizer(["a llama is a llama"], {
      kind: "sentencepiece",
      vocabSize: 272,
      specials: { unk: "<unk>", bos: "<s>", eos: "</s>" },
    });
    const model = { vocabSize: 301, dim: 24, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 40, contextLength: 16 };
    const recipe = completeRecipe(parseRecipe({ data: "data", tokenizer: "t", model, steps: 1 }, "test"), tokenizer.pieces.length);
    await startRunFolder(folder, recipe, tokenizer);
    const weights = initialise(parameterRows(recipe.model), 5);
    for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] *= 4; // logits that differ from each other
    await saveModel(folder, stored(recipe.model, weights));
    const found = JSON.parse(execFileSync(python, [script, folder, ids.join(","), "--text", text], { encoding: "utf8" }));
    const textIds = createTokenizer(tokenizer).encode(text, { template: true, parseSpecial: true });
    if (found.text_ids !== null) expect(found.text_ids).toEqual([...textIds]);
    const expected = await logitsOf(recipe.model, weights);
    const difference = Math.max(...found.logits.flat().map((logit, i) => Math.abs(logit - expected[i])));
    expect(found.logits.length).toBe(ids.length);
    expect(difference / Math.max(...expected.map(Math.abs))).toBeLessThan(1e-4);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function stored(config, weights) {
  const write = () => Promise.resolve();
  return parameterRows(config).map(({ name, shape }) => {
    return { part: "model", name: hfName(name), shape, read: () => Promise.resolve(weights.get(name)), write };
  });
}

async function logitsOf(config, weights) {
  const model = await SequenceModel.open(referenceBackend(), config, { read: async ({ name }) => weights.get(name) });
  const [{ logits }] = await model.run([{ sequence: model.sequence(), ids, logits: "all" }]);
  return logits.flatMap((row) => [...row]);
}

function hasTorch(name) {
  try {
    execFileSync(name, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
