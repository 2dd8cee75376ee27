// Square float32 products: the best target of this machine and wasm, on one thread and on all, against @tensorflow/tfjs (XNNPACK) and @jax-js/jax, which have one thread in
// Node. In turns, in one run. The peers are installed by `npm ci` in bench/peers; without them only our own numbers are printed.
import { existsSync } from "node:fs";
import { chooseTarget, defaultThreads, openCpuBackend } from "../dist/host/index.js";
import { interleave, openMatmul, openPeak } from "./measure.mjs";

const sizes = [512, 768, 1024];

export async function run() {
  const ours = await openOurs();
  const peers = await openPeers();
  for (const n of sizes) {
    const entries = await Promise.all(ours.map(async (backend) => ({ name: backend.name, ...(await openMatmul(backend, n)) })));
    const peaks = await Promise.all(ours.map(async (backend) => ({ name: `peak of ${backend.name}`, ...(await openPeak(backend)) })));
    const others = peers.map((peer) => ({ name: peer.name, ...peer.matmul(n) }));
    const times = await interleave(Object.fromEntries([...entries, ...peaks, ...others].map(({ name, run }) => [name, run])), {
      rounds: 5,
      seconds: 0.2,
    });
    const rate = ({ name, flops = 2 * n ** 3 }) => flops / times[name] / 1e9;
    const best = Math.max(...others.map(rate), 0);
    console.log(`${n}³`);
    const show = (entry, more) => console.log(`  ${rate(entry).toFixed(1).padStart(6)} GFLOP/s  ${entry.name}${more}`);
    entries.forEach((entry, i) => {
      const share = `: ${((100 * rate(entry)) / rate(peaks[i])).toFixed(1)} % of its peak`;
      show(entry, best > 0 ? `${share}, ${(rate(entry) / best).toFixed(2)} × the best peer` : share);
    });
    for (const other of others) show(other, "");
    for (const contestant of [...entries, ...peaks, ...others]) contestant.dispose();
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
