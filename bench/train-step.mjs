// How much of the machine a training step reaches, against its multiply-add peak and PyTorch, in turns, in one run:
// `node bench/train-step.mjs [PRESET]... [--rounds N] [--compile]`. --compile lets PyTorch compile its model. Its interpreters: bench/peers/README.md.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { flopsOf, planMemory } from "../dist/graph/index.js";
import { defaultThreads, openCpuBackend } from "../dist/host/index.js";
import { interleave, openPeak, openProgram, trainingStep, trainingSteps } from "./measure.mjs";
import { openPyTorch } from "./peers/pytorch.mjs";

const precisions = ["float32", "bfloat16"];

export async function run(args = []) {
  const options = { rounds: { type: "string", default: "5" }, compile: { type: "boolean", default: false } };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  for (const preset of positionals.length > 0 ? positionals : Object.keys(trainingSteps))
    await measure({ preset, ...trainingSteps[preset] }, { ...values, rounds: Number(values.rounds) });
}

async function measure(size, { rounds, compile }) {
  const backend = await openCpuBackend();
  const { graph, fill, config } = await trainingStep(size);
  const { batch, length } = size;
  const flops = flopsOf(graph);
  console.log(
    `training step, ${size.preset}, vocabulary ${config.vocabSize}, ${batch} × ${length} tokens: ${(flops / 1e9).toFixed(1)} model GFLOP`,
  );
  const peers = await openPyTorch({ ...config, batch, length, threads: defaultThreads(), compile });
  const contestants = {};
  for (const precision of precisions) {
    const step = await openProgram(backend, (await trainingStep({ ...size, precision })).graph, fill);
    contestants[`${backend.name}, ${precision}`] = step.run;
  }
  for (const peer of peers) for (const precision of precisions) contestants[`${peer.name}, ${precision}`] = () => peer.run(precision);
  const peak = await openPeak(backend);
  const turns = peers.length > 0 ? { pause: 0.3, settle: 1 } : {};
  const times = await interleave({ ...contestants, peak: peak.run }, { rounds, warmUps: 1, seconds: 1.2, ...turns });
  report(times, { flops, tokens: batch * length, peak: peak.flops / times.peak });
  reportMemory(graph, (await trainingStep({ ...size, recompute: true })).graph);
  for (const peer of peers) await peer.dispose();
  await backend.dispose();
}

function report({ peak: _, ...times }, { flops, tokens, peak }) {
  console.log(`float32 multiply-add peak ${(peak / 1e9).toFixed(1)} GFLOP/s`);
  const [ours] = Object.values(times);
  const rows = Object.entries(times).map(([name, seconds]) => [
    name,
    {
      ms: (1000 * seconds).toFixed(0),
      "tokens/s": (tokens / seconds).toFixed(0),
      "model GFLOP/s": (flops / seconds / 1e9).toFixed(1),
      "% of peak": ((100 * flops) / seconds / peak).toFixed(1),
      "× our time": (seconds / ours).toFixed(2),
    },
  ]);
  console.table(Object.fromEntries(rows));
}

function reportMemory(kept, recomputed) {
  const full = planMemory(kept).activations.sumBytes;
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  for (const [name, graph] of Object.entries({ kept, recomputed })) {
    const { activations, arenaBytes } = planMemory(graph);
    const share = ((100 * activations.arenaBytes) / full).toFixed(1);
    console.log(
      `activations ${name}: ${megabytes(activations.arenaBytes)} planned of ${megabytes(full)} in all, ${share} %; whole arena ${megabytes(arenaBytes)}`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
