// How fast texts are read and written, one alone and several at the same time, and what the first tokens of a new model wait for.
import { openCpuBackend } from "../dist/host/index.js";
import { SequenceModel } from "../dist/infer/index.js";
import { initialise, parameterRows, preset } from "../dist/model/index.js";
import { interleave } from "./measure.mjs";

const presets = ["15M", "110M"];
const decoded = 32;
const prompts = [5, 60, 500];
const together = [1, 2, 8];

export async function run() {
  for (const name of presets)
    for (const cacheType of ["f32", "f16"]) await measure({ ...preset(name), contextLength: 1024 }, name, cacheType);
}

async function measure(config, name, cacheType) {
  const backend = await openCpuBackend();
  const weights = initialise(parameterRows(config), 1);
  const model = await SequenceModel.open(backend, config, { read: async (row) => weights.get(row.name) }, { cacheType });
  console.log(`${name}, ${backend.name}, keys in ${cacheType}, random weights`);
  const cpu = process.cpuUsage();
  await write(model, 1, 2);
  console.log(`  first token of a prompt of 5, kernels compiled or read: ${milliseconds(process.cpuUsage(cpu))} ms of processor time`);
  const contestants = {
    ...Object.fromEntries(prompts.map((length) => [`prompt of ${length}`, () => read(model, length)])),
    ...Object.fromEntries(together.map((count) => [`${count} together`, () => write(model, count, decoded)])),
  };
  const seconds = await interleave(contestants, { rounds: 5, warmUps: 1, seconds: 0 });
  for (const length of prompts) console.log(`  ${`prompt of ${length}`.padEnd(14)}${rate(length / seconds[`prompt of ${length}`])}`);
  for (const count of together) console.log(`  ${`${count} together`.padEnd(14)}${rate((count * decoded) / seconds[`${count} together`])}`);
  await model.dispose();
  await backend.dispose();
}

/** The first id of every text is its own, so that no text finds another's keys. */
let texts = 0;

function idsOf(length, { vocabSize }) {
  texts++;
  return Array.from({ length }, (_, i) => (texts * 7919 + i * 31) % vocabSize);
}

async function read(model, length) {
  const sequence = model.sequence();
  await sequence.next(idsOf(length, model.config));
  sequence.dispose();
}

/** Writes `count` texts at a time, each of 5 given tokens and `tokens` more; every token is the id after the last one. */
async function write(model, count, tokens) {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const sequence = model.sequence();
      const prompt = idsOf(5, model.config);
      let { ids } = await sequence.nextTop(prompt, { top: 1 });
      for (let i = 1; i < tokens; i++) ({ ids } = await sequence.nextTop([ids[0]], { top: 1 }));
      sequence.dispose();
    }),
  );
}

function rate(perSecond) {
  return `${perSecond.toFixed(0).padStart(6)} tokens/s`;
}

function milliseconds({ user, system }) {
  return ((user + system) / 1000).toFixed(0);
}
