// What llama.cpp, as node-llama-cpp brings it, makes of a GGUF: node llama-cpp.mjs MODEL.gguf, with a line of JSON per question on stdin, and a
// line of JSON per answer on stdout.
//
//   { "text": "…" }                       → { "ids": […] }                the ids of a text
//   { "ids": […] }                        → { "logits": base64 }          of the token behind them, float32
//   { "ids": […], "tokens": 32 }          → { "ids": […], "gaps": […] }   the most probable tokens behind them, and by how much their logits lead
import { createInterface } from "node:readline";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [path, contextSize = "2048", threads = "1"] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: Number(contextSize), threads: Number(threads) });
const sequence = context.getSequence();

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
await llama.dispose();

async function answer({ text, ids, tokens }) {
  if (text !== undefined) return { ids: model.tokenize(text, false) };
  await sequence.clearHistory();
  if (tokens !== undefined) return greedy(ids, tokens);
  return { logits: Buffer.from((await logitsBehind(ids)).buffer).toString("base64") };
}

async function logitsBehind(ids) {
  const last = [ids.at(-1), { generateNext: { logits: true, options: { temperature: 0 } } }];
  const { next } = (await sequence.controlledEvaluate([...ids.slice(0, -1), last])).at(-1);
  const values = new Float32Array(next.logits.size);
  for (const [id, value] of next.logits) values[id] = value;
  return values;
}

/** One token after the other, by the logits alone, so that nothing but the model decides. */
async function greedy(ids, tokens) {
  const [written, gaps] = [[], []];
  for (let given = ids; written.length < tokens; given = [written.at(-1)]) {
    const logits = await logitsBehind(given);
    const best = logits.reduce((found, value, id) => (value > logits[found] ? id : found), 0);
    const next = logits.reduce((most, value, id) => (id === best ? most : Math.max(most, value)), Number.NEGATIVE_INFINITY);
    written.push(best);
    gaps.push(Number((logits[best] - next).toFixed(4)));
  }
  return { ids: written, gaps };
}
