// Every scaling of rotary positions against transformers: tables for configs drawn at random, and small models with and without a cache
// (test/goldens/rope_scaling.py).
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, BoundProgram, type DeviceBuffer } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { hfName, readHfConfig } from "./formats/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { mostProbable, SequenceModel, type SequenceModelOptions } from "./infer/index.ts";
import { goldenWeights } from "./model/goldens.test.helper.ts";
import {
  type LlamaConfig,
  lossGraph,
  parameterRows,
  ropeAttention,
  ropeFrequencies,
  ropeInputs,
  ropeLength,
  type WeightSource,
  writeBatch,
} from "./model/index.ts";

/** Arrays are float32 in base64. */
interface Text {
  readonly which: "shorter" | "longer";
  readonly prompt: readonly number[];
  /** Greedy, with a cache. */
  readonly tokens: readonly number[];
  /** The logits before each of the tokens. */
  readonly logits: string;
  /** The logits after prompt and tokens, without a cache. */
  readonly whole: string;
  /** Mean over the prompt, in nats per token. */
  readonly loss: number;
  /** The same with tokens at every 397th position. */
  readonly far: number;
}

interface Golden {
  readonly parameters: Parameters<typeof goldenWeights>[0]["parameters"];
  readonly models: readonly { readonly name: string; readonly config: object; readonly texts: readonly Text[] }[];
  readonly tables: readonly {
    readonly config: { readonly rope_scaling: { readonly rope_type: string } };
    readonly runs: readonly { readonly length: number; readonly frequencies: string; readonly attentionFactor: number }[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../test/goldens/rope-scaling.golden.json", import.meta.url), "utf8"));

function read(config: object): LlamaConfig {
  const found = readHfConfig("config.json", JSON.stringify(config));
  expect(found.warnings).toEqual([]);
  return found.config;
}

describe("the table of a run", () => {
  test.each(golden.tables.map(({ config, runs }, i) => ({ name: `${config.rope_scaling.rope_type} ${i}`, config, runs })))(
    "$name",
    ({ config, runs }) => {
      const ours = read(config);
      for (const { length, frequencies, attentionFactor } of runs) {
        const expected = floats(frequencies);
        const found = ropeFrequencies(ours, length - 1);
        expect(found.length).toBe(expected.length);
        // Theirs are sums and powers in float32. A ramp's rounding counts as often as a pair is slowed.
        const factor = "factor" in ours.ropeScaling ? (ours.ropeScaling.factor ?? 1) : 1;
        found.forEach((frequency, i) => {
          expect(Math.abs(frequency / expected[i]! - 1), `pair ${i}, ${length} positions`).toBeLessThan(5e-7 + 6e-8 * factor);
        });
        expect(ropeAttention(ours)).toBeCloseTo(attentionFactor, 12);
      }
      const lengths = runs.map(({ length }) => ropeLength(ours, length - 1));
      expect(new Set(lengths).size).toBe(new Set(runs.map(({ frequencies }) => frequencies)).size);
    },
  );
});

describe.each([
  { name: "reference", open: async () => referenceBackend(), tolerance: 1e-5 },
  { name: "cpu", open: () => openCpuBackend({ threads: 2 }), tolerance: 1e-4 },
])("on $name", ({ open, tolerance }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.dispose());

  describe.each(golden.models)("$name", ({ config: json, texts }) => {
    const config = read(json);

    test.each(texts)("from a $which prompt, with a cache", async ({ prompt, tokens, logits }) => {
      const expected = floats(logits);
      await using model = await openModel(backend, config, { passRows: 7 });
      const sequence = model.sequence();
      for (const [step, token] of tokens.entries()) {
        const found = await sequence.next(step === 0 ? prompt : [tokens[step - 1]!]);
        expectClose(found, expected.subarray(step * config.vocabSize, (step + 1) * config.vocabSize), tolerance);
        expect(mostProbable(found)).toBe(token);
      }
    });

    test("without a cache, in one run and cut into several", async () => {
      for (const passRows of [64, 7]) {
        await using model = await openModel(backend, config, { passRows });
        const logitsAfter = async (ids: readonly number[]) => {
          using sequence = model.sequence();
          return await sequence.next(ids);
        };
        // One text after the other: what the cache holds of an earlier one must not matter.
        for (const { prompt, tokens, whole } of texts) {
          expectClose(await logitsAfter([...prompt, ...tokens]), floats(whole), tolerance);
          const [first] = texts;
          expectClose(await logitsAfter([...first!.prompt, ...first!.tokens]), floats(first!.whole), tolerance);
        }
      }
    });

    test("in the graph of training, at positions up to some 10,000", async () => {
      for (const { prompt, loss, far } of texts) {
        expect(Math.abs((await lossOf(backend, config, prompt, 1)) / loss - 1)).toBeLessThan(tolerance);
        expect(Math.abs((await lossOf(backend, config, prompt, 397)) / far - 1)).toBeLessThan(Math.max(tolerance, 1e-4));
      }
    });
  });
});

test("the models tell the scalings apart, and their prompts lie on both sides of the length before scaling where runs look at it", () => {
  const all = golden.models.flatMap(({ texts }) => texts.map(({ whole }) => whole));
  expect(new Set(all).size).toBe(all.length);
  for (const { config, texts } of golden.models) {
    const { ropeScaling: scaling } = read(config);
    if (!("originalLength" in scaling)) continue;
    const [shorter, longer] = texts.map(({ prompt }) => prompt.length);
    expect(longer).toBeGreaterThan(scaling.originalLength);
    if (scaling.type === "dynamic" || scaling.type === "longrope") expect(shorter).toBeLessThan(scaling.originalLength);
  }
});

function openModel(backend: Backend, config: LlamaConfig, options: SequenceModelOptions): Promise<SequenceModel> {
  const weights = goldenWeights(golden);
  const read: WeightSource["read"] = async ({ name }) => weights.get(hfName(name))!;
  return SequenceModel.open(backend, config, { read }, { ...options, contextLength: 40 });
}

/** The mean loss of a text whose tokens stand so many positions apart. */
async function lossOf(backend: Backend, config: LlamaConfig, ids: readonly number[], apart: number): Promise<number> {
  const length = ids.length;
  const { graph, loss } = lossGraph(config, { batch: 1, length });
  const states = new Map<string, DeviceBuffer>();
  using program = await BoundProgram.compile(backend, graph, states);
  const weights = goldenWeights(golden);
  for (const { name } of parameterRows(config)) await states.get(name)!.write(weights.get(hfName(name))!);
  await writeBatch(program, { tokens: ids, targets: [...ids.slice(1), -1] });
  await program.write(
    "positions",
    ids.map((_, i) => apart * i),
  );
  for (const [name, values] of ropeInputs(config, apart * (length - 1))) await program.write(name, values);
  await program.run();
  const [found] = await program.read(loss);
  for (const buffer of states.values()) buffer.dispose();
  return found!;
}

/** |found − expected| / |expected|, Euclidean. */
function expectClose(found: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  const norm = (values: Float32Array) => Math.hypot(...values);
  expect(norm(found.map((value, i) => value - expected[i]!)) / norm(expected)).toBeLessThan(tolerance);
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
