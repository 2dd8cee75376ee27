// Attention weights, judged by queries and keys that are computed in float64 from what the layer reads.
import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { initialise, type LlamaConfig, llamaConfig, parameterRows } from "../model/index.ts";
import { attentionWeights, SequenceModel } from "./index.ts";

const sizes = { vocabSize: 61, dim: 64, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 96, contextLength: 128 };
const configs = [llamaConfig(sizes), llamaConfig({ ...sizes, slidingWindow: 5, slidingLayers: [false, true], ropePairing: "neighbours" })];

/** Rows x [T, C] normalised, by a matrix [heads · D, C], each head turned by its position. */
function turned(config: LlamaConfig, x: readonly Float32Array[], gain: Float32Array, matrix: Float32Array): number[][] {
  const { dim, headDim, ropeTheta, normEpsilon, ropePairing } = config;
  return x.map((row, position) => {
    const rms = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / dim + normEpsilon);
    const normed = [...row].map((value, c) => (value / rms) * gain[c]!);
    const out = Array.from({ length: matrix.length / dim }, (_, o) =>
      normed.reduce((sum, value, c) => sum + value * matrix[o * dim + c]!, 0),
    );
    const turnedRow = [...out];
    for (let head = 0; head < out.length; head += headDim)
      for (let i = 0; i < headDim / 2; i++) {
        const angle = position * ropeTheta ** ((-2 * i) / headDim);
        const [a, b] = ropePairing === "half" ? [head + i, head + i + headDim / 2] : [head + 2 * i, head + 2 * i + 1];
        turnedRow[a] = out[a]! * Math.cos(angle) - out[b]! * Math.sin(angle);
        turnedRow[b] = out[a]! * Math.sin(angle) + out[b]! * Math.cos(angle);
      }
    return turnedRow;
  });
}

/** [H][T, T] by the book. */
function judged(config: LlamaConfig, q: readonly number[][], k: readonly number[][], window: number): number[][] {
  const { headDim: D, nHeads, nKvHeads } = config;
  return Array.from({ length: nHeads }, (_, head) => {
    const kv = Math.floor(head / (nHeads / nKvHeads));
    return q.flatMap((query, row) => {
      const powers = k.map((key, column) => {
        if (column > row || column <= row - window) return 0;
        let sum = 0;
        for (let i = 0; i < D; i++) sum += query[head * D + i]! * key[kv * D + i]!;
        return Math.exp(sum / Math.sqrt(D));
      });
      const all = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power) => power / all);
    });
  });
}

test.each(configs.flatMap((config, i) => ["reference", "cpu"].map((target) => ({ target, i, config }))))(
  "weights by layer and head are those of queries and keys by the book: $target, config $i",
  async ({ target, config }) => {
    const rows = parameterRows(config);
    const values = initialise(rows, 3);
    for (const { name, shape } of rows)
      if (shape.length === 2)
        values.set(
          name,
          values.get(name)!.map((value) => 12 * value),
        );
    await using backend = target === "reference" ? referenceBackend() : await openCpuBackend({ threads: 1 });
    await using model = await SequenceModel.open(backend, config, { read: async ({ name }) => values.get(name)! }, { pages: 8 });
    const T = target === "cpu" ? 70 : 20; // more than a page, where that is fast
    const ids = Array.from({ length: T }, (_, i) => (i * 37 + 11) % config.vocabSize);
    for (const layer of [0, 1, 0]) {
      using sequence = model.sequence();
      const [{ hidden }] = await model.run([{ sequence, ids, logits: "none", hidden: { output: layer, rows: "all" } }]);
      const [gain, query, key] = ["attentionNorm.gain", "attention.query", "attention.key"].map(
        (name) => values.get(`layers.${layer}.${name}`)!,
      );
      const window = config.slidingLayers?.[layer] ? config.slidingWindow! : ids.length;
      const expected = judged(config, turned(config, hidden, gain!, query!), turned(config, hidden, gain!, key!), window);
      const found = await attentionWeights(model, ids, { layer });
      expect(found.length).toBe(config.nHeads);
      const far = found.map((head, h) => head.reduce((most, weight, i) => Math.max(most, Math.abs(weight - expected[h]![i]!)), 0));
      expect(Math.max(...far)).toBeLessThan(1e-4);
      expect(Math.max(...found.flatMap((head) => [...head.subarray((T - 1) * T)]))).toBeGreaterThan(2 / T); // it tells tokens apart
    }
    await expect(attentionWeights(model, ids, { layer: 2 })).rejects.toThrow("layer is 2, but the model has the layers 0 to 1");
  },
);
