// A claim of the paper as an experiment, and its report: node examples/study.mjs NAME TEXT OUT
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openCorpus, parseDataRecipe } from "cria/data";
import { openCpuBackend, reportHtml, studies } from "cria/train";

const [name, path, folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node examples/study.mjs NAME TEXT OUT");
const study = studies.find((one) => one.name === name);
const corpus = await openCorpus(parseDataRecipe({ sources: [{ paths: path, separator: "blank-lines" }] }));
const documents = { [Symbol.asyncIterator]: () => corpus.texts() };
const backend = await openCpuBackend({ threads: 1 });
const asked = { minutes: 1, steps: 2, seeds: [1], folder, signal: AbortSignal.timeout(60_000), progress: () => undefined };
const sections = await study.run({ ...asked, backend, text: { name: path, documents }, secondsLeft: () => 60 });
for (const { title, verdict } of sections) console.log(`${title}: ${verdict}`);
const report = { ...asked, sections, study: name, title: study.title, machine: backend.name, text: path, seconds: 60, stopped: false };
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "report.html"), await reportHtml(report, `node examples/study.mjs ${name}`));
await backend.dispose();
