import { beforeAll, describe, expect, test } from "vitest";
import { folderForAll, tinyConfig, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import type { BenchReport } from "./bench/measure.ts";
import { memoryFor, ratesOf, testName } from "./bench/speed-tests.ts";
import { commandRows } from "./commands.ts";
import { Interrupted } from "./interrupt.ts";
import type { Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

function run(words: readonly string[], more: Partial<Terminal> = {}) {
  return runWords(["bench", ...words], commandRows, more);
}

let folder: string;
const made = folderForAll(async (at) => writeTinyFolder(at));
beforeAll(() => {
  folder = made();
});

describe("cria bench", () => {
  test("gives a row per test, beside what the machine allows", async () => {
    const words = [folder, "--prompt", "8,3", "--generate", "4", "--depth", "0,9", "--sequences", "1,2", "--repetitions", "2"];
    const { code, stdout, stderr } = await run([...words, "--threads", "2", "--cache", "f16", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const report = JSON.parse(stdout) as BenchReport;
    const { dim, nLayers, nHeads, nKvHeads, hiddenDim, vocabSize, headDim } = tinyConfig;
    const layer = dim * (2 * nHeads + 2 * nKvHeads) * headDim + 3 * dim * hiddenDim;
    expect(report).toMatchObject({
      ...{ model: { path: folder, type: "llama f32" }, threads: 2, cacheType: "f16", repetitions: 2, isStopped: false },
      work: { layerWeights: nLayers * layer, outputWeights: dim * vocabSize, cacheBytes: 2 * nLayers * 2 * nKvHeads * headDim },
    });
    expect(report.work.weightBytes).toBe(4 * (report.work.layerWeights + report.work.outputWeights));
    expect(report.machine.read).toBeGreaterThan(0);
    const names = ["pp8", "pp3", "tg4", "tg4 × 2", "pp8 @ d9", "pp3 @ d9", "tg4 @ d9", "tg4 × 2 @ d9"];
    expect(report.tests.map(({ test }) => test)).toEqual(names);
    for (const { prompt, tokensPerSecond, machineShare, profile } of report.tests) {
      expect(tokensPerSecond.samples).toHaveLength(2);
      expect(Math.min(...tokensPerSecond.samples)).toBeGreaterThan(0);
      expect(machineShare.bound).toBe(prompt > 0 ? "f32" : "read");
      expect(machineShare.share).toBeCloseTo(machineShare.rate / machineShare.most, 12);
      expect(profile).toBeUndefined();
    }
  });

  test("stopped by Ctrl-C, it prints what was measured, with where the time went", async () => {
    const stop = new AbortController();
    let measured = 0;
    const words = [folder, "--prompt", "8", "--generate", "4", "--sequences", "1", "--repetitions", "1000", "--profile"];
    const { code, stdout, stderr } = await run(words, {
      signal: stop.signal,
      progress: ({ task }) => {
        if (task === "measuring" && ++measured === 4) stop.abort(new Interrupted("SIGINT"));
      },
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "[bench] stopped: the numbers are of the runs that were done\n" });
    const rows = stdout.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
    expect(rows[0]).toEqual(["", "model", "size", "params", "target", "threads", "test", "t/s", "of the machine", ""]);
    expect(rows.slice(2, 4).map((row) => row[6])).toEqual(["pp8", "tg4"]);
    for (const row of rows.slice(2, 4)) expect(row[7]).toMatch(/^\d+\.\d\d ± \d+\.\d\d$/);
    const head = rows.findIndex((row) => row[2] === "products");
    const shares = rows[head + 2]!.slice(2, -1).map((cell) => Number.parseFloat(cell));
    expect(shares).toHaveLength(6);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(100, -1);
  });

  test("names what cannot be measured before anything runs", async () => {
    const wrong = [
      [[], 2, "MODEL is missing"],
      [[folder, "more"], 2, '"more" is one too many'],
      [[`${folder}/nothing.gguf`], 1, "nothing.gguf"],
      [[folder, "--prompt", "8,x"], 2, '--prompt has "x", but takes whole numbers from 0 on'],
      [[folder, "--prompt", "8k"], 2, "8k"],
      [[folder, "--sequences", "0"], 2, '--sequences has "0", but takes whole numbers from 1 on'],
      [[folder, "--prompt", "30", "--depth", "10"], 2, "pp30 @ d10 needs a context of 40 tokens, but the model's is 32"],
      [[folder, "--prompt", "0", "--generate", "0"], 2, "ask for tokens that are read or written"],
      [[folder, "--cache", "f8"], 2, '--cache is "f8", did you mean'],
      [[folder, "--target", "sse"], 2, "sse"],
      [[folder, "--repetitions", "0"], 2, "--repetitions is 0"],
      [[folder, "--threads", "0.5"], 2, "--threads is 0.5"],
    ] as const;
    for (const [words, code, message] of wrong) {
      const found = await run(words);
      expect(found, words.join(" ")).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
    }
  });
});

describe("speed tests", () => {
  const one = { prompt: 0, generate: 128, depth: 0, sequences: 1 };

  test("have llama-bench's names, and a deviation of samples", () => {
    expect(testName({ ...one, prompt: 512, generate: 0, depth: 8192 })).toBe("pp512 @ d8192");
    expect(testName({ ...one, sequences: 8 })).toBe("tg128 × 8");
    const rates = ratesOf({ ...one, sequences: 2 }, [1, 2, 4]); // 256, 128 and 64 tokens per second
    expect(rates).toMatchObject({ median: 128, samples: [256, 128, 64] });
    expect(rates.mean).toBeCloseTo(448 / 3, 10);
    expect(rates.deviation).toBeCloseTo(97.759, 2);
    expect(ratesOf(one, [2])).toMatchObject({ mean: 64, deviation: 0 });
  });

  test("have pages for contexts that are kept and for texts that go on from them", () => {
    const { contextLength, pages } = memoryFor([
      { ...one, depth: 100, sequences: 3 },
      { ...one, prompt: 512, generate: 0 },
    ]);
    expect(contextLength).toBe(512);
    expect(pages).toBe(3 * (4 + 1) + 3 * (2 + 1));
  });
});
