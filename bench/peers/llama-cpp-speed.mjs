// How fast node-llama-cpp is: node llama-cpp-speed.mjs MODEL.gguf CONTEXT SEQUENCES THREADS, with a line of JSON per test on stdin and a line per answer
// on stdout: { "prompt": 512, "generate": 0, "depth": 0, "sequences": 1 } → { "seconds": 0.61 }. A first line says that the model is loaded.
import { createInterface } from "node:readline";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [path, contextSize, sequences, threads] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: path });
const sizes = { contextSize: Number(contextSize), sequences: Number(sequences), batchSize: 512, threads: Number(threads) };
const context = await model.createContext(sizes);
const all = Array.from({ length: sizes.sequences }, () => context.getSequence());

say({});
for await (const line of createInterface({ input: process.stdin })) say({ seconds: await run(JSON.parse(line)) });
await llama.dispose();

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function run({ prompt, generate, depth, sequences }) {
  const texts = all.slice(0, sequences);
  for (const sequence of texts) {
    await sequence.clearHistory();
    if (depth > 0) await sequence.evaluateWithoutGeneratingNewTokens(randomIds(depth));
  }
  const start = performance.now();
  await Promise.all(texts.map((sequence) => goOn(sequence, prompt, generate)));
  return (performance.now() - start) / 1000;
}

async function goOn(sequence, prompt, generate) {
  if (prompt > 0) return sequence.evaluateWithoutGeneratingNewTokens(randomIds(prompt));
  let written = 0;
  for await (const _ of sequence.evaluate(randomIds(1), { temperature: 0, yieldEogTokens: true })) if (++written === generate) break;
}

function randomIds(count) {
  return Array.from({ length: count }, () => 300 + Math.floor(Math.random() * 20000));
}
