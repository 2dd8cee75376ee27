// A recipe becomes a run that is stopped and goes on; then a trainer, step by step: node examples/train.mjs DATA TOKENIZER OUT
import { beginRun, joinDocuments, llamaAdamw, llamaConfig, Mixture, openCpuBackend, resumeRun, Trainer, trainSteps } from "cria/train";

const [data, tokenizer, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node examples/train.mjs DATA TOKENIZER OUT");
const model = { dim: 32, nLayers: 2, nHeads: 4, contextLength: 32 };
const backend = await openCpuBackend({ threads: 1 });
const stop = new AbortController();
const onStep = ({ step }) => step === 5 && stop.abort();
const recipe = { data, tokenizer, model, steps: 10, batch: 4 };
const first = await beginRun(recipe, out, { backend, signal: stop.signal, onStep });
console.log(`stopped at step ${first.step}: ${first.stopped}`);
const { step, evaluation } = await resumeRun(out, { backend });
console.log(`step ${step}, ${evaluation.bitsPerByte.toFixed(1)} bits per byte`);

const config = llamaConfig({ vocabSize: 16, dim: 16, nLayers: 1, nHeads: 2, contextLength: 8 });
const size = { batch: 2, length: 8, recompute: false };
const trainer = await Trainer.open(backend, { config, size, accumulation: 1, adamw: llamaAdamw, clipNorm: 1, seed: 1 });
const tokens = joinDocuments([Array.from({ length: 200 }, (_, i) => i % 16)]);
const batches = new Mixture([{ name: "counting", weight: 1, tokens }], { ...size, seed: 1 });
const losses = [];
for await (const { loss } of trainSteps({ trainer, batches, steps: 60, learningRate: () => 1e-2 })) losses.push(loss);
console.log(`the loss fell from ${losses[0].toFixed(1)} to ${losses.at(-1).toFixed(1)}`);
trainer.dispose();
await backend.dispose();
