// Reads models for check_hf_folders.py, and writes them again: a JSON document on stdin, another on stdout.
import { writeHfFolder } from "../../dist/convert/index.js";
import { openCpuBackend } from "../../dist/host/index.js";
import { openModel } from "../../dist/index.js";
import { mostProbable, SequenceModel } from "../../dist/infer/index.js";

const jobs = JSON.parse(await new Response(process.stdin).text());
const backend = await openCpuBackend({ threads: 1 });
const results = [];
for (const job of jobs) results.push(await answer(job).catch((error) => ({ tokens: [], logits: [], warnings: [error.message] })));
await backend.dispose();
process.stdout.write(JSON.stringify(results));

async function answer({ folder, out, type, maxShardBytes, prompt, count }) {
  const model = await openModel(folder);
  await writeHfFolder(out, model, { type, maxShardBytes });
  const sequences = await SequenceModel.open(backend, model.config, model.weights);
  const sequence = sequences.sequence();
  const [tokens, logits] = [[], []];
  for (let i = 0; i < count; i++) {
    const found = await sequence.next(i === 0 ? prompt : tokens.slice(i - 1));
    tokens.push(mostProbable(found));
    logits.push([...found]);
  }
  await sequences.dispose();
  await model.close();
  return { tokens, logits, warnings: model.warnings };
}
