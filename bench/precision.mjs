// Does bfloat16 learn as float32 does? Loss curves of both on a run's own text, over seeds:
// `node bench/precision.mjs RUN [--steps 500] [--seeds 3] [--dim 192] [--layers 5] [--heads 6] [--svg FILE]`, RUN as `cria demo` leaves it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Mixture, vocabularyOf } from "../dist/batches/index.js";
import { PreparedData } from "../dist/corpus/index.js";
import { openCpuBackend } from "../dist/host/index.js";
import { openAnyTokenizer } from "../dist/load/index.js";
import { loadPlots } from "../dist/plot/index.js";
import { trainRun } from "../dist/runs/index.js";
import { completeRecipe, parseRecipe } from "../dist/train/index.js";

const precisions = ["float32", "bfloat16"];
/** Steps whose losses are averaged for a point: a batch's own loss says more of the batch than of the model. */
const window = 20;

export async function run(args = []) {
  const number = (value) => ({ type: "string", default: String(value) });
  const options = { steps: number(500), seeds: number(3), dim: number(192), layers: number(5), heads: number(6), svg: { type: "string" } };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const [folder] = positionals;
  if (folder === undefined) return console.log("name a run folder that cria demo has made");
  const [steps, seeds, dim, nLayers, nHeads] = ["steps", "seeds", "dim", "layers", "heads"].map((name) => Number(values[name]));
  const model = { dim, nLayers, nHeads, contextLength: 256, tiedOutput: true };
  const backend = await openCpuBackend();
  const runs = [];
  for (let seed = 1; seed <= seeds; seed++)
    for (const precision of precisions) runs.push(await learn(backend, resolve(folder), { model, steps, seed, precision }));
  report(runs, seeds);
  const title = `${nLayers} layers of ${dim} channels, ${seeds} seeds`;
  if (values.svg !== undefined) await writeFile(values.svg, (await loadPlots()).chartSvg(chart(runs, title)));
  await backend.dispose();
}

async function learn(backend, folder, { model, steps, seed, precision }) {
  const tokenizer = await openAnyTokenizer(join(folder, "tokenizer.json"));
  const data = await PreparedData.open(join(folder, "data"), vocabularyOf(tokenizer));
  const given = { data: join(folder, "data"), tokenizer: join(folder, "tokenizer.json"), model, steps, seed, precision };
  const asked = parseRecipe({ ...given, batch: 4, learningRate: 2e-3, evaluation: { every: steps, tokens: 1 << 24 } }, "bench");
  const recipe = completeRecipe(asked, tokenizer.vocabSize);
  const out = await mkdtemp(join(tmpdir(), "cria-precision-"));
  const losses = [];
  const summary = await trainRun({
    ...{ backend, recipe, folder: out, batches: new Mixture(data.sources, recipe) },
    heldOut: { tokens: data.heldOut, bytes: data.heldOut.totals.bytes },
    onStep: ({ loss }) => losses.push(loss),
  });
  await rm(out, { recursive: true });
  await data[Symbol.asyncDispose]();
  const { bitsPerByte } = summary.evaluation;
  console.log(`seed ${seed}, ${precision}: ${bitsPerByte.toFixed(4)} bits per byte, ${summary.seconds.toFixed(0)} s`);
  return { seed, precision, losses, bitsPerByte };
}

function report(runs, seeds) {
  const of = (precision) => runs.filter((run) => run.precision === precision);
  const last = ({ losses }) => mean(losses.slice(-50));
  const rows = precisions.map((precision) => [precision, of(precision)]);
  console.table(
    Object.fromEntries(
      rows.map(([precision, list]) => [
        precision,
        { "loss, last 50 steps": spread(list.map(last)), "held-out bits per byte": spread(list.map((run) => run.bitsPerByte)) },
      ]),
    ),
  );
  const pairs = of("float32").map((run, i) => of("bfloat16")[i].bitsPerByte - run.bitsPerByte);
  console.log(`bfloat16 − float32 on the same seed, bits per byte: ${pairs.map((x) => x.toFixed(4)).join(", ")} (${seeds} seeds)`);
}

function chart(runs, title) {
  const points = (list) =>
    list[0].losses.flatMap((_, i) => {
      if ((i + 1) % window > 0) return [];
      const values = list.map(({ losses }) => mean(losses.slice(i + 1 - window, i + 1)));
      return [{ x: i + 1, y: mean(values), low: Math.min(...values), high: Math.max(...values) }];
    });
  const series = precisions.map((name) => ({ name, as: "line", points: points(runs.filter(({ precision }) => precision === name)) }));
  return { kind: "lines", title: `Training loss in both precisions: ${title}`, x: { label: "step" }, y: { label: "loss, nats" }, series };
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function spread(values) {
  return `${mean(values).toFixed(4)} (${Math.min(...values).toFixed(4)} to ${Math.max(...values).toFixed(4)})`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
