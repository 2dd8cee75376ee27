// What the engine itself costs, beside the work in its kernels: programs whose kernel does nothing. Medians of several rounds, interleaved;
// once alone, and with one and two neighbours: processes that never sleep, as a busy machine has them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { nodeThreads } from "../dist/host/index.js";
import { nothing as nothingNative } from "../dist/host/machine-code.test.helper.js";
import { openNative } from "../dist/host/native.js";
import { openNativeEngine } from "../dist/host/native-engine.js";
import { openWasmEngine } from "../dist/threads/index.js";
import { assemble, nothing } from "../dist/threads/kernels.test.util.js";

const phases = 5000;
const steps = 20;
const chunks = 1000;

/** A neighbour holds a core for whole slices of time, so there is more to wait for, and more of it to see. */
const alone = { rounds: 9, runs: 500 };
const contended = { rounds: 15, runs: 50 };

export async function run() {
  const rows = [];
  const { native, why } = await openNative();
  if (why) console.log(`no machine code: ${why}`);
  for (const neighbours of [0, 1, 2]) {
    const stop = await startNeighbours(neighbours);
    const size = neighbours === 0 ? alone : contended;
    for (const threads of [1, 2]) {
      rows.push({
        kernels: "wasm",
        neighbours,
        ...(await measure(await openWasmEngine({ host: nodeThreads, threads }), assemble(nothing), size)),
      });
      if (!native) continue;
      rows.push({ kernels: "native", neighbours, ...(await measure(await openNativeEngine(native, { threads }), [nothingNative], size)) });
    }
    stop();
  }
  console.log(`the engine's own cost, ${availableParallelism()} cores, medians`);
  console.table(rows);
}

/** Processes that count for ever. */
async function startNeighbours(count) {
  const neighbours = Array.from({ length: count }, () => spawn(process.execPath, ["--eval", "console.log(1); for (;;);"]));
  await Promise.all(neighbours.map(({ stdout }) => once(stdout, "data")));
  return () => neighbours.forEach((neighbour) => neighbour.kill("SIGKILL"));
}

async function measure(engine, nothing, { rounds, runs }) {
  const { threads } = engine;
  const step = { kernel: 0, args: [], units: threads, grain: 1 };
  const short = await engine.load(nothing, [[step]]);
  const times = {
    runs: { program: short, replays: runs, ms: [] },
    phases: { program: await engine.load(nothing, Array(phases).fill([step])), replays: 1, ms: [] },
    steps: { program: await engine.load(nothing, Array(phases / steps).fill(Array(steps).fill(step))), replays: 1, ms: [] },
    calls: { program: await engine.load(nothing, Array(phases / steps).fill([{ ...step, units: chunks }])), replays: 1, ms: [] },
  };
  for (let round = -2; round < rounds; round++)
    for (const { program, replays, ms } of Object.values(times)) {
      const start = performance.now();
      for (let i = 0; i < replays; i++) await engine.run(program);
      // The first rounds compile.
      if (round >= 0) ms.push(performance.now() - start);
    }
  await engine.dispose();
  const [run, phased, stepped, called] = Object.values(times).map(({ ms }) => ms.sort((a, b) => a - b)[rounds >> 1]);
  return {
    threads,
    "run of one phase, µs": ((1e3 * run) / runs).toFixed(0),
    "phase of one step, ns": ((1e6 * phased) / phases).toFixed(0),
    "each further step, ns": ((1e6 * (stepped - phased / steps)) / ((phases / steps) * (steps - 1))).toFixed(0),
    "call, ns": ((1e6 * called) / (phases / steps) / chunks).toFixed(0),
  };
}
