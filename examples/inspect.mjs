// What a model's files hold, and what computes on this machine: node examples/inspect.mjs MODEL
import { chooseTarget, codeFolderState, defaultThreads, openCpuBackend, openModel } from "cria";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: node examples/inspect.mjs MODEL");
const model = await openModel(path);
const { nLayers, dim, vocabSize } = model.config;
console.log(`${model.format}: ${nLayers} layers, ${dim} channels, ${vocabSize} tokens of vocabulary`);
for (const { name, dtype, shape } of model.tensors.tensors.values()) console.log(`${name}: ${dtype}, ${shape.join(" × ")}`);
const tokenizer = await model.openTokenizer();
const { templates, endOfTurn } = await model.openChat(tokenizer);
console.log(`${tokenizer.kind}; a turn ends with ${endOfTurn.join(", ")}; ${templates.size} chat templates`);
for (const warning of model.warnings) console.log(`note: ${warning}`);
await model.close();

const { name, reason } = await chooseTarget();
console.log(`kernels are compiled for ${name}: ${reason}; ${defaultThreads()} threads`);
console.log(`compiled kernels: ${codeFolderState().problem ?? codeFolderState().folder}`);
const backend = await openCpuBackend({ threads: 1 });
console.log(backend.name);
await backend.dispose();
