import { expect, test } from "vitest";
import { preset } from "../model/index.ts";
import {
  accelerator,
  computationFor,
  computationUtilisation,
  type Job,
  type Layout,
  layouts,
  llamaBatchTokens,
  llamaTokensPerSecond,
  peakOf,
  trainingFlopsPerToken,
  trainingPrecisions,
} from "./index.ts";

function cluster(name: string, count: number) {
  const row = accelerator(name);
  return { accelerator: row, count, peak: peakOf(row).peak, utilisation: computationUtilisation(row) ?? row.utilisation.share };
}

function job(name: string, more: Partial<Job> = {}): Job {
  return { config: preset(name), precision: trainingPrecisions.mixed, batchTokens: llamaBatchTokens, length: 2048, ...more };
}

test("the paper's 65B on 2,048 A100: 380 tokens/s each and 21 days, at the utilisation that these imply", () => {
  expect(computationUtilisation(accelerator("a100-40gb"))).toBe(computationUtilisation(accelerator("a100-80gb")));
  expect(computationUtilisation(accelerator("h100-sxm"))).toBeUndefined();
  const [best] = layouts(job("65B"), cluster("a100-80gb", 2048));
  expect(best).toMatchObject({ data: 256, tensor: 8, pipeline: 1, sharding: 1, kept: "all", bubble: 0 });
  expect(Math.round(best!.tokensPerSecond / 2048)).toBe(llamaTokensPerSecond);
  expect(Math.round(1.4e12 / best!.tokensPerSecond / 86400)).toBe(21);
});

test("every layout uses all accelerators, fits, divides the model, and is no faster than the one before", () => {
  for (const [name, gpu, count] of [
    ["65B", "h100-sxm", 64],
    ["33B", "v100", 512],
    ["13B", "a100-40gb", 24],
    ["7B", "rtx-4090", 16],
    ["110M", "rtx-4090", 1],
  ] as const) {
    const { config } = job(name);
    const found = layouts(job(name, { length: 1024, batchTokens: 1024 * 384 }), cluster(gpu, count));
    for (const { data, tensor, pipeline, bytes } of found) {
      expect(data * tensor * pipeline).toBe(count);
      expect([config.nHeads % tensor, config.nLayers % pipeline]).toEqual([0, 0]);
      expect(bytes).toBeLessThan(0.9 * accelerator(gpu).memory);
    }
    const speeds = found.map(({ tokensPerSecond }) => tokensPerSecond);
    for (const [i, speed] of speeds.slice(1).entries()) expect(speed).toBeLessThan((1 + 1e-8) * speeds[i]!);
  }
});

test("a pipeline waits for its fill: (p − 1) / (m + p − 1) of the time", () => {
  const two = layouts(job("65B"), cluster("a100-80gb", 2048)).find(({ pipeline, tensor }) => pipeline === 2 && tensor === 8);
  expect(two!.bubble).toBeCloseTo(1 / 17, 9);
  const one = layouts(job("65B"), cluster("a100-80gb", 2048)).find(({ pipeline, tensor }) => pipeline === 1 && tensor === 8);
  expect(two!.exchange / one!.exchange).toBeCloseTo(16 / 17, 9); // The exchange is a share of the time, which is longer.
});

test("the fastest layout comes to the utilisation that is said of the whole run, as far as its losses allow", () => {
  const { utilisation: _, ...at } = cluster("a100-80gb", 512);
  const share = 0.45;
  const [best] = layouts(job("33B"), { ...at, utilisation: computationFor(job("33B"), at, share) });
  const perToken = trainingFlopsPerToken(preset("33B"), 2048);
  expect((best!.tokensPerSecond / 512) * perToken).toBeCloseTo(share * at.peak, -6);
  expect(computationFor(job("33B"), at, 0.99)).toBe(1);
});

test("a tensor's parts wait for four sums per layer and sequence, and for six where layers run again", () => {
  const inMemory = (memory: number) => {
    const at = { accelerator: { ...accelerator("a100-80gb"), memory }, count: 64, peak: 312e12, utilisation: 0.5 };
    return layouts(job("7B"), at).find(({ tensor, pipeline }) => tensor === 8 && pipeline === 1)!;
  };
  const secondsOf = ({ exchange, tokensPerSecond }: Layout) => (exchange * llamaBatchTokens) / tokensPerSecond;
  const [roomy, tight] = [inMemory(80e9), inMemory(4e9)];
  const sums = (32 * 256 * 2 * (7 / 8) * 2048 * 4096 * 2) / 300e9;
  expect(roomy.kept).toBe("all");
  expect(secondsOf(roomy) / (4 * sums)).toBeCloseTo(1, 9);
  expect(tight.kept).toBe("inputs");
  expect(secondsOf(tight) / (6 * sums)).toBeCloseTo(1, 9);
});

test("what does not fit, or cannot be divided, is refused with what would help", () => {
  expect(() => layouts(job("65B"), cluster("a100-80gb", 8))).toThrow(
    /does not fit 8 × a100-80gb: even 1 data × 8 tensor × 1 pipeline, nothing sharded, takes \d+\.\d GB where 72\.0 GB/,
  );
  expect(() => layouts(job("7B"), cluster("a100-80gb", 2047))).toThrow(/cannot share 2048 sequences/);
  expect(() => layouts(job("7B", { length: 3000 }), cluster("a100-80gb", 8))).toThrow(/not a whole number of sequences/);
});
