// A real model, SmolLM2-135M-Instruct as a GGUF of Q4_1, beside llama.cpp and PyTorch (test/goldens/smollm2.py). The file comes by
// tools/fetch-smollm2.mjs.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { Message } from "./chat/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { Llama } from "./index.ts";
import { SequenceModel } from "./infer/index.ts";
import { openModel } from "./load/index.ts";

interface Golden {
  readonly prompts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    /** The judge's most probable ids, and their log-probabilities. */
    readonly best: readonly number[];
    readonly logProbabilities: readonly number[];
    /** What llama.cpp's distribution differs by from the judge's, in nats. */
    readonly divergence: number;
  }[];
  /** llama.cpp's most probable tokens behind a text, and the gaps between the two most probable, in nats. */
  readonly greedy: readonly { readonly text: string; readonly tokens: readonly number[]; readonly gaps: readonly number[] }[];
  readonly chats: readonly { readonly messages: readonly Message[]; readonly text: string }[];
}

const file = fileURLToPath(new URL("../models/SmolLM2-135M-Instruct.Q4_1.gguf", import.meta.url));
const isHere = existsSync(file);
if (!isHere) console.log(`${file} is not there, so that its tests are skipped: node tools/fetch-smollm2.mjs`);

/** Activations of 8 bits, as llama.cpp and cria multiply quantised matrices by, move the gap of two tokens by up to half a nat in these texts. */
const roundedGap = 0.5;
/** The divergence from float32 may be so many times llama.cpp's: both round, and neither rounds what the other does. */
const mostTimes = 1.15;

describe.skipIf(!isHere)("SmolLM2-135M-Instruct", () => {
  let golden: Golden;
  beforeAll(() => {
    golden = JSON.parse(readFileSync(new URL("../test/goldens/smollm2.golden.json", import.meta.url), "utf8"));
  });

  test("logits are as near to those of float32 as llama.cpp's, and the most probable token is the same where rounding does not decide", async () => {
    await using backend = await openCpuBackend();
    await using model = await openModel(file);
    const { inFile: _, stored: __, ...asFloat32 } = model.weights;
    const tokenizer = await model.openTokenizer();
    const options = { contextLength: 256, pages: 8 };
    const asStored = await rowsOf(backend, model.config, model.weights);
    const exact = await rowsOf(backend, model.config, asFloat32);
    let [ours, theirs] = [0, 0];
    golden.prompts.forEach(({ text, ids, best, logProbabilities: expected, divergence }, i) => {
      expect([...tokenizer.encode(text, { parseSpecial: false })], text).toEqual(ids);
      best.forEach((id, place) => expect(Math.abs(exact[i]![id]! - expected[place]!), text).toBeLessThan(2e-3));
      if (expected[0]! - expected[1]! > roundedGap) expect(mostProbable(asStored[i]!), text).toBe(best[0]);
      ours += divergenceOf(exact[i]!, asStored[i]!);
      theirs += divergence;
    });
    const [mean, theirMean] = [ours, theirs].map((sum) => sum / golden.prompts.length);
    console.log(`divergence from float32, nats per prompt: ${mean}, llama.cpp's ${theirMean}`);
    expect(mean).toBeLessThanOrEqual(mostTimes * theirMean!);

    async function rowsOf(...[on, config, weights]: Parameters<typeof SequenceModel.open>): Promise<Float64Array[]> {
      await using sequences = await SequenceModel.open(on, config, weights, options);
      const rows: Float64Array[] = [];
      for (const { ids } of golden.prompts) {
        const sequence = sequences.sequence();
        rows.push(logSoftmax(await sequence.next(ids)));
        sequence.dispose();
      }
      return rows;
    }
  });

  test("llama.cpp's greedy texts are written here, too, but where its 8-bit activations decide", async () => {
    await using backend = await openCpuBackend();
    await using model = await openModel(file);
    const tokenizer = await model.openTokenizer();
    await using sequences = await SequenceModel.open(backend, model.config, model.weights, { contextLength: 256, pages: 8 });
    let same = 0;
    for (const { text, tokens, gaps } of golden.greedy) {
      using sequence = sequences.sequence();
      const ids = [...tokenizer.encode(text), ...tokens];
      const [{ logits }] = await sequences.run([{ sequence, ids, logits: "all" }]);
      const found = logits.slice(ids.length - tokens.length - 1, -1).map((row) => mostProbable(Float64Array.from(row)));
      found.forEach((id, i) => void (gaps[i]! > roundedGap && expect(id, `${text}, token ${i}`).toBe(tokens[i])));
      same += found.filter((id, i) => id === tokens[i]).length;
    }
    const all = golden.greedy.reduce((sum, { tokens }) => sum + tokens.length, 0);
    console.log(`${same} of ${all} greedy tokens are llama.cpp's`);
    expect(same).toBeGreaterThan(0.9 * all);
  });

  test("its template renders as jinja2 renders it, and a chat makes sense", async () => {
    await using llama = await Llama.load(file, { contextLength: 256 });
    for (const { messages, text } of golden.chats) expect(llama.renderChat(messages).text).toBe(text);
    const chunks: string[] = [];
    const question: readonly Message[] = [{ role: "user", content: "What is the capital of France? Answer with the city's name." }];
    for await (const chunk of llama.chat(question, { temperature: 0, maxTokens: 40 })) chunks.push(chunk);
    expect(chunks.join("")).toContain("Paris");
  });
});

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = values.reduce((total, value) => total + Math.exp(value - most), 0);
  return values.map((value) => value - most - Math.log(sum));
}

/** Kullback and Leibler's, in nats. */
function divergenceOf(exact: Float64Array, other: Float64Array): number {
  return exact.reduce((sum, value, id) => sum + Math.exp(value) * (value - other[id]!), 0);
}

function mostProbable(values: Float64Array): number {
  return values.reduce((best, value, id) => (value > values[best]! ? id : best), 0);
}
