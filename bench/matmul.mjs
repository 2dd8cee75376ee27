// Square float32 products: the best target of this machine and wasm, on one thread and on all, against @tensorflow/tfjs (XNNPACK) and @jax-js/jax, which have one thread in
// Node. In turns, in one run. The peers are installed by `npm ci` in bench/peers; without them only our own numbers are printed.
import { existsSync } from "node:fs";
import { chooseTarget, defaultThreads, openCpuBackend } from "../dist/backend/cpu/index.js";
import { interleave, openMatmul } from "./measure.mjs";

const sizes = [512, 768, 1024, 2048];

export async function run() {
  const ours = await openOurs();
  const peers = await openPeers();
  for (const n of sizes) {
    const entries = await Promise.all(ours.map(async (backend) => ({ name: backend.name, ...(await openMatmul(backend, n)) })));
    const others = peers.map((peer) => ({ name: peer.name, ...peer.matmul(n) }));
    const times = await interleave(Object.fromEntries([...entries, ...others].map(({ name, run }) => [name, run])), { seconds: 0.3 });
    const rate = (name) => (2 * n ** 3) / times[name] / 1e9;
    const best = Math.max(...others.map((other) => rate(other.name)), 0);
    console.log(`${n}³`);
    for (const name of Object.keys(times))
      console.log(
        `  ${rate(name).toFixed(1).padStart(6)} GFLOP/s  ${best > 0 ? `${(rate(name) / best).toFixed(2)} × the best peer  ` : ""}${name}`,
      );
    for (const contestant of [...entries, ...others]) contestant.dispose();
  }
  for (const backend of ours) await backend.dispose();
}

async function openOurs() {
  const targets = new Set([(await chooseTarget()).name, "wasm"]);
  const counts = new Set([1, defaultThreads()]);
  return Promise.all([...targets].flatMap((target) => [...counts].map((threads) => openCpuBackend({ target, threads }))));
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
