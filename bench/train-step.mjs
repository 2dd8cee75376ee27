// How much of the machine's matrix speed a training step reaches: the 15M preset (vocabulary 4096), 8 × 256 tokens, against the rate of
// 1024³ products measured in the same run; and the memory that its plan needs.
import { openCpuBackend } from "../dist/backend/cpu/index.js";
import { flopsOf, planMemory } from "../dist/graph/index.js";
import { initialise, parameterRows, preset } from "../dist/model/index.js";
import { stepGraph } from "../dist/train/index.js";
import { interleave, openMatmul, openProgram } from "./measure.mjs";

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };

export async function run() {
  const config = { ...preset("15M"), vocabSize: 4096 };
  const size = { batch: 8, length: 256 };
  const rows = size.batch * size.length;
  const backend = await openCpuBackend();
  const built = stepGraph(config, { ...size, recompute: false }, settings);
  const recomputed = stepGraph(config, { ...size, recompute: true }, settings);
  const weights = initialise(parameterRows(config), 1);
  const fill = (tensor) => {
    if (weights.has(tensor.name)) return weights.get(tensor.name);
    if (tensor.dtype === "i32")
      return Int32Array.from({ length: tensor.shape[0] }, (_, i) =>
        tensor.name === "positions" ? i % size.length : Math.floor(Math.random() * config.vocabSize),
      );
    return tensor.name === "hyper" ? Float32Array.of(1e-4, 1, 1, 1, 1) : new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
  };
  const step = await openProgram(backend, built.graph, fill);
  const leaner = await openProgram(backend, recomputed.graph, fill);
  const product = await openMatmul(backend, 1024);
  const times = await interleave({ step: step.run, leaner: leaner.run, product: product.run }, { rounds: 7, seconds: 1 });
  const flops = flopsOf(built.graph);
  const rate = (2 * 1024 ** 3) / times.product / 1e9;
  const show = (name, seconds) =>
    console.log(
      `${name}: ${(seconds * 1000).toFixed(0)} ms, ${(rows / seconds).toFixed(0)} tokens/s, ${(flops / seconds / 1e9).toFixed(1)} model GFLOP/s = ${((100 * flops) / seconds / 1e9 / rate).toFixed(1)} % of the matmul rate`,
    );
  console.log(`training step, 15M preset, vocabulary 4096, 8 × 256 tokens, ${backend.name}: ${(flops / 1e9).toFixed(1)} model GFLOP`);
  console.log(`matmul 1024³: ${rate.toFixed(1)} GFLOP/s`);
  show("step", times.step);
  show("step with recomputation", times.leaner);
  for (const [name, graph] of [
    ["kept", built.graph],
    ["recomputed", recomputed.graph],
  ]) {
    const { activations, arenaBytes } = planMemory(graph);
    const full = planMemory(built.graph).activations.sumBytes;
    console.log(
      `activations ${name}: ${(activations.arenaBytes / 1e6).toFixed(1)} MB planned of ${(full / 1e6).toFixed(1)} MB in all, ${((100 * activations.arenaBytes) / full).toFixed(1)} %; whole arena ${(arenaBytes / 1e6).toFixed(1)} MB`,
    );
  }
  await backend.dispose();
}
