import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { elementLayouts } from "../base/index.ts";
import { Llama, openModel } from "../index.ts";
import { tinyChatTemplate, withFolder, writeTinyBin, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { parameterRows, ropeAttention, ropeFrequencies } from "../model/index.ts";
import { type Conversion, convertModel, HeldModel, textSample } from "./index.ts";
import { variants, writeVariant } from "./variants.test.helper.ts";

const text = ["ab a ba bab aab ab ab", "ba ba ab a b a aa bb ab ba"];

/** The 16 most probable tokens behind a text, and how a chat renders. */
async function greedy(path: string) {
  await using llama = await Llama.load(path, { backend: referenceBackend() });
  const ids: number[] = [];
  for await (const { id } of llama.pieces("ab a", { temperature: 0, maxTokens: 16, stopIds: [] })) ids.push(id);
  return { ids, chat: llama.renderChat([{ role: "user", content: "ab" }]).text };
}

test.each(variants)("$name: a GGUF holds the same model", async ({ architecture, parts }) => {
  await withFolder(async (folder) => {
    await writeVariant(folder, parts);
    const path = join(folder, "model.gguf");
    const made = await convertModel(folder, path);
    expect([made.form, made.type, Math.max(...made.tensors.map(({ error }) => error))]).toEqual(["GGUF", "f32", 0]);
    await using source = await openModel(folder);
    await using written = await openModel(path);
    const { ropeScaling: scaling, ropePairing: pairing, ...config } = written.config;
    expect({ ...source.config, ...config }).toEqual(source.config);
    expect(pairing).toBe(architecture.startsWith("qwen") ? "half" : "neighbours");
    expect(scaling.type).toBe(source.config.ropeScaling.type);
    for (const position of [0, 100]) {
      const wanted = ropeFrequencies(source.config, position);
      ropeFrequencies(written.config, position).forEach((f, i) => void expect(f / wanted[i]!).toBeCloseTo(1, 6));
    }
    expect(ropeAttention(written.config)).toBeCloseTo(ropeAttention(source.config), 6);
  });
});

test("what a converted model writes is the same, its template and its ends with it, and in q8_0 it expects texts as before", async () => {
  await withFolder(async (folder) => {
    await writeVariant(folder, { dim: 64, hiddenDim: 96, vocabSize: 300 }); // padded beyond the tokenizer's 265 pieces
    const [gguf, again, small] = ["model.gguf", "again", "small.gguf"].map((name) => join(folder, name)) as [string, string, string];
    await convertModel(folder, gguf);
    await convertModel(gguf, again);
    const { tensors, measured } = await convertModel(again, small, { type: "q8_0", measure: text, backend: referenceBackend() });
    const expected = await greedy(folder);
    expect(await greedy(gguf)).toEqual(expected);
    expect(await greedy(again)).toEqual(expected);
    expect((await greedy(small)).chat).toBe(expected.chat);
    expect(Math.abs(measured!.after.loss / measured!.before.loss - 1)).toBeLessThan(0.01);
    for (const { dtype, error } of tensors) expect(error).toBeLessThan(dtype === "q8_0" ? 0.006 : 1e-9);
    for (const path of [gguf, again, small]) {
      await using model = await openModel(path);
      const { templateTexts, endOfTurn } = await model.openChat(await model.openTokenizer());
      expect([...templateTexts]).toEqual([["default", tinyChatTemplate]]);
      expect(endOfTurn).toContain(2);
    }
  });
});

test("the type is the model's own where nothing is said, and must be said of a quantised one", async () => {
  await withFolder(async (folder) => {
    const bin = await writeTinyBin(folder);
    const at = (name: string) => join(folder, name);
    expect((await convertModel(bin, at("half"), { type: "bf16" })).type).toBe("bf16");
    const { type, bytes, tensors } = await convertModel(at("half"), at("half.gguf"));
    expect([type, tensors.filter(({ shape }) => shape.length === 2).every(({ dtype }) => dtype === "bf16")]).toEqual(["bf16", true]);
    expect(tensors.every(({ error }) => error === 0)).toBe(true);
    expect(bytes).toBeGreaterThan(2 * tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0));
    await writeVariant(folder, {});
    await convertModel(folder, at("small.gguf"), { type: "q4_0" });
    await expect(convertModel(at("small.gguf"), at("out.gguf"))).rejects.toThrow(
      /small\.gguf: its weights are q4_0, which are written anew: say a type, one of f32, f16, bf16, q8_0/,
    );
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    await convertModel(at("small.gguf"), at("same.gguf"), { type: "q4_0", onWarning });
    await convertModel(at("small.gguf"), at("floats.gguf"), { type: "f16", onWarning });
    expect(warnings).toEqual([]);
    await convertModel(at("small.gguf"), at("twice.gguf"), { type: "q5_1", onWarning });
    expect(warnings).toEqual([
      expect.stringContaining("its weights are q4_0, q8_0 already, so that q5_1 loses more than it does of floats"),
    ]);
    await expect(convertModel(folder, at("out"), { type: "q4_0" })).rejects.toThrow(
      "[convert] the type is q4_0, but a Hugging Face folder has f32, bf16, f16: take one of these, or let the name end in .gguf",
    );
  });
});

test("what has its layout already keeps its bytes, whatever a search would find", async () => {
  await withFolder(async (folder) => {
    await writeVariant(folder, { dim: 256, hiddenDim: 256, nLayers: 1, contextLength: 32 });
    const [first, again] = [join(folder, "first.gguf"), join(folder, "again.gguf")];
    await convertModel(folder, first, { type: "q5_K_S", name: "same" });
    const { tensors } = await convertModel(first, again, { type: "q5_K_S", name: "same" });
    expect(tensors.map(({ error }) => error)).toEqual(tensors.map(() => 0));
    expect(Buffer.compare(await readFile(first), await readFile(again))).toBe(0);
  });
});

test("nothing that is there is replaced, and a text needs a backend", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    const path = join(folder, "there.gguf");
    await writeFile(path, "mine");
    await expect(convertModel(folder, path)).rejects.toThrow("there.gguf: it is there already: name another place, or remove it first");
    await mkdir(join(folder, "full"));
    await writeFile(join(folder, "full", "mine"), "");
    await expect(convertModel(folder, join(folder, "full"))).rejects.toThrow("it is not empty");
    await expect(convertModel(folder, join(folder, "new.gguf"), { measure: ["ab"] })).rejects.toThrow(
      "a text is given, but no backend to read it with: give a backend, too",
    );
    await expect(convertModel(folder, join(folder, "new.gguf"), { measure: [], backend: referenceBackend() })).rejects.toThrow(
      "[convert] the text has 0 tokens: it needs at least 2",
    );
    expect((await readdir(folder)).sort()).toEqual([
      "config.json",
      "full",
      "model.safetensors",
      "there.gguf",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });
});

/** Σ over the matrices that have an importance of the weighted squared errors. */
async function weightedError(source: string, made: string, importance: ReadonlyMap<string, Float32Array>): Promise<number> {
  await using before = await openModel(source);
  await using after = await openModel(made);
  expect(after.config.ropePairing).toBe("half");
  let sum = 0;
  for (const row of parameterRows(before.config)) {
    const weights = importance.get(row.name);
    if (weights === undefined) continue;
    const [x, y] = [await before.weights.read(row), await after.weights.read(row)];
    for (let i = 0; i < x.length; i++) sum += weights[i % weights.length]! * (x[i]! - y[i]!) ** 2;
  }
  return sum;
}

test("calibrated by a text, super-blocks lose less where its activations are large; the loss is measured before and after", async () => {
  await withFolder(async (folder) => {
    // A Qwen2, whose heads keep their order.
    await writeVariant(folder, { dim: 256, hiddenDim: 256, nLayers: 1, qkvBias: true, contextLength: 32 });
    const [plain, calibrated] = [join(folder, "plain.gguf"), join(folder, "calibrated.gguf")];
    const backend = referenceBackend();
    const first: Conversion = await convertModel(folder, plain, { type: "q4_K_S", measure: text, backend });
    const second = await convertModel(folder, calibrated, { type: "q4_K_S", calibrate: text, backend });
    await using model = await openModel(folder);
    using held = await HeldModel.load(backend, model);
    const importance = await held.meanSquares(await textSample(text, await model.openTokenizer()));
    expect(await weightedError(folder, calibrated, importance)).toBeLessThan(0.97 * (await weightedError(folder, plain, importance)));
    expect(second.measured).toBeUndefined();
    const { before, after } = first.measured!;
    expect(before.tokens).toBe(after.tokens);
    expect(Math.abs(after.loss / before.loss - 1)).toBeLessThan(0.1);
    expect(after.loss).not.toBe(before.loss);
    expect(first.tensors.map(({ dtype }) => elementLayouts[dtype].block)).toContain(256);
  });
});
