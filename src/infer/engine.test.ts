import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpuBackend } from "../backend/cpu/index.ts";
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { hfName } from "../formats/index.ts";
import { embedding, Graph, i32 } from "../graph/index.ts";
import { type Golden, goldenWeights, loadGoldens } from "../model/goldens.test.helper.ts";
import {
  causalAttention,
  constantRows,
  declareParameters,
  declareTurns,
  initialise,
  type LlamaConfig,
  llama,
  outputProjection,
  partsOf,
  ropeInputs,
  type WeightSource,
} from "../model/index.ts";
import { chooseLength } from "./choose-length.ts";
import { Engine, generateTokens, mostProbable } from "./index.ts";

const goldens = loadGoldens();
const golden = goldens.find((one) => one.name === "tied-grouped")!;
const greedy = { temperature: 0 };

function weightsOf(one: Golden): WeightSource {
  const weights = goldenWeights(one);
  return { read: async ({ name }) => weights.get(hfName(name))! };
}

function idsOf(length: number, { vocabSize }: LlamaConfig): number[] {
  return Array.from({ length }, (_, i) => (i * i * 7 + 3 * i + 5) % vocabSize);
}

async function greedyTokens(engine: Engine, prompt: readonly number[], maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of generateTokens(engine, prompt, { ...greedy, maxTokens })) ids.push(id);
  return ids;
}

/** Logits after `ids` by a graph that has no cache. */
async function uncachedLogits(backend: Backend, one: Golden, ids: readonly number[]): Promise<Float32Array> {
  const { config } = one;
  const graph = new Graph();
  const [tokens, positions] = [graph.input("tokens", i32(ids.length)), graph.input("positions", i32(ids.length))];
  const { parameters, trained } = declareParameters(graph, config);
  const x = llama(parameters, { ...partsOf(config), attention: causalAttention(config, 1) }, config, {
    tokens,
    positions,
    turns: declareTurns(graph, config),
  });
  const logits = graph.keep(outputProjection(parameters).apply(embedding(x, graph.input("last", i32(1)))));
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  for (const [{ name }, tensor] of trained) await states.get(tensor.name)!.write(goldenWeights(one).get(hfName(name))!);
  for (const [name, values] of initialise(constantRows(config), 0)) await states.get(name)!.write(values);
  await program.write("tokens", ids);
  await program.write(
    "positions",
    ids.map((_, i) => i),
  );
  for (const [name, values] of ropeInputs(config, ids.length - 1)) await program.write(name, values);
  await program.write("last", [ids.length - 1]);
  await program.run();
  const values = (await program.read(logits)) as Float32Array;
  program.dispose();
  for (const buffer of states.values()) buffer.dispose();
  return values;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

describe.each([
  { name: "reference", open: async () => referenceBackend(), tolerance: 1e-6 },
  { name: "cpu", open: () => openCpuBackend({ threads: 2 }), tolerance: 1e-4 },
])("on $name", ({ open, tolerance }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.dispose());

  test.each(goldens.map((one) => ({ model: one.name, one })))("$model continues as PyTorch does", async ({ one }) => {
    await using engine = await Engine.open(backend, one.config, weightsOf(one));
    const { prompt, tokens } = one.generation;
    expect(await greedyTokens(engine, prompt, tokens.length)).toEqual(tokens);
  });

  test.each(goldens.map((one) => ({ model: one.name, one })))("$model: the cache changes nothing", async ({ one }) => {
    await using engine = await Engine.open(backend, one.config, weightsOf(one), { lengths: [1, 3] });
    const ids = idsOf(5, one.config);
    for (let step = 0; step < 4; step++) {
      const uncached = await uncachedLogits(backend, one, ids);
      const cached = await engine.logits(ids);
      expect(largestDifference(cached, uncached)).toBeLessThan(tolerance);
      expect(mostProbable(cached)).toBe(mostProbable(uncached));
      ids.push(mostProbable(uncached));
    }
  });

  test("a prompt of any length, in runs of any length, up to a full context", async () => {
    const S = golden.config.contextLength;
    await using single = await Engine.open(backend, golden.config, weightsOf(golden), { lengths: [1] });
    await using several = await Engine.open(backend, golden.config, weightsOf(golden), { lengths: [1, 4, 7, 16, 5000] });
    for (let length = 1; length <= S; length++) {
      // A first id of its own for every length: nothing of the cache can be used again.
      const ids = [length, ...idsOf(length - 1, golden.config)];
      expect(largestDifference(await several.logits(ids), await single.logits(ids)), `${length} ids`).toBeLessThan(tolerance);
    }
  });
});

describe("the cache", () => {
  /** A reference backend that counts rows: the lengths of the runs so far. */
  async function counting() {
    const runs: number[] = [];
    const inner = referenceBackend();
    const backend: Backend = Object.assign(Object.create(inner) as Backend, {
      allocate: inner.allocate.bind(inner),
      compile: async (...[graph, bindings]: Parameters<Backend["compile"]>) => {
        const program = await inner.compile(graph, bindings);
        const length = graph.tensors.find((tensor) => tensor.name === "tokens")!.shape[0]!;
        const run = program.run.bind(program);
        program.run = () => {
          runs.push(length);
          return run();
        };
        return program;
      },
    });
    const engine = await Engine.open(backend, golden.config, weightsOf(golden), { lengths: [1, 4] });
    return { engine, runs, fresh: () => Engine.open(inner, golden.config, weightsOf(golden)) };
  }

  test("a prompt that goes on from the last one runs only the rest", async () => {
    const { engine, runs, fresh } = await counting();
    const first = idsOf(9, golden.config);
    const answer = await greedyTokens(engine, first, 3);
    expect(runs).toEqual([4, 4, 1, 1, 1]);
    runs.length = 0;
    const next = [...first, ...answer, 1, 2, 3];
    const tokens = await greedyTokens(engine, next, 2);
    expect(runs).toEqual([4, 1]); // the last answer was never run, then three new ids; then one token
    expect(tokens).toEqual(await greedyTokens(await fresh(), next, 2));
  });

  test("a prompt that leaves the last one half-way, or repeats it, is right too", async () => {
    const { engine, runs, fresh } = await counting();
    const first = idsOf(12, golden.config);
    await engine.logits(first);
    runs.length = 0;
    for (const ids of [[...first.slice(0, 6), 1, 2], first, first, first.slice(0, 3), [3]])
      expect(await engine.logits(ids)).toEqual(await (await fresh()).logits(ids));
    expect(runs).toEqual([4, 4, 4, 1, 1, 1]);
  });

  test("two generations that take turns do not mix", async () => {
    const { engine, fresh } = await counting();
    const prompts = [idsOf(5, golden.config), [2, 9, 4]];
    const expected = await Promise.all(prompts.map(async (prompt) => greedyTokens(await fresh(), prompt, 5)));
    expect(await Promise.all(prompts.map((prompt) => greedyTokens(engine, prompt, 5)))).toEqual(expected);
  });

  test("a run that fails leaves a cache that still serves", async () => {
    const { engine, fresh } = await counting();
    const ids = idsOf(6, golden.config);
    await engine.logits(ids.slice(0, 4));
    await expect(engine.logits([...ids.slice(0, 5), 9999])).rejects.toThrow("[infer] token 9999 is outside the model's vocabulary of");
    await expect(engine.logits(ids, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    expect(await engine.logits(ids)).toEqual(await (await fresh()).logits(ids));
  });
});

describe("an end", () => {
  const S = golden.config.contextLength;
  const collect = async (engine: Engine, prompt: number[], options: Parameters<typeof generateTokens>[2]) => {
    const tokens = [];
    for await (const token of generateTokens(engine, prompt, { ...greedy, ...options })) tokens.push(token);
    return tokens;
  };
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open(referenceBackend(), golden.config, weightsOf(golden));
  });

  test("comes with maxTokens, with the context, with a stop token", async () => {
    const prompt = idsOf(5, golden.config);
    const five = await collect(engine, prompt, { maxTokens: 5 });
    expect(five.map((token) => token.finishReason)).toEqual([...Array(4).fill(undefined), "length"]);
    const full = await collect(engine, prompt, {});
    expect(full).toHaveLength(S - 5 + 1);
    expect(full.at(-1)!.finishReason).toBe("length");
    expect(await collect(engine, idsOf(S, golden.config), {})).toHaveLength(1);
    const stopId = five[3]!.id;
    const stopped = await collect(engine, prompt, { stopIds: [stopId] });
    expect(stopped.at(-1)).toEqual({ id: stopId, finishReason: "stop" });
    expect(stopped).toHaveLength(five.findIndex(({ id }) => id === stopId) + 1);
  });

  test("comes with a signal, in the middle", async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const { id } of generateTokens(engine, [1], { signal: abort.signal })) {
        seen.push(id);
        if (seen.length === 3) abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toHaveLength(3);
  });

  test("ids that the tokenizer lacks are never drawn", async () => {
    const tokens = await collect(engine, [1, 2], { maxTokens: 15, temperature: 5, seed: 1, vocabSize: 4 });
    expect(Math.max(...tokens.map(({ id }) => id))).toBeLessThan(4);
  });

  test("the seed decides", async () => {
    const run = (seed: number) => collect(engine, [1, 2], { maxTokens: 10, temperature: 2, seed });
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test("what cannot be done is said", async () => {
    await expect(collect(engine, [], {})).rejects.toThrow("[infer] there is no token to go on from");
    await expect(collect(engine, idsOf(S + 1, golden.config), {})).rejects.toThrow(
      `the text has ${S + 1} tokens but the context holds ${S}`,
    );
    await expect(collect(engine, [1], { maxTokens: 0 })).rejects.toThrow("maxTokens is 0 but must be an integer, at least 1");
    await expect(collect(engine, [1], { topP: 2 })).rejects.toThrow("[sampling] topP is 2");
    await expect(collect(engine, [-1], {})).rejects.toThrow("token -1 is outside");
  });
});

describe("opening and disposing", () => {
  test("weights of another model are refused, and what was allocated is free again", async () => {
    const backend = referenceBackend();
    const states: DeviceBuffer[] = [];
    const watched: Backend = Object.assign(Object.create(backend) as Backend, {
      allocate: async (...[type, name]: Parameters<Backend["allocate"]>) => {
        const buffer = await backend.allocate(type, name);
        states.push(buffer);
        return buffer;
      },
    });
    const short: WeightSource = { read: async () => new Float32Array(3) };
    await expect(Engine.open(watched, golden.config, short)).rejects.toThrow(
      `[infer] parameter "embedding" has 3 numbers but the model's config says`,
    );
    expect(states.length).toBeGreaterThan(10);
    for (const buffer of states) await expect(buffer.read()).rejects.toThrow("disposed");
    const aborted = { signal: AbortSignal.abort(new Error("enough")) };
    await expect(Engine.open(backend, golden.config, weightsOf(golden), aborted)).rejects.toThrow("enough");
    await expect(Engine.open(backend, golden.config, weightsOf(golden), { contextLength: 9999 })).rejects.toThrow("9999 positions exceed");
  });

  test("after dispose nothing runs; disposing twice is harmless", async () => {
    const engine = await Engine.open(referenceBackend(), golden.config, weightsOf(golden));
    const running = engine.logits([1, 2, 3]);
    await engine.dispose();
    await engine.dispose();
    expect(await running).toHaveLength(golden.config.vocabSize);
    await expect(engine.logits([1])).rejects.toThrow("[infer] the engine was disposed");
  });
});

test("runs are as few as padding by at most a half allows, and always fit", () => {
  const lengths = [1, 8, 32, 128];
  const split = (left: number, room: number) => {
    const runs: number[] = [];
    for (let done = 0; done < left; ) {
      const length = chooseLength(lengths, left - done, room - done);
      expect(done + length).toBeLessThanOrEqual(room);
      runs.push(length);
      done += length;
    }
    return runs;
  };
  expect(split(1, 100)).toEqual([1]);
  expect(split(3, 100)).toEqual([1, 1, 1]);
  expect(split(5, 100)).toEqual([8]);
  expect(split(5, 6)).toEqual([1, 1, 1, 1, 1]);
  expect(split(40, 100)).toEqual([32, 8]);
  expect(split(100, 200)).toEqual([128]);
  expect(split(300, 2048)).toEqual([128, 128, 32, 8, 8]);
});
