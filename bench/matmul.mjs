// Square float32 products: our wasm on one thread and on all, against @tensorflow/tfjs (XNNPACK) and @jax-js/jax, which have one thread in
// Node. In turns, in one run. The peers are installed by `npm ci` in bench/peers; without them only our own numbers are printed.
import { existsSync } from "node:fs";
import { defaultThreads, openCpuBackend } from "../dist/backend/cpu/index.js";
import { interleave, openMatmul } from "./measure.mjs";

const sizes = [512, 768, 1024, 2048];

export async function run() {
  const single = await openCpuBackend({ threads: 1 });
  const all = defaultThreads() > 1 ? await openCpuBackend() : undefined;
  const peers = await openPeers();
  for (const n of sizes) {
    const ours = await openMatmul(single, n);
    const threaded = all && (await openMatmul(all, n));
    const others = peers.map((peer) => ({ name: peer.name, ...peer.matmul(n) }));
    const contestants = { [single.name]: ours.run, ...(threaded && { [all.name]: threaded.run }) };
    for (const other of others) contestants[other.name] = other.run;
    const times = await interleave(contestants, { seconds: 0.3 });
    const rate = (name) => (2 * n ** 3) / times[name] / 1e9;
    const best = Math.max(...others.map((other) => rate(other.name)), 0);
    console.log(`${n}³`);
    for (const name of Object.keys(contestants))
      console.log(
        `  ${rate(name).toFixed(1).padStart(6)} GFLOP/s  ${best > 0 ? `${(rate(name) / best).toFixed(2)} × the best peer  ` : ""}${name}`,
      );
    for (const contestant of [ours, threaded, ...others]) contestant?.dispose();
  }
  await single.dispose();
  await all?.dispose();
}

async function openPeers() {
  if (!existsSync(new URL("./peers/node_modules", import.meta.url))) {
    console.log("peers are not installed: run npm ci in bench/peers");
    return [];
  }
  const opened = [];
  for (const file of ["tfjs", "jax-js"]) opened.push(await (await import(`./peers/${file}.mjs`)).open());
  return opened;
}
