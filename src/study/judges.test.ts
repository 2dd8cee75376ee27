// What judges find in made-up results, and how that is told: a claim that is not in them is not shown, and what chance could do is not concluded from.
import { describe, expect, test } from "vitest";
import { type LlamaConfig, llamaConfig, parameterCount } from "../model/index.ts";
import { judgeLosses } from "./activation/judge.ts";
import { tellLosses } from "./activation/tell.ts";
import { judgeArithmetic } from "./bpe/judge.ts";
import type { Accuracy } from "./bpe/measure.ts";
import { judgeInitial, judgeKinds, judgeWarmup } from "./norm/judge.ts";
import type { DepthGradients } from "./norm/measure.ts";
import { tellWarmup } from "./norm/tell.ts";
import { judgeExtrapolation } from "./rope/judge.ts";
import type { ByReading } from "./rope/measure.ts";
import { tellExtrapolation } from "./rope/tell.ts";
import { judgeLaw } from "./scaling/judge.ts";
import { tellLaw } from "./scaling/tell.ts";
import type { Outcome, Trial } from "./trial.ts";

const unigramLoss = 5.3;
const config = llamaConfig({ vocabSize: 512, dim: 32, nLayers: 2, nHeads: 2, hiddenDim: 88, contextLength: 64, tiedOutput: true });

function trialOf(name: string, more: Partial<Trial> = {}): Trial {
  const nothing = { length: 0, read: async () => new Int32Array() };
  const text = { vocabSize: 512, tokens: nothing, heldOut: { tokens: nothing, bytes: 0 }, unigramLoss };
  return { variant: { name, config, size: { batch: 4, length: 64 }, text }, learningRate: 1e-3, warmupShare: 0, ...more };
}

/** A run that ended with the loss; NaN is one that diverged. */
function outcomeOf<T>(trial: Trial, seed: number, loss: number, found?: T, steps = 100): Outcome<T> {
  const heldOut = { loss, perplexity: Math.exp(loss), bitsPerByte: loss, tokens: 1, bytes: 1 };
  return {
    ...{ trial, seed, steps, losses: [6, loss], stepSeconds: 1 },
    ...(Number.isFinite(loss) && { heldOut }),
    ...(found !== undefined && { found }),
  } as Outcome<T>;
}

describe("activation", () => {
  const plain = ["ReLU", "GELU", "Swish, β = 0.5", "Swish, β = 1", "Swish, β = 2"];
  const gated = ["GLU (sigmoid)", "Bilinear", "ReGLU", "GEGLU", "SwiGLU"];
  const verdict = (losses: Readonly<Record<string, readonly number[]>>) => {
    const trials = [...plain, ...gated].map((name) => trialOf(name));
    const seeds = losses.ReLU!.map((_, i) => i);
    return judgeLosses(seeds.flatMap((seed) => trials.map((trial) => outcomeOf(trial, seed, losses[trial.variant.name]![seed]!))));
  };
  const all = (plainLosses: readonly number[], gatedLosses: readonly number[], more: Record<string, readonly number[]> = {}) =>
    verdict({
      ...Object.fromEntries([...plain.map((name) => [name, plainLosses]), ...gated.map((name) => [name, gatedLosses])]),
      SwiGLU: gatedLosses.map((loss) => loss - 0.01),
      ...more,
    });

  test("is shown where every gate wins beyond chance", () => {
    expect(all([3.5, 3.51, 3.49], [3.4, 3.42, 3.39]).verdict).toBe("shown");
  });
  test("is partly shown where one gate is behind, and says which", () => {
    const found = all([3.5, 3.51, 3.49], [3.4, 3.42, 3.39], { "GLU (sigmoid)": [3.6, 3.6, 3.6] });
    expect(found.verdict).toBe("partly shown");
    expect(found).toMatchObject({ behind: ["GLU (sigmoid)"], bestPlain: "ReLU", isBestAsClaimed: true });
    expect(tellLosses(found).conclusion).toContain("Unlike the paper: GLU (sigmoid) is behind ReLU.");
  });
  test("counts a run that diverged as one that learnt nothing", () => {
    const found = all([3.4, 3.41, 3.4], [3.6, 3.61, 3.6], { Bilinear: [3.6, Number.NaN, 3.6] });
    expect(found.verdict).toBe("not shown");
    expect(found.gated.every(Number.isFinite)).toBe(true);
    expect(found.diverged).toEqual([{ name: "Bilinear", seed: 1 }]);
    expect(tellLosses(found).remarks.join()).toContain("diverged (NaN) in Bilinear, seed 1");
  });
  test("is not shown by chance, nor by one seed, nor by models that have learnt nothing", () => {
    expect(all([3.5, 3.4, 3.6], [3.4, 3.5, 3.55]).verdict).toBe("not shown");
    expect(all([3.5, 3.52], [3.4, 3.44]).verdict).toBe("not shown"); // two pairs: 12.7 standard errors
    expect(all([3.4, 3.42, 3.39], [3.5, 3.51, 3.49]).verdict).toBe("not shown");
    expect(all([3.5], [3.4]).verdict).toBe("too short to say");
    expect(all([5.2, 5.21, 5.2], [5.1, 5.11, 5.1]).verdict).toBe("too short to say");
  });
});

describe("norm, the warm-up", () => {
  const rates = [1e-3, 2e-3, 4e-3];
  /** Losses by placement and warm-up, of the three rates; the same for three seeds but for a little. */
  const found = (
    losses: Readonly<Record<string, readonly [none: readonly number[], warm: readonly number[]]>>,
    apart = 0.001,
    seeds = [1, 2, 3],
  ) => {
    const trials = Object.entries(losses).flatMap(([name, byWarmup]) =>
      byWarmup.flatMap((row, warm) =>
        row.map((loss, i) => ({ trial: trialOf(name, { learningRate: rates[i]!, warmupShare: [0, 0.2][warm]! }), loss })),
      ),
    );
    const outcomes = seeds.flatMap((seed) =>
      trials.map(({ trial, loss }) => outcomeOf(trial, seed, loss + apart * (seed - 2) * (trial.warmupShare > 0 ? -1 : 1))),
    );
    return judgeWarmup(outcomes, unigramLoss);
  };
  const fine = [3.7, 3.6, 3.5] as const;
  const failing = [3.7, 5.32, Number.NaN] as const;

  test("is shown where Post-LN fails without it and Pre-LN does not need it", () => {
    expect(found({ "Post-LN": [failing, fine], "Pre-LN": [fine, fine] }).verdict).toBe("shown");
  });
  test("is partly shown where Pre-LN needs it too, or Post-LN fails in any case", () => {
    const both = found({ "Post-LN": [failing, fine], "Pre-LN": [failing, fine] });
    expect(both.verdict).toBe("partly shown");
    expect(both).toMatchObject({ postNeedsIt: true, preDoesWithout: false, preFailsAnyway: false, preGains: true });
    expect(tellWarmup(both).remarks.join()).toContain("Pre-LN is better with the warm-up too");
    const anyway = found({ "Post-LN": [failing, failing], "Pre-LN": [fine, fine] });
    expect(anyway.verdict).toBe("partly shown");
    expect(anyway).toMatchObject({ postNeedsIt: false, preDoesWithout: true, postFailsAnyway: true });
    expect(anyway.failures).toEqual({ post: { none: 6, warm: 6 }, pre: { none: 0, warm: 0 } });
    expect(tellWarmup(anyway).remarks.join()).toContain("Post-LN fails with the warm-up too");
  });
  test("is not concluded for Pre-LN from seeds that are far apart, nor from one", () => {
    const shaky = found({ "Post-LN": [failing, fine], "Pre-LN": [fine, fine] }, 0.2);
    expect(shaky.verdict).toBe("partly shown");
    expect(shaky).toMatchObject({ preDoesWithout: false, preFailsAnyway: false, preGains: false });
    expect(tellWarmup(shaky).remarks.join()).toContain("its seeds are too far apart");
    expect(found({ "Post-LN": [failing, fine], "Pre-LN": [fine, fine] }, 0.001, [1]).verdict).toBe("too short to say");
  });
  test("says it where Pre-LN fails with the warm-up too", () => {
    const failsAnyway = found({ "Post-LN": [failing, fine], "Pre-LN": [failing, failing] });
    expect(failsAnyway.preFailsAnyway).toBe(true);
    expect(tellWarmup(failsAnyway).remarks.join()).toContain("Pre-LN fails with the warm-up too");
  });
  test("is not shown where it is the other way round", () => {
    expect(found({ "Post-LN": [fine, fine], "Pre-LN": [failing, fine] }).verdict).toBe("not shown");
  });
  test("is too short where nothing has learnt, without reasons for what was not seen", () => {
    const idle = [5.3, 5.3, 5.3] as const;
    const short = found({ "Post-LN": [idle, idle], "Pre-LN": [idle, idle] });
    expect(short.verdict).toBe("too short to say");
    expect(short.isShort).toBe(true);
    expect(tellWarmup(short).remarks).toHaveLength(1);
  });
});

describe("norm, RMSNorm", () => {
  const found = (rms: readonly number[], layer: readonly number[], ratio = 0.7) => {
    const trials = [trialOf("RMSNorm"), trialOf("LayerNorm")] as const;
    const outcomes = rms.flatMap((loss, i) => [outcomeOf(trials[0], i, loss), outcomeOf(trials[1], i, layer[i]!)]);
    return judgeKinds(outcomes, { rms: ratio, layer: 1 }).verdict;
  };
  test("costs nothing where it is surely not worse", () => {
    expect(found([3.7, 3.71, 3.69], [3.7, 3.711, 3.69])).toBe("shown");
    expect(found([3.65, 3.66, 3.64], [3.7, 3.71, 3.69])).toBe("shown");
  });
  test("is not held for as good because the seeds are too far apart to tell", () => {
    expect(found([3.95, 4.2, 3.72], [3.75, 3.8, 3.7])).toBe("partly shown"); // faster
    expect(found([3.95, 4.2, 3.72], [3.75, 3.8, 3.7], 1)).toBe("not shown");
    expect(found([3.7], [3.7])).toBe("too short to say");
  });
});

describe("norm, gradients", () => {
  const found = (postExponent: number, preExponent: number) => {
    const at = (placement: "post" | "pre", exponent: number) =>
      [2, 4, 8, 16, 32].map((depth): DepthGradients => {
        const norms = Array.from({ length: depth }, () => (placement === "post" ? 0.4 : 0.3) * depth ** exponent);
        return { placement, depth, feedForward: [norms, norms], wholeLayer: [norms, norms] };
      });
    return judgeInitial([...at("post", postExponent), ...at("pre", preExponent)]).verdict;
  };
  test("are shown, half shown and not shown", () => {
    expect(found(0, -0.5)).toBe("shown");
    expect(found(0, 0)).toBe("partly shown");
    expect(found(-1, 1)).toBe("not shown");
  });
});

describe("rope, longer texts", () => {
  type Names = "RoPE" | "RoPE, NTK scaling" | "no positions";
  type Losses = readonly [inside: number, beyond: number];
  /** Loss inside and beyond the trained length by what is read; linear scaling does nothing, and a learned table is no better than no positions. */
  const found = (losses: Readonly<Record<Names, Losses>>, lost = 0) => {
    const all: Readonly<Record<string, Losses>> = {
      ...losses,
      "RoPE, linear scaling": losses.RoPE,
      "a learned table": losses["no positions"],
    };
    const curve = ([inside, beyond]: Losses, seed: number) =>
      Float64Array.from({ length: 256 }, (_, i) => (i < 64 ? inside : beyond) + 0.002 * seed);
    const trials = ["RoPE", "a learned table", "no positions"].map((name) => trialOf(name));
    const outcomes = [1, 2, 3].flatMap((seed) =>
      trials.map((trial) => {
        const { name } = trial.variant;
        const readings: ByReading = new Map(
          Object.entries(all)
            .filter(([reading]) => reading.startsWith(name))
            .map(([reading, pair]) => [reading, curve(pair, name === "RoPE" ? seed : 2 * seed)]),
        );
        return outcomeOf(trial, seed, all[name]![0], seed === lost && name === "no positions" ? undefined : readings);
      }),
    );
    return judgeExtrapolation(outcomes);
  };
  test("carry over, by themselves or by scaling, or do not", () => {
    const none = [3.6, 3.6] as const;
    expect(found({ RoPE: [3.2, 3.2], "RoPE, NTK scaling": [3.3, 3.3], "no positions": none }).verdict).toBe("shown");
    expect(found({ RoPE: [3.2, 3.9], "RoPE, NTK scaling": [3.3, 3.4], "no positions": none }).verdict).toBe("partly shown");
    expect(found({ RoPE: [3.2, 3.9], "RoPE, NTK scaling": [3.3, 3.95], "no positions": none }).verdict).toBe("not shown");
  });
  test("leave out a seed of which a run is lost", () => {
    const found3 = found({ RoPE: [3.2, 3.9], "RoPE, NTK scaling": [3.3, 3.4], "no positions": [3.6, 3.6] }, 1);
    expect(found3.verdict).toBe("partly shown");
    expect(found3.readings[0]!.parts[0]).toHaveLength(2);
    expect(tellExtrapolation(found3).tables[0]!.rows[0]![1]).toMatch(/^3\.205 ± 0\.001/);
  });
  test("say nothing of models that do not use positions yet", () => {
    const short = found({ RoPE: [4.25, 4.23], "RoPE, NTK scaling": [4.25, 4.23], "no positions": [4.25, 4.23] });
    expect(short.verdict).toBe("too short to say");
    expect(short.isShort).toBe(true);
    expect(tellExtrapolation(short).conclusion).not.toContain("extrapolates by itself");
  });
});

describe("bpe, arithmetic", () => {
  const found = (alone: readonly Accuracy[], merged: readonly Accuracy[]) => {
    const trials = [trialOf("digits alone"), trialOf("digits merged")] as const;
    const outcomes = alone.flatMap((one, i) => [outcomeOf(trials[0], i, 1, one), outcomeOf(trials[1], i, 1, merged[i]!)]);
    return judgeArithmetic(outcomes, new Map()).verdict;
  };
  const of = (...shares: readonly [adding: number, counting: number][]) => shares.map(([adding, counting]) => ({ adding, counting }));
  test("is shown where digits alone win both beyond chance, partly where one", () => {
    expect(found(of([0.9, 0.9], [0.91, 0.92], [0.89, 0.91]), of([0.1, 0.5], [0.1, 0.52], [0.12, 0.5]))).toBe("shown");
    expect(found(of([0.9, 0.9], [0.91, 0.92], [0.89, 0.91]), of([0.1, 0.9], [0.1, 0.91], [0.12, 0.92]))).toBe("partly shown");
  });
  test("is not shown by a hair, and not by models that answer nothing", () => {
    expect(found(of([0.5, 0.5], [0.52, 0.5], [0.51, 0.5]), of([0.49, 0.5], [0.53, 0.5], [0.5, 0.5]))).toBe("not shown");
    expect(found(of([0.51, 0.5]), of([0.5, 0.49]))).toBe("too short to say");
    expect(found(of([0.01, 0], [0, 0]), of([0, 0], [0, 0]))).toBe("too short to say");
  });
});

describe("scaling", () => {
  const sizes = [32, 48, 64, 96].map((dim) =>
    llamaConfig({ ...config, dim, nHeads: dim / 16, nKvHeads: dim / 16, hiddenDim: Math.round((dim * 8) / 3) }),
  );
  const largest = llamaConfig({ ...config, dim: 128, nHeads: 8, nKvHeads: 8, hiddenDim: 344, nLayers: 5 });
  /** Runs of a law with a little scatter, and the held-out one's loss. */
  const found = (lossOf: (model: LlamaConfig, steps: number) => number, held: number) => {
    const runs = sizes.flatMap((one, i) =>
      [750, 1500, 3000].map((steps, j) => {
        const trial = trialOf(`size ${one.dim}`);
        const scatter = 1 + 0.001 * ((i + 2 * j) % 3);
        return outcomeOf({ ...trial, variant: { ...trial.variant, config: one } }, 1, scatter * lossOf(one, steps), undefined, steps);
      }),
    );
    const last = trialOf("largest");
    const target = { ...last, variant: { ...last.variant, config: largest } };
    return judgeLaw([...runs, outcomeOf(target, 1, held, undefined, 6000)], target);
  };
  const law = (model: LlamaConfig, steps: number) => 1.5 + 60 / parameterCount(model) ** 0.35 + 150 / (256 * steps) ** 0.37;
  const predicted = law(largest, 6000);

  test("is shown where the larger run ends where the law says", () => {
    expect(found(law, predicted).verdict).toBe("shown");
  });
  test("is not shown where it ends elsewhere", () => {
    expect(found(law, predicted - 0.6).verdict).toBe("not shown");
  });
  test("is too short where the small runs have learnt nothing, or the larger one no more than they, or diverged", () => {
    const idle = found(() => 5.2, 4.5);
    expect(idle).toMatchObject({ verdict: "too short to say", outcome: { because: "small runs have learnt nothing", idle: 12, of: 12 } });
    expect(tellLaw(idle).conclusion).toContain("12 runs of 12");
    const equal = found(law, 4);
    expect(equal).toMatchObject({ verdict: "too short to say", outcome: { because: "a small run is as good" } });
    expect(tellLaw(equal).conclusion).toContain("the best of the small runs is as good");
    const diverged = { verdict: "too short to say", outcome: { because: "the larger run diverged" } };
    expect(found(law, Number.NaN)).toMatchObject(diverged);
  });
});
