// Writes run folders of small models and asks PyTorch for their logits, for the tests beside.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { referenceBackend } from "../dist/backend/reference/index.js";
import { hfName } from "../dist/formats/index.js";
import { SequenceModel } from "../dist/infer/index.js";
import { initialise, parameterRows } from "../dist/model/index.js";
import { saveModel, startRunFolder } from "../dist/runs/index.js";
import { completeRecipe, parseRecipe } from "../dist/train/index.js";

const script = fileURLToPath(new URL("goldens/check_run_folder.py", import.meta.url));
const ids = [1, 5, 7, 300, 9, 11, 2];

/** A Python that has torch; undefined where there is none. */
export const python = [process.env.CRIA_PYTHON ?? "python3", "python3", "/usr/bin/python3"].find((name) => hasModule(name, "torch"));
export const text = "  a llama<s> is </s>a ẞ llama";

/** Writes a run folder of a model with these parts, and compares its logits in PyTorch with ours. @returns what the script found */
export async function compareLogits(folder, parts, tokenizer) {
  const model = { vocabSize: 301, dim: 24, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 40, contextLength: 16, ...parts };
  const recipe = completeRecipe(parseRecipe({ data: "data", tokenizer: "t", model, steps: 1 }, "test"), tokenizer.pieces.length);
  await startRunFolder(folder, recipe, tokenizer);
  const weights = initialise(parameterRows(recipe.model), 5);
  for (const [name, values] of weights)
    for (let i = 0; i < values.length; i++) values[i] = name.endsWith(".bias") ? Math.sin(i) : values[i] * 4; // logits that differ from each other
  await saveModel(folder, stored(recipe.model, weights));
  const found = JSON.parse(execFileSync(python, [script, folder, ids.join(","), "--text", text], { encoding: "utf8" }));
  const expected = await logitsOf(recipe.model, weights);
  const difference = Math.max(...found.logits.flat().map((logit, i) => Math.abs(logit - expected[i])));
  expect(found.logits.length).toBe(ids.length);
  expect(difference / Math.max(...expected.map(Math.abs))).toBeLessThan(1e-4);
  return found;
}

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

export function hasModule(name, module) {
  try {
    execFileSync(name, ["-c", `import ${module}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
