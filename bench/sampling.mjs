// What does a draw cost? `node bench/sampling.mjs`: the largest logits of a vocabulary of 128,000 leave the machine (top-k and log-sum-exp as kernels, at most
// 1,024 of them), then penalties, DRY, top-k 40, top-p, min-p and temperature, behind a text of 600 tokens. Beside it the same draw from all logits.
import { BoundProgram } from "../dist/backend/index.js";
import { f32, Graph, i32, logSumExp, maskLogits, topK } from "../dist/graph/index.js";
import { openCpuBackend } from "../dist/host/index.js";
import { createSampler } from "../dist/infer/index.js";
import { GrowingText } from "../dist/infer/text-so-far.js";
import { interleave } from "./measure.mjs";

const vocabSize = 128_000;
const options = {
  ...{ repetitionPenalty: 1.1, frequencyPenalty: 0.2, presencePenalty: 0.1, dryMultiplier: 0.8 },
  ...{ topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8, seed: 1 },
};

/** A text whose end stood before, with as many different tokens as texts of its length have. */
function someText() {
  const prompt = Array.from({ length: 400 }, (_, i) => ((i * i * 31 + 7) % 5003) % 350);
  const text = new GrowingText(prompt);
  for (let i = 0; i < 200; i++) text.push(prompt[(i * 3) % 300]);
  for (let i = 100; i < 104; i++) text.push(prompt[i]);
  return text;
}

export async function run() {
  const backend = await openCpuBackend();
  const text = someText();
  const sampler = createSampler(options);
  const { top } = sampler.topNeeded(text, vocabSize, vocabSize);
  const logits = Float32Array.from({ length: vocabSize }, (_, i) => 3 * Math.sin(i * i) + 2 * Math.cos(i * 1.7));
  const graph = new Graph();
  const x = graph.input("logits", f32(1, vocabSize));
  const largest = topK(maskLogits(x, graph.input("allowed", i32(1, Math.ceil(vocabSize / 32)))), 1024);
  const [values, ids, total] = [graph.keep(largest.values), graph.keep(largest.ids), graph.keep(logSumExp(x))];
  const program = await BoundProgram.compile(backend, graph, new Map());
  await program.write("logits", logits);
  await program.write("allowed", new Int32Array(Math.ceil(vocabSize / 32)).fill(-1));
  let drawn = 0;
  const fromLargest = async () => {
    await program.run();
    const [v, i, t] = await Promise.all([program.read(values), program.read(ids), program.read(total)]);
    drawn = sampler.nextOf({ logits: v.subarray(0, top), ids: i.subarray(0, top), logSumExp: t[0] }, text);
  };
  const inJavaScript = () => sampler.next(logits, text);
  const times = await interleave({ fromLargest, inJavaScript }, { rounds: 9, seconds: 0.1 });
  if (drawn !== inJavaScript()) throw new Error("the two draw different tokens");
  console.log(`${backend.name}, ${vocabSize.toLocaleString("en-US")} tokens, ${text.counts.size} of them seen`);
  console.log(
    `  from the ${top} largest: ${(1e3 * times.fromLargest).toFixed(3)} ms, from all: ${(1e3 * times.inJavaScript).toFixed(3)} ms per draw`,
  );
  program.dispose();
  await backend.dispose();
}

if (process.argv[1] === new URL(import.meta.url).pathname) await run();
