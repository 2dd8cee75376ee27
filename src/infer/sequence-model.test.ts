import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, BoundProgram, type DeviceBuffer, type PassWrite } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { fail, quantise, Rng, type StateDType, sizeOf } from "../base/index.ts";
import { Graph, i32, tensorBytes } from "../graph/index.ts";
import { chooseTarget, openCpuBackend } from "../host/index.ts";
import {
  adapters,
  causalAttention,
  constantRows,
  declareParameters,
  declareTurns,
  initialise,
  type LoraSettings,
  llama,
  llamaConfig,
  loraRows,
  mergeLora,
  outputProjection,
  parameterRows,
  partsOf,
  ropeInputs,
  type WeightSource,
} from "../model/index.ts";
import {
  type GenerateTokensOptions,
  generateTokens,
  type LanguageModel,
  logSumExp,
  lookupDraft,
  modelDraft,
  promptLogProbabilities,
  SequenceModel,
  type SequenceModelOptions,
  type TokenSequence,
} from "./index.ts";
import { SharedPrompt } from "./shared-prompt.ts";

/** Heads of 32 channels, so that keys of every layout fit; gains and matrices large enough that logits tell tokens apart. */
const config = llamaConfig({ vocabSize: 61, dim: 64, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 96, contextLength: 320 });
const parameters = new Map([...initialise(parameterRows(config), 5)].map(([name, values]) => [name, values.map((value) => value * 4)]));
const weights: WeightSource = { read: async ({ name }) => parameters.get(name) ?? fail("test", `no parameter ${name}`) };
const open = (backend: Backend, options: SequenceModelOptions = {}) => SequenceModel.open(backend, config, weights, options);
const idsOf = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * i * 7 + (3 + seed) * i + seed) % config.vocabSize);

const valuesOf = (values: ReadonlyMap<string, Float32Array>, name: string) => values.get(name) ?? fail("test", `no parameter ${name}`);

function normals(count: number, seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count }, () => rng.normal() / 4);
}

async function tokensOf(model: LanguageModel, prompt: readonly number[], options: GenerateTokensOptions = {}): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { id } of generateTokens(model, prompt, { temperature: 0, ...options })) tokens.push(id);
  return tokens;
}

const targets: string[] = [];
for (const target of ["wasm", "avx2", "avx512"])
  await chooseTarget(target).then(
    () => targets.push(target),
    (error: Error) => console.log(`${target} is not tested here: ${error.message}`),
  );

/** Logits of every row by a graph without pages. */
async function uncachedLogits(backend: Backend, ids: readonly number[]): Promise<Float32Array> {
  const graph = new Graph();
  const [tokens, positions] = [graph.input("tokens", i32(ids.length)), graph.input("positions", i32(ids.length))];
  const { parameters: declared } = declareParameters(graph, config);
  const parts = { ...partsOf(config), attention: causalAttention(config, 1) };
  const x = llama(declared, parts, config, { tokens, positions, turns: declareTurns(graph, config) });
  const logits = graph.keep(outputProjection(declared).apply(x));
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  for (const [name, values] of [...parameters, ...initialise(constantRows(config), 0)]) await states.get(name)!.write(values);
  await program.write("tokens", ids);
  await program.write("positions", [...ids.keys()]);
  for (const [name, values] of ropeInputs(config, ids.length - 1)) await program.write(name, values);
  await program.run();
  const values = (await program.read(logits)) as Float32Array;
  program.dispose();
  for (const buffer of states.values()) buffer.dispose();
  return values;
}

test.each(["ropeTurns", "tokens", "pages"])("a pass whose %s could not be written fails, and the next one has them all", async (input) => {
  await using backend = referenceBackend();
  const compile = backend.compile.bind(backend);
  let failures = 0;
  backend.compile = async (...given) => {
    const program = await compile(...given);
    const pass = program.pass.bind(program);
    const isWritten = (writes: readonly PassWrite[]) => writes.some(({ buffer }) => buffer.name === input);
    program.pass = async (writes, reads) => (isWritten(writes) && failures++ === 0 ? fail("test", "no room") : pass(writes, reads));
    return program;
  };
  const model = await open(backend, { contextLength: 130 });
  const run = async () => (await model.run([{ sequence: model.sequence(), ids: idsOf(5), logits: "all" }]))[0].logits;
  await expect(run()).rejects.toThrow("no room");
  const expected = await uncachedLogits(referenceBackend(), idsOf(5));
  const found = (await run()).flatMap((row) => [...row]);
  expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-5);
  expect(failures).toBeGreaterThan(1);
  await model.dispose();
});

describe.each([
  { name: "reference", openBackend: async () => referenceBackend(), tolerance: 1e-5 },
  { name: "cpu", openBackend: () => openCpuBackend({ threads: 2 }), tolerance: 1e-4 },
])("on $name", ({ openBackend, tolerance }) => {
  let backend: Backend;
  let model: SequenceModel;
  beforeAll(async () => {
    backend = await openBackend();
    model = await open(backend, { contextLength: 130 });
  });
  afterAll(async () => {
    await model.dispose();
    await backend.dispose();
  });

  test("logits are those of a graph without pages", async () => {
    const ids = idsOf(100);
    const expected = await uncachedLogits(backend, ids);
    const [{ logits }] = await model.run([{ sequence: model.sequence(), ids, logits: "all" }]);
    const found = logits.flatMap((row) => [...row]);
    expect(found.length).toBe(expected.length);
    expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(tolerance);
  });

  test("outputs of layers are given: the embedding's are its rows, and the last one's make the logits", async () => {
    const ids = idsOf(20, 3);
    const [first, last, final] = await model.run([
      { sequence: model.sequence(), ids, hidden: { output: 0, rows: "all" } },
      { sequence: model.sequence(), ids, hidden: { output: config.nLayers, rows: "last" } },
      { sequence: model.sequence(), ids, logits: "none", hidden: { output: "final", rows: "last" } },
    ]);
    const rowOf = (table: string, row: number) => parameters.get(table)!.subarray(row * config.dim, (row + 1) * config.dim);
    expect(first.hidden).toEqual(ids.map((id) => Float32Array.from(rowOf("embedding", id))));
    const gain = parameters.get("finalNorm.gain")!;
    const rms = Math.sqrt(last.hidden.reduce((sum, x) => sum + x * x, 0) / config.dim + config.normEpsilon);
    const normed = last.hidden.map((x, c) => (x / rms) * gain[c]!);
    normed.forEach((x, c) => expect(final.hidden[c]).toBeCloseTo(x, 4));
    last.logits.forEach((logit, id) =>
      expect(logit).toBeCloseTo(
        rowOf("output", id).reduce((sum, w, c) => sum + w * normed[c]!, 0),
        4,
      ),
    );
    expect(last.logits).toEqual(first.logits);
  });

  test("an adapter changes logits as it does when it is merged, and its rows must be there", async () => {
    const lora: LoraSettings = { rank: 3, alpha: 6, targets: ["attention.query", "ffn.down"] };
    const adapter = new Map(loraRows(config, lora).map((row, i) => [row.name, normals(sizeOf(row.shape), i)]));
    const merged = new Map<string, Float32Array>(parameters);
    const rowByName = new Map(parameterRows(config).map((row) => [row.name, row]));
    for (const [name, { a, b }] of adapters(config, lora)) {
      const row = rowByName.get(name) ?? fail("test", `no row ${name}`);
      merged.set(name, mergeLora(row, valuesOf(parameters, name), { a: valuesOf(adapter, a.name), b: valuesOf(adapter, b.name) }, lora));
    }
    const logitsOf = async (values: ReadonlyMap<string, Float32Array>, options: SequenceModelOptions) => {
      const read: WeightSource["read"] = async ({ name }) => valuesOf(values, name);
      await using own = await SequenceModel.open(backend, config, { read }, { contextLength: 130, ...options });
      return own.sequence().next(idsOf(20));
    };
    const [adapted, expected, plain] = [
      await logitsOf(new Map([...parameters, ...adapter]), { lora }),
      await logitsOf(merged, {}),
      await model.sequence().next(idsOf(20)),
    ];
    const difference = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(difference(adapted, expected)).toBeLessThan(tolerance);
    expect(difference(adapted, plain)).toBeGreaterThan(100 * tolerance);
    await expect(logitsOf(parameters, { lora })).rejects.toThrow("no parameter layers.0.attention.query.loraA");
  });

  test("keys and values in fewer bytes change little", async () => {
    const [{ logits: exact }] = await model.run([{ sequence: model.sequence(), ids: idsOf(90) }]);
    for (const [cacheType, most] of [
      ["f16", 2e-2],
      ["q8_0", 0.5],
    ] as const) {
      await using small = await open(backend, { contextLength: 130, cacheType });
      const found = await small.sequence().next(idsOf(90));
      const difference = Math.max(...found.map((value, id) => Math.abs(value - exact[id]!)));
      expect(difference, cacheType).toBeGreaterThan(0);
      expect(difference, cacheType).toBeLessThan(most);
    }
  });

  test("texts that are written at the same time are those that are written alone, and nothing is computed twice", async () => {
    const prompts = [idsOf(70, 1), idsOf(5, 2), idsOf(90, 4)];
    const alone: number[][] = [];
    for (const prompt of prompts) {
      await using fresh = await open(backend);
      alone.push(await tokensOf(fresh, prompt, { maxTokens: 12 }));
    }
    await using together = await open(backend);
    expect(await Promise.all(prompts.map((prompt) => tokensOf(together, prompt, { maxTokens: 12 })))).toEqual(alone);
    expect(together.counts.rows).toBe(70 + 5 + 90 + 3 * 11);
    expect(together.counts.passes).toBeLessThan(1 + 11 + 5);
  });
});

/** The model with its matrices in blocks of 8 bits, which a backend is given as it is given a file's. */
function quantised(inner: Backend): { readonly backend: Backend; readonly source: WeightSource } {
  const bytesOf = (name: string) => quantise("q8_0", Float64Array.from(parameters.get(name) ?? []));
  const map: Backend["map"] = async (type, name) => {
    const buffer = await inner.allocate(type, name);
    await buffer.write(bytesOf(name));
    return buffer;
  };
  const inFile: WeightSource["inFile"] = ({ name, shape }) =>
    shape.length === 2 ? { dtype: "q8_0", region: { name, descriptor: -1, start: 0, bytes: bytesOf(name).length } } : undefined;
  return { backend: backendWith({ map }, inner), source: { ...weights, inFile } };
}

interface BitsCase {
  readonly matrices: "f32" | "q8_0";
  readonly cacheType: StateDType;
  readonly slidingWindow?: number;
  readonly lora?: LoraSettings;
}

/** Every way to come to the logits of the rows of one text, on one target with so many threads. */
async function bitsOf(
  target: string,
  threads: number,
  { matrices, cacheType, lora, ...window }: BitsCase,
): Promise<readonly Float32Array[]> {
  await using inner = await openCpuBackend({ target, threads });
  const { backend, source } = matrices === "f32" ? { backend: inner, source: weights } : quantised(inner);
  const read: WeightSource["read"] = async (row) => parameters.get(row.name) ?? normals(sizeOf(row.shape), row.name.length);
  const open = (options: SequenceModelOptions) =>
    SequenceModel.open(backend, { ...config, ...window }, { ...source, read }, { ...options, ...(lora && { lora }) });
  const ids = idsOf(150);
  const { expected, behind } = await (async () => {
    await using model = await open({ cacheType });
    const sequence = model.sequence();
    const [{ logits }] = await model.run([{ sequence, ids, logits: "all" }]);
    const three = await sequence.next([3]);
    sequence.truncate(ids.length);
    return { expected: logits, behind: [three, await sequence.next([4])] };
  })();
  await using model = await open({ cacheType, pages: 12 });
  const before = model.sequence();
  await before.next(idsOf(100, 7)); // so that page numbers are others
  const last = expected.at(-1)!;

  using single = model.sequence();
  await single.next(ids.slice(0, 60));
  for (let row = 60; row < 72; row++) expect(await single.next([ids[row]!]), `row ${row} alone`).toEqual(expected[row]);
  before.dispose();

  using chunks = model.sequence();
  let end = 0;
  for (const length of [1, 7, 8, 9, 30, 64, 31]) {
    end += length;
    const [{ logits }] = await model.run([{ sequence: chunks, ids: ids.slice(end - length, end), logits: "all" }]);
    expect(logits, `rows ${end - length} to ${end - 1}`).toEqual(expected.slice(end - length, end));
  }

  const [batched] = await model.run([
    { sequence: model.sequence(), ids, logits: "all" },
    { sequence: model.sequence(), ids: idsOf(77, 9) },
    { sequence: model.sequence(), ids: idsOf(3, 2), logits: "none" },
  ]);
  expect(batched.logits).toEqual(expected);

  using fork = chunks.fork();
  expect(await Promise.all([fork.next([3]), chunks.next([4])]), "after a fork").toEqual(behind);
  fork.truncate(130);
  expect(await fork.next(ids.slice(130)), "after a fork and a cut").toEqual(last);
  return expected;
}

describe.each(targets)("on %s a row has the same bits", (target) => {
  const lora: LoraSettings = { rank: 3, alpha: 6, targets: ["attention.query", "ffn.down"] };
  test.each([
    { matrices: "f32", cacheType: "f32" },
    { matrices: "f32", cacheType: "f16", slidingWindow: 70 },
    { matrices: "q8_0", cacheType: "q8_0", lora },
  ] as const)("alone, in chunks, in batches, on other pages, after forks and cuts, with one thread and two: %o", async (one) => {
    expect(await bitsOf(target, 2, one)).toEqual(await bitsOf(target, 1, one));
  });

  test("when pages are so few that sequences pause", async () => {
    await using backend = await openCpuBackend({ target, threads: 2 });
    const prompts = [idsOf(70, 1), idsOf(50, 2), idsOf(90, 4)];
    const options = { maxTokens: 60, temperature: 0.9, seed: 3 };
    await using large = await open(backend);
    const expected = await Promise.all(prompts.map((prompt) => tokensOf(large, prompt, options)));
    expect(large.counts.rows).toBe(70 + 50 + 90 + 3 * 59);
    await using small = await open(backend, { pages: 4, contextLength: 200 });
    expect(await Promise.all(prompts.map((prompt) => tokensOf(small, prompt, options)))).toEqual(expected);
    expect(small.counts.rows).toBeGreaterThan(large.counts.rows);
  });
});

describe.each(["reference", ...targets])("the largest logits alone, on %s", (target) => {
  const large = { ...config, vocabSize: 4133 };
  const values = initialise(parameterRows(large), 6);
  const read: WeightSource["read"] = async ({ name }) =>
    values.get(name)?.map((value) => value * 4) ?? fail("test", `no parameter ${name}`);
  let backend: Backend;
  let model: SequenceModel;
  beforeAll(async () => {
    backend = target === "reference" ? referenceBackend() : await openCpuBackend({ target, threads: 2 });
    model = await SequenceModel.open(backend, large, { read }, { contextLength: 100 });
  });
  afterAll(async () => {
    await model.dispose();
    await backend.dispose();
  });

  test("are those of all, with and without a mask, beside rows that want all", async () => {
    const allowed = new Uint32Array(Math.ceil(4133 / 32)).map((_, word) => (word % 3 === 0 ? 0x10001 * word : 0));
    const isAllowed = (id: number) => ((allowed[id >>> 5]! >>> (id & 31)) & 1) === 1;
    for (const ids of [idsOf(1), idsOf(7), idsOf(20)]) {
      const item = { ids, sequence: model.sequence() };
      const [all, top, masked] = await model.run([
        { ...item, logits: "last" },
        { ids, sequence: model.sequence(), logits: { top: 5 } },
        { ids, sequence: model.sequence(), logits: { top: 70, allowed } },
      ]);
      const order = [...all.logits.keys()].sort((a, b) => all.logits[b]! - all.logits[a]! || a - b);
      for (const [found, expected] of [
        [top.logits, order.slice(0, 5)],
        [masked.logits, order.filter(isAllowed).slice(0, 70)],
      ] as const) {
        expect([...found.ids]).toEqual(expected);
        expect([...found.logits]).toEqual(expected.map((id) => all.logits[id]));
        expect(found.logSumExp).toBeCloseTo(logSumExp(all.logits), 4);
      }
    }
  });

  test.each([
    { temperature: 0 },
    { temperature: 0, suppressTokens: [17, 4132, 9999], noRepeatNgramSize: 2 },
    { temperature: 1.5, topK: 40, topP: 0.9, minP: 0.01 },
    { temperature: 3, topK: 300, minTokens: 4, stopIds: [5, 6], vocabSize: 4001 },
  ] satisfies GenerateTokensOptions[])("draw the same tokens as all: %j", async (options) => {
    let tops = 0;
    const watched = (hasTop: boolean): LanguageModel => ({
      ...{ vocabSize: model.vocabSize, contextLength: model.contextLength },
      sequence: () => {
        const sequence = model.sequence();
        const nextTop: TokenSequence["nextTop"] = (ids, wanted, signal) => {
          tops++;
          return sequence.nextTop(ids, wanted, signal);
        };
        return {
          next: (ids, signal) => sequence.next(ids, signal),
          ...(hasTop && { nextTop }),
          [Symbol.dispose]: () => sequence.dispose(),
        };
      },
    });
    const given = { seed: 4, maxTokens: 14, ...options };
    const expected = await tokensOf(watched(false), idsOf(9), given);
    expect(await tokensOf(watched(true), idsOf(9), given)).toEqual(expected);
    expect(tops).toBe(expected.length);
    expect(new Set(expected).size).toBeGreaterThan(2);
  });

  test("what cannot be had is said", async () => {
    const sequence = model.sequence();
    await expect(sequence.nextTop([1], { top: 0 })).rejects.toThrow("[infer] top is 0 but must be an integer from 1 to 1024");
    await expect(sequence.nextTop([1], { top: 1025 })).rejects.toThrow("top is 1025 but must be");
    await expect(sequence.nextTop([1], { top: 1, allowed: new Uint32Array(3) })).rejects.toThrow(
      "the bits of allowed tokens are 3 words, but 4133 tokens need 130",
    );
    const ruledOut = { temperature: 0, suppressTokens: Array.from({ length: 4133 }, (_, id) => id) };
    await expect(tokensOf(model, [1], ruledOut)).rejects.toThrow("[sampling] all tokens are ruled out: at least one must be possible");
  });
});

test.each(targets)("on %s guessing ahead, forking a prompt and writing beside others change no token", async (target) => {
  await using backend = await openCpuBackend({ target, threads: 2 });
  await using model = await open(backend, { contextLength: 130 });
  const prompt = idsOf(70);
  const settings = [{}, { temperature: 1, seed: 3, frequencyPenalty: 0.3 }, { temperature: 0.8, topK: 9, seed: 4 }];
  const plain = [];
  for (const options of settings) plain.push(await tokensOf(model, prompt, options));
  const drafts = [modelDraft(model, 5), lookupDraft()];
  for (const draft of drafts)
    expect(await Promise.all(settings.map((options) => tokensOf(model, prompt, { ...options, draft })))).toEqual(plain);
  expect(drafts[0]!.accepted).toBeGreaterThan(100);
  using shared = await SharedPrompt.read(model, prompt);
  expect(await Promise.all(settings.map((options) => tokensOf(shared, prompt, options)))).toEqual(plain);
  const told = await promptLogProbabilities(model, prompt.slice(0, 9));
  const before = (await model.run([{ sequence: model.sequence(), ids: prompt.slice(0, 8), logits: "last" }]))[0].logits;
  expect(told[8]!.logProbability).toBeCloseTo(before[prompt[8]!]! - logSumExp(before), 6);
});

describe("opening and disposing", () => {
  test("gives all memory back, and all pages", async () => {
    await using backend = await openCpuBackend({ target: "wasm", threads: 1 });
    const probe = await backend.allocate(i32(1), "probe");
    const left = async () => {
      await probe.read(); // The read waits for what is being given back.
      return backend.memory().bytes;
    };
    const run = async () => {
      await using model = await open(backend, { pages: 7 });
      using sequence = model.sequence();
      await sequence.next(idsOf(100));
      using fork = sequence.fork();
      await fork.next([1]);
      sequence.dispose();
      fork.dispose();
      expect(model.counts).toMatchObject({ pages: 7, heldPages: 0, keptPages: 2 });
    };
    await run(); // the threads' scratch stays with the backend
    const before = await left();
    await run();
    expect(await left()).toBe(before);
  });

  test("weights of another model are refused, and what was allocated is free again", async () => {
    const backend = referenceBackend();
    const buffers: DeviceBuffer[] = [];
    const allocate: Backend["allocate"] = async (type, name) => {
      const buffer = await backend.allocate(type, name);
      buffers.push(buffer);
      return buffer;
    };
    const short: WeightSource = { read: async () => new Float32Array(3) };
    await expect(SequenceModel.open(backendWith({ allocate }), config, short)).rejects.toThrow(
      `[infer] parameter "embedding" has 3 numbers but the model's config says`,
    );
    expect(buffers.length).toBeGreaterThan(10);
    for (const buffer of buffers) await expect(buffer.read()).rejects.toThrow("disposed");
    await expect(open(backend, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    await expect(open(backend, { contextLength: 9999 })).rejects.toThrow("9999 positions exceed the model's context of 320");
  });

  test("options out of their range are named", async () => {
    const backend = referenceBackend();
    await expect(open(backend, { pages: 0 })).rejects.toThrow("pages is 0 but must be an integer, at least 1");
    await expect(open(backend, { passRows: 513 })).rejects.toThrow("passRows is 513 but must be an integer from 1 to 512");
    await expect(open(backend, { passRows: 20, mixedRows: 21 })).rejects.toThrow("mixedRows is 21 but must be an integer from 1 to 20");
    await expect(open(backend, { contextLength: 0.5 })).rejects.toThrow("contextLength is 0.5 but must be an integer, at least 1");
  });

  test("the pool has pages for four contexts where memory suffices, and fewer, beside what programs take, where it does not", async () => {
    const programs = 1e6;
    const pagesWith = async (room: number, options: SequenceModelOptions = {}) => {
      const memory = () => ({ bytes: programs + room, bound: "what a test has" });
      await using model = await open(backendWith({ memory, workspaceBytes: (graph) => programs + ownBytes - inputBytes(graph) }), options);
      return [model.counts.pages, model.contextLength];
    };
    const inputBytes = ({ tensors }: Graph) =>
      [...tensors].filter(({ role }) => role === "input").reduce((sum, input) => sum + tensorBytes(input), 0);
    const ownBytes = parameterRows(config)
      .filter(({ name, shape }) => shape.length === 2 && name !== "embedding")
      .reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    const onePage = config.nLayers * 2 * 64 * config.headDim * config.nKvHeads * 4;
    expect(await pagesWith(Number.POSITIVE_INFINITY)).toEqual([20, 320]);
    expect(await pagesWith(Number.POSITIVE_INFINITY, { contextLength: 100 })).toEqual([8, 100]);
    const roomFor = (pages: number) => ((pages + 0.5) * onePage + programs) / (1 - 1 / 8) - programs;
    expect(await pagesWith(roomFor(3))).toEqual([3, 192]);
    expect(await pagesWith(roomFor(3), { cacheType: "f16" })).toEqual([7, 320]);
    expect(await pagesWith(5 * onePage, { contextLength: 300 })).toEqual([5, 300]); // what is asked for may have the spare memory, too
    expect(await pagesWith(onePage)).toEqual([1, 64]);
    expect(await pagesWith(0, { pages: 9 })).toEqual([9, 320]);
    await expect(pagesWith(4 * onePage, { contextLength: 300 })).rejects.toThrow(
      "[infer] programs and packed weights need 0.00100 GB and keys and values of 320 tokens 0.000164 GB, but what a test has is 0.00113 GB: set contextLength to 256 or less, or store keys and values in fewer bytes (cacheType)",
    );
    await expect(pagesWith(onePage - 1)).rejects.toThrow("use a smaller model, or store keys and values in fewer bytes (cacheType)");
  });
});

describe("an end of a text", () => {
  const S = 40;
  let model: SequenceModel;
  beforeAll(async () => {
    model = await open(referenceBackend(), { contextLength: S });
  });
  const collect = async (prompt: number[], options: GenerateTokensOptions) => {
    const tokens = [];
    for await (const token of generateTokens(model, prompt, { temperature: 0, ...options })) tokens.push(token);
    return tokens;
  };

  test("comes with maxTokens, with the context, with a stop token", async () => {
    const prompt = idsOf(5);
    const five = await collect(prompt, { maxTokens: 5 });
    expect(five.map((token) => token.finishReason)).toEqual([...Array(4).fill(undefined), "length"]);
    const full = await collect(prompt, {});
    expect(full).toHaveLength(S - 5 + 1);
    expect(full.at(-1)!.finishReason).toBe("context");
    expect(await collect(idsOf(S), {})).toHaveLength(1);
    const stopId = five[3]!.id;
    const stopped = await collect(prompt, { stopIds: [stopId] });
    expect(stopped.at(-1)).toEqual({ id: stopId, finishReason: "stop" });
    expect(stopped).toHaveLength(five.findIndex(({ id }) => id === stopId) + 1);
  });

  test("comes with a signal, in the middle", async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const { id } of generateTokens(model, [1], { signal: abort.signal })) {
        seen.push(id);
        if (seen.length === 3) abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toHaveLength(3);
    expect(model.counts.heldPages).toBe(0);
  });

  test("gives the pages back, however it comes", async () => {
    for await (const _ of generateTokens(model, idsOf(20), {})) break;
    await expect(collect([1, 99], {})).rejects.toThrow("token 99 is outside the model's vocabulary of 61");
    expect(model.counts.heldPages).toBe(0);
  });

  test("ids that the tokenizer lacks are never drawn", async () => {
    const tokens = await collect([1, 2], { maxTokens: 15, temperature: 5, seed: 1, vocabSize: 4 });
    expect(Math.max(...tokens.map(({ id }) => id))).toBeLessThan(4);
  });

  test("the seed decides", async () => {
    const run = (seed: number) => collect([1, 2], { maxTokens: 10, temperature: 2, seed });
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test("what cannot be done is said", async () => {
    await expect(collect([], {})).rejects.toThrow("[infer] there is no token to go on from");
    await expect(collect(idsOf(S + 1), {})).rejects.toThrow(`the text has ${S + 1} tokens but the context holds ${S}`);
    await expect(collect([1], { maxTokens: 0 })).rejects.toThrow("maxTokens is 0 but must be an integer, at least 1");
    await expect(collect([1], { topP: 2 })).rejects.toThrow("[sampling] topP is 2");
    await expect(collect([1], { logProbabilities: -1 })).rejects.toThrow("logProbabilities is -1 but must be an integer, at least 0");
  });

  test("tokens come with their log-probabilities where these are asked for", async () => {
    const prompt = idsOf(9);
    const tokens = await collect(prompt, {
      maxTokens: 3,
      logProbabilities: 2,
      suppressTokens: [(await collect(prompt, { maxTokens: 1 }))[0]!.id],
    });
    const logits = await model.sequence().next(prompt);
    const total = logSumExp(logits);
    const [best, second] = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
    const of = (id: number) => ({ id, logProbability: logits[id]! - total });
    expect(tokens[0]).toMatchObject({ id: second, logProbabilities: { ...of(second!), top: [of(best!), of(second!)] } });
    expect(logits.reduce((sum, logit) => sum + Math.exp(logit - total), 0)).toBeCloseTo(1, 10);
  });
});

/** A backend that does some things otherwise. */
function backendWith(changes: Partial<Backend>, inner = referenceBackend()): Backend {
  return {
    ...{ name: inner.name, target: inner.target, memory: () => inner.memory(), workspaceBytes: (graph) => inner.workspaceBytes(graph) },
    sharedBytes: (graph) => inner.sharedBytes(graph),
    ...{ allocate: (type, name) => inner.allocate(type, name), compile: (graph, bindings) => inner.compile(graph, bindings) },
    ...{ dispose: () => inner.dispose(), [Symbol.asyncDispose]: () => inner.dispose() },
    ...changes,
  };
}
