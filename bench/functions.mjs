// How many values per second the language's functions give, on one thread and within the first-level cache, beside JavaScript's own.
// "copy" is the loop without a function.
import { openKernel } from "../dist/backend/cpu/index.js";
import { openExecutor } from "../dist/host/index.js";
import { kernel } from "../dist/kernel/index.js";
import { erf, exp, log, sigmoid, sinCosOfTurn, tanh } from "../dist/kernel/library/math.js";
import { interleave } from "./measure.mjs";

const count = 2048;
const passes = 2000;

/** `script` is the same on a number in JavaScript, where it has it. */
const rows = {
  copy: { of: (_, x) => x },
  exp: { of: exp, script: Math.exp },
  log: { of: log, script: Math.log },
  tanh: { of: tanh, script: Math.tanh },
  erf: { of: erf },
  sigmoid: { of: sigmoid, script: (x) => 1 / (1 + Math.exp(-x)) },
  "sin and cos": {
    of(k, x) {
      const { sin, cos } = sinCosOfTurn(k, x);
      return sin.add(cos);
    },
    script: (x) => Math.sin(x) + Math.cos(x),
  },
};

const apply = kernel("apply", (k, of) => {
  const { x, y } = k.pointers("x", "y");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, () => k.lanes(count, (at) => k.store(of(k, k.load(x, at)), y, at), 2));
  return { units: passes };
});

export async function run() {
  for (const target of [undefined, "wasm"]) {
    const executor = await openExecutor({ threads: 1, ...(target ? { target } : {}) });
    await measure(executor);
    await executor.dispose();
  }
}

async function measure(executor) {
  const values = Float32Array.from({ length: count }, () => 10 * Math.random());
  const [x, y] = [0, 1].map(() => executor.allocate(4 * count));
  executor.write(x, values);
  const ours = {};
  for (const [name, { of }] of Object.entries(rows)) ours[name] = await openKernel(executor, apply, of, [x, y], 0);
  const contestants = Object.entries(rows).flatMap(([name, { script }]) => [
    [name, ours[name].run],
    ...(script ? [[`${name} in JavaScript`, inJavaScript(script, values)]] : []),
  ]);
  const times = await interleave(Object.fromEntries(contestants), { rounds: 7, seconds: 0.03 });
  console.log(`${executor.name}: 10⁹ values per second`);
  for (const [name, { script }] of Object.entries(rows)) {
    const rate = (passes * count) / times[name] / 1e9;
    const other = script ? `, JavaScript's ${((count / times[`${name} in JavaScript`]) * 1e-9).toFixed(3)}` : "";
    console.log(`  ${name.padEnd(14)} ${rate.toFixed(2).padStart(6)}${other}`);
  }
}

/** A loop of its own for each function, so that it is inlined. */
function inJavaScript(script, values) {
  const results = new Float32Array(count);
  return new Function(
    "script",
    "values",
    "results",
    "return () => { for (let i = 0; i < values.length; i++) results[i] = script(values[i]); }",
  )(script, values, results);
}
