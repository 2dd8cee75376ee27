// What the engine itself costs, beside the work in its kernels: programs whose kernel does nothing. Medians of several rounds, interleaved.
import { availableParallelism } from "node:os";
import { openWasmEngine } from "../dist/backend/cpu/engine/index.js";
import { assemble, nothing } from "../dist/backend/cpu/engine/kernels.test.util.js";
import { nothing as nothingNative } from "../dist/backend/cpu/machine-code.test.helper.js";
import { openNative } from "../dist/backend/cpu/native.js";
import { openNativeEngine } from "../dist/backend/cpu/native-machine.js";

const rounds = 9;
const runs = 500;
const phases = 5000;
const steps = 20;
const chunks = 1000;

export async function run() {
  const rows = [];
  const { native, why } = await openNative();
  if (why) console.log(`no machine code: ${why}`);
  for (const threads of [1, 2]) {
    rows.push({ kernels: "wasm", ...(await measure(await openWasmEngine({ threads }), assemble(nothing))) });
    if (native) rows.push({ kernels: "native", ...(await measure(await openNativeEngine(native, { threads }), [nothingNative])) });
  }
  console.log(`the engine's own cost, ${availableParallelism()} cores, median of ${rounds} rounds`);
  console.table(rows);
}

async function measure(engine, nothing) {
  const { threads } = engine;
  const step = { kernel: 0, args: [], units: threads, grain: 1 };
  const short = await engine.load(nothing, [[step]]);
  const times = {
    runs: { program: short, replays: runs, ms: [] },
    phases: { program: await engine.load(nothing, Array(phases).fill([step])), replays: 1, ms: [] },
    steps: { program: await engine.load(nothing, Array(phases).fill(Array(steps).fill(step))), replays: 1, ms: [] },
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
    "each further step, ns": ((1e6 * (stepped - phased)) / (phases * (steps - 1))).toFixed(0),
    "call, ns": ((1e6 * called) / (phases / steps) / chunks).toFixed(0),
  };
}
