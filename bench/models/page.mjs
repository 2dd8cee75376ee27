// What bench/models.mjs runs in a page: cria's WebAssembly, and wllama, which is llama.cpp's, on the same file. One of them is open at a time.
import { Wllama } from "@wllama/wllama";
import { memoryFor, SpeedRunner, testTokens } from "../../dist/cli/bench/speed-tests.js";
import { SequenceModel } from "../../dist/infer/index.js";
import { openModel, sourceFiles } from "../../dist/open/index.js";
import { fetchSource, openBackend } from "../../dist/web/index.js";

let opened;

/** @returns what computes */
globalThis.openCria = async (address, tests, threads) => {
  const backend = await openBackend({ threads });
  const model = await openModel(sourceFiles("model", { "model.gguf": await fetchSource(address) }));
  const sequences = await SequenceModel.open(backend, model.config, model.weights, { cacheType: "f16", ...memoryFor(tests) });
  const runner = new SpeedRunner(sequences);
  opened = { run: async (test) => testTokens(test) / (await runner.run(test)) };
  return backend.name;
};

globalThis.openWllama = async (address, tests, threads) => {
  const wllama = new Wllama({ default: "../wllama/wllama.wasm" }, { suppressNativeLog: true, logger: silent });
  const blob = await (await fetch(address)).blob();
  const context = memoryFor(tests).contextLength + 8;
  await wllama.loadModel([blob], { n_ctx: context, n_threads: threads, n_batch: 512, n_gpu_layers: 0 });
  opened = { run: (test) => complete(wllama, test) };
  return `wllama, ${wllama.getNumThreads()} threads`;
};

globalThis.runTest = (test) => opened.run(test);

/** Its own clock counts, which leaves out what happens between page and worker. */
async function complete(wllama, { prompt, generate }) {
  const options = { max_tokens: Math.max(1, generate), temperature: 0, ignore_eos: true, cache_prompt: false };
  const { timings } = await wllama.createCompletion({ prompt: words(Math.max(1, prompt)), ...options });
  const [count, asked] = prompt > 0 ? [timings.prompt_n, prompt] : [timings.predicted_n, generate];
  if (Math.abs(count - asked) > 2 + asked / 50) throw new Error(`wllama computed ${count} tokens, not ${asked}`);
  return prompt > 0 ? timings.prompt_per_second : timings.predicted_per_second;
}

/** Words of one letter are tokens of their own in the vocabularies of the models. */
function words(count) {
  return Array.from({ length: count }, () => "etaoinshrdlcumwfgypbvkjxqz"[Math.floor(26 * Math.random())]).join(" ");
}

const silent = { debug() {}, log() {}, warn: console.warn, error: console.error };
