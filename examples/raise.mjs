// A text and some seconds become a model; cria chooses tokenizer, size and steps: node examples/raise.mjs TEXT OUT SECONDS
import { join } from "node:path";
import { openCorpus, PreparedData, parseDataRecipe, prepareCorpus } from "cria/data";
import * as cria from "cria/train";

const [text, folder, seconds] = process.argv.slice(2);
if (seconds === undefined) throw new Error("usage: node examples/raise.mjs TEXT OUT SECONDS");
const budget = new cria.TimeBudget(Number(seconds), performance.now());
const backend = await cria.openCpuBackend();
const wish = { backend, folder, seed: 1, settings: [], signal: new AbortController().signal, progress: () => undefined };
const corpus = await openCorpus(parseDataRecipe({ sources: [{ paths: text, separator: "blank-lines" }], heldOut: 0.1 }));
const survey = await cria.surveyText(corpus.texts());
const means = cria.meansFor(await cria.measureMatmul(backend, wish.signal), budget.left, survey.bytes);
const tokenizer = await cria.raiseTokenizer(corpus.texts("train"), survey, means, wish);
const manifest = await prepareCorpus(corpus, tokenizer, join(folder, "data"));
const planned = await cria.planRun(wish, means, { tokenizer, manifest }, () => budget.left);
const recipe = await cria.startRunFolder(folder, planned.recipe, tokenizer.model);
const data = await PreparedData.open(join(folder, "data"));
const heldOut = { tokens: data.heldOut, bytes: data.heldOut.totals.bytes };
const job = { ...wish, ...planned, recipe, sources: data.sources, heldOut, secondsLeft: () => budget.left, onStep: () => undefined };
const { step, evaluation } = await cria.trainInTime(job);
console.log(`${recipe.model.nLayers} layers, ${step} steps, ${evaluation.bitsPerByte.toFixed(1)} bits per byte`);
console.log(`report: ${await cria.writeRunReport(folder, { machine: backend.name, texts: [text], samples: [] })}`);
await data.close();
await backend.dispose();
