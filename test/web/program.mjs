// What the tests of `cria/web` run, in a page and in Node alike: a tokenizer and a 260K model are trained step by step, and models write.
import {
  createTokenizer,
  joinDocuments,
  Llama,
  learningRateAt,
  llamaAdamw,
  Mixture,
  modelFiles,
  preset,
  Trainer,
  trainSteps,
  trainTokenizer,
} from "cria/web";

/** @returns the tokenizer's pieces, the loss of every step, and what the trained model writes. */
export async function train(backend, text, steps) {
  const tokenizer = createTokenizer(await trainTokenizer([text], { kind: "sentencepiece", vocabSize: 512 }));
  const tokens = joinDocuments(text.split("\n\n").map((document) => tokenizer.encode(document, { bos: true })));
  const size = { batch: 2, length: 64, recompute: false };
  const batches = new Mixture([{ name: "text", weight: 1, tokens }], { batch: size.batch, length: size.length, seed: 1 });
  const options = { config: preset("260K"), size, accumulation: 1, adamw: llamaAdamw, clipNorm: 1, seed: 1 };
  const trainer = await Trainer.open(backend, options);
  const schedule = { steps: 50, warmupSteps: 5, peak: 2e-3, final: 2e-4 };
  const losses = [];
  const learningRate = (step) => learningRateAt(step, schedule);
  for await (const { loss } of trainSteps({ trainer, batches, steps, learningRate })) losses.push(loss);
  const files = await modelFiles(trainer, options.config, tokenizer);
  trainer[Symbol.dispose]();
  return { pieces: tokenizer.model.pieces, losses, written: await write(backend, files, "The", { maxTokens: 20, seed: 5 }) };
}

/** What the model of these files writes behind a prompt. */
export async function write(backend, files, prompt, options) {
  const llama = await Llama.open(files, { backend });
  let text = "";
  for await (const part of llama.generate(prompt, options)) text += part;
  await llama.dispose();
  return text;
}
