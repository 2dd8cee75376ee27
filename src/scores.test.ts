// Embeddings and scores as transformers and lm-evaluation-harness have them (test/goldens/scores.py), saved texts, and what callers get wrong.
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "./backend/reference/index.ts";
import { Rng } from "./base/index.ts";
import { atomicWrite, atomicWriteJson } from "./files/index.ts";
import { type TensorToWrite, writeSafetensors } from "./formats/index.ts";
import { chooseTarget, openCpuBackend } from "./host/index.ts";
import { Llama } from "./index.ts";
import { embedTexts, joinScores, rollingWindows, type Score, SequenceModel, scoreTexts } from "./infer/index.ts";
import { openModel } from "./load/index.ts";
import { withFolder, writeTinyFolder } from "./load/tiny-model.test.helper.ts";
import { goldenWeights } from "./model/goldens.test.helper.ts";

interface Golden {
  readonly prefix: number;
  readonly embeddings: readonly { readonly text: readonly number[]; readonly mean: readonly number[]; readonly last: readonly number[] }[];
  readonly scores: readonly {
    readonly prompt: readonly number[];
    readonly continuations: readonly {
      readonly continuation: readonly number[];
      readonly logProbabilities: readonly number[];
      readonly isGreedy: boolean;
    }[];
  }[];
  readonly rolling: readonly { readonly text: readonly number[]; readonly overlap: number; readonly logProbabilities: readonly number[] }[];
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../test/goldens/${name}.golden.json`, import.meta.url), "utf8"));
const golden: Golden = read("scores");
const { parameters, config } = read("hugging-face");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-scores-"));
  const weights = goldenWeights({ parameters });
  const tensors = parameters.map(
    ({ name, shape }: { name: string; shape: number[] }): TensorToWrite => ({ name, dtype: "F32", shape, data: weights.get(name)! }),
  );
  await atomicWrite(join(folder, "model.safetensors"), writeSafetensors(tensors, { format: "pt" }));
  await atomicWriteJson(join(folder, "config.json"), config);
});
afterAll(() => rm(folder, { recursive: true }));

const close = (found: ArrayLike<number>, expected: readonly number[], digits: number) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, digits));
};

const backends = ["reference"];
for (const target of ["wasm", "avx2", "avx512"]) if (await chooseTarget(target).catch(() => undefined)) backends.push(target);

describe.each(backends)("on %s", (target) => {
  const digits = 4;
  const withModel = async (check: (model: SequenceModel) => Promise<void>) => {
    await using backend = target === "reference" ? referenceBackend() : await openCpuBackend({ threads: 2, target });
    await using opened = await openModel(folder);
    await using model = await SequenceModel.open(backend, opened.config, opened.weights);
    await check(model);
    expect(model.counts.heldPages).toBe(0);
  };

  test("embeddings are those of transformers", () =>
    withModel(async (model) => {
      const texts = golden.embeddings.map(({ text }) => text);
      for (const pooling of ["mean", "last"] as const) {
        const plain = await embedTexts(model, texts, { pooling, normalise: false });
        const unit = await embedTexts(model, texts, { pooling });
        for (const [i, expected] of golden.embeddings.entries()) {
          close(plain[i]!, expected[pooling], digits);
          const length = Math.hypot(...expected[pooling]);
          close(
            unit[i]!,
            expected[pooling].map((x) => x / length),
            digits,
          );
        }
      }
      expect(await embedTexts(model, [])).toEqual([]);
    }));

  test("scores are those of transformers, and what continuations share is computed once", () =>
    withModel(async (model) => {
      for (const { prompt, continuations } of golden.scores) {
        const before = model.counts.rows;
        const texts = continuations.map(({ continuation }) => ({ ids: [...prompt, ...continuation], from: prompt.length }));
        const scores = await scoreTexts(model, texts, { cacheSalt: String(prompt.length) });
        const own = texts.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
        expect(model.counts.rows - before).toBe(prompt.length - 1 + own);
        for (const [i, { continuation, logProbabilities, isGreedy }] of continuations.entries()) {
          const score = scores[i]!;
          expect([score.isGreedy, score.tokens.map(({ id }) => id)]).toEqual([isGreedy, continuation]);
          close(
            score.tokens.map(({ logProbability }) => logProbability),
            logProbabilities,
            digits,
          );
          expect(score.logProbability).toBeCloseTo(
            logProbabilities.reduce((sum, value) => sum + value, 0),
            digits - 1,
          );
        }
        expect(await scoreTexts(model, texts.slice(1, 2))).toEqual(scores.slice(1, 2)); // Bits are the same alone and among others.
      }
    }));

  test("texts that are longer than the context are scored by lm-evaluation-harness' windows", () =>
    withModel(async (model) => {
      for (const { text, overlap, logProbabilities } of golden.rolling) {
        const windows = rollingWindows(text, golden.prefix, model.contextLength, overlap);
        const { tokens } = joinScores(await scoreTexts(model, windows));
        expect(tokens.map(({ id }) => id)).toEqual(text);
        close(
          tokens.map(({ logProbability }) => logProbability),
          logProbabilities,
          digits,
        );
      }
    }));
});

test("goldens have greedy continuations, and others", () => {
  expect(new Set(golden.scores.flatMap(({ continuations }) => continuations.map(({ isGreedy }) => isGreedy))).size).toBe(2);
});

test("windows score each token once, with as much in front of it as the overlap says", () => {
  const rng = new Rng(7);
  for (let round = 0; round < 200; round++) {
    const contextLength = 1 + rng.below(30);
    const overlap = 1 + rng.below(contextLength);
    const ids = Array.from({ length: 1 + rng.below(150) }, (_, i) => i);
    const windows = rollingWindows(ids, -1, contextLength, overlap);
    expect(windows.flatMap((window) => window.ids.slice(window.from))).toEqual(ids);
    for (const [i, window] of windows.entries()) {
      expect(window.ids.length - 1).toBeLessThanOrEqual(contextLength);
      if (i > 0) expect(window.from).toBeGreaterThanOrEqual(overlap);
    }
  }
});

describe("a loaded model", () => {
  const withLlama = (check: (llama: Llama, folder: string) => Promise<void>) =>
    withFolder(async (path) => {
      await writeTinyFolder(path);
      await using llama = await Llama.load(path, { backend: referenceBackend() });
      await check(llama, path);
      expect(llama.counts.heldPages).toBe(0);
    });

  test("scores texts as their ids, white space at a prompt's end with the continuation", () =>
    withLlama(async (llama) => {
      const ids = (text: string) => [...llama.promptIds(text)];
      const byIds = (whole: number[], from: number): Promise<Score> => llama.score(whole.slice(0, from), whole.slice(from));
      const score = await llama.score("ab a", " b ab");
      expect(score).toEqual(await byIds(ids("ab a b ab"), ids("ab a").length));
      expect(score.tokens.length).toBeGreaterThan(1);
      expect(await llama.score("ab a ", "b ab")).toEqual(score);
      expect(await llama.scoreAll("ab a", [" b ab", " b"])).toEqual([score, await llama.score("ab a", " b")]);
      const told = await llama.logProbabilities("ab a b ab");
      expect(score.tokens.map(({ logProbability }) => logProbability)).toEqual(
        told.slice(-score.tokens.length).map(({ told }) => told?.logProbability),
      );
      const inside = [...llama.tokenizer.encode("ab")];
      expect(await llama.score("", "ab")).toEqual(await byIds([llama.tokenizer.bosId!, ...inside], 1));
      expect(await llama.scoreRolling("ab")).toEqual(await llama.score("", "ab"));
      expect((await llama.scoreRolling("ab a ".repeat(30), { overlap: 9 })).tokens.map(({ id }) => id)).toEqual([
        ...llama.tokenizer.encode("ab a ".repeat(30)),
      ]);
      expect(await llama.scoreAll("a", [])).toEqual([]);
    }));

  test("embeds texts and ids alike, alone and among others to the bit", () =>
    withLlama(async (llama) => {
      const texts = ["ab a", "b", "ab ab ab ab", "a b"];
      const vectors = await llama.embed(texts);
      expect(vectors.map((vector) => vector.length)).toEqual(texts.map(() => llama.config.dim));
      for (const [i, text] of texts.entries()) {
        expect(Math.hypot(...vectors[i]!)).toBeCloseTo(1, 6);
        expect(await llama.embed([llama.promptIds(text)])).toEqual([vectors[i]]);
      }
      const [mean] = await llama.embed(["ab a"], { normalise: false });
      expect(Math.hypot(...mean!)).not.toBeCloseTo(1, 2);
    }));

  test("saves a text to a file and goes on from it in another process' model", () =>
    withLlama(async (llama, folder) => {
      const file = join(folder, "a.session");
      const greedy = { temperature: 0, maxTokens: 6, stopIds: [] };
      const written = async (by: Llama, prompt: string | readonly number[]) => {
        const pieces = [];
        for await (const piece of by.pieces(prompt, greedy)) pieces.push(piece);
        return pieces;
      };
      const first = await written(llama, "ab a b");
      const ids = [...llama.promptIds("ab a b"), ...first.map(({ id }) => id)];
      const expected = (await written(llama, ids)).map(({ id }) => id);
      await llama.save(file, ids, { note: { messages: ["x"] } });
      await using other = await Llama.load(folder, { backend: referenceBackend() });
      const restored = await other.restore(file);
      expect(restored).toEqual({
        ...{ ids, text: llama.tokenizer.decode(ids), note: { messages: ["x"] } },
        ...{ restoredTokens: ids.length, target: "reference" },
      });
      const again = await written(other, restored.ids);
      expect(again.map(({ id }) => id)).toEqual(expected);
      expect(again[0]?.prompt?.cachedTokens).toBe(ids.length - 1);
      expect(await readFile(file)).toEqual(Buffer.from(await other.saveBytes(ids, { note: { messages: ["x"] } })));
      expect((await readdir(folder)).filter((name) => name.includes("a.session"))).toEqual(["a.session"]);
      await writeFile(file, (await readFile(file)).subarray(0, 300));
      await expect(other.restore(file)).rejects.toThrow(`${file} is damaged`);
      await expect(other.restore(join(folder, "none"))).rejects.toThrow("none");
      await expect(other.saveBytes("a", { note: () => 1 })).rejects.toThrow("the option note is a function but must be a value of JSON");
    }));

  test("takes a text that another target has saved, whether its weights were mapped or copied, and computes it again", () =>
    withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const targets = [];
      for (const target of backends.slice(1)) {
        await using backend = await openCpuBackend({ threads: 1, target });
        await using llama = await Llama.load(folder, { backend });
        targets.push({ target: backend.target, bytes: await llama.saveBytes("ab a b") });
        for (const { target, bytes } of targets) {
          const found = await llama.restoreBytes(bytes);
          expect(found).toMatchObject({ target, restoredTokens: target === backend.target ? found.ids.length : 0 });
        }
      }
      expect(targets.length).toBeGreaterThan(0);
    }));

  test("says what is wrong before anything is computed", () =>
    withLlama(async (llama) => {
      const long = "ab ".repeat(60);
      await expect(llama.embed(["a", long])).rejects.toThrow(/\[infer\] text 1 has \d+ tokens but the context holds 32: shorten it/);
      await expect(llama.score("a", long)).rejects.toThrow(
        /the prompt has \d+ tokens and the continuation \d+, of which \d+ are read, but/,
      );
      await expect(llama.score("a", "")).rejects.toThrow('the continuation "" adds no token to its prompt');
      await expect(llama.score([], [])).rejects.toThrow("adds no token to its prompt");
      await expect(llama.scoreRolling("a", { overlap: 33 })).rejects.toThrow("overlap is 33 but must be an integer from 1 to 32");
      await expect(llama.embed("a" as never)).rejects.toThrow('the list of texts is "a" but must be an array');
      await expect(llama.embed(["a"], { pooling: "max" as never })).rejects.toThrow(
        'the option pooling is "max" but must be "mean" or "last"',
      );
      await expect(llama.embed([[]])).rejects.toThrow("text 0 has no token");
      const stopped = { signal: AbortSignal.abort(new Error("enough")) };
      await expect(llama.embed(["a"], stopped)).rejects.toThrow("enough");
      await expect(llama.score("a", "b", stopped)).rejects.toThrow("enough");
      await expect(llama.saveBytes("a", stopped)).rejects.toThrow("enough");
      expect(llama.counts.passes).toBe(0);
    }));
});
