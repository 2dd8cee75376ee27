// What a document mask costs and saves in attention, forward and backward, by the length of the documents in a sequence; on one thread, by target, in turns:
// `node bench/document-mask.mjs`.
import { fileURLToPath } from "node:url";
import { attention, f32, Graph, gradients, i32 } from "../dist/graph/index.js";
import { chooseTarget, openCpuBackend } from "../dist/host/index.js";
import { openProgram } from "./measure.mjs";

// B sequences of T tokens, H heads of D channels.
const [B, T, H, D] = [4, 1024, 6, 64];
/** Tokens per document; undefined without a mask. */
const lengths = [undefined, T, 256, 64];

export async function run() {
  for (const target of new Set([(await chooseTarget()).name, "avx2", "wasm"])) {
    const backend = await openCpuBackend({ target, threads: 1 }).catch(() => undefined);
    if (backend === undefined) continue;
    const programs = [];
    for (const length of lengths) programs.push(await openAttention(backend, length));
    const times = await leastTimes(programs);
    console.log(`${backend.name}, ${B} × ${T} tokens, ${H} heads of ${D}:`);
    lengths.forEach((length, i) => {
      const share = (times[i] / times[0]).toFixed(2);
      console.log(
        `  ${times[i].toFixed(1).padStart(6)} ms of a processor, ${share} × no mask: ${length ? `documents of ${length} tokens` : "no mask"}`,
      );
    });
    await backend.dispose();
  }
}

/** Milliseconds of processor time, the least of six rounds in turns: other programs disturb it less than the time on the clock. */
async function leastTimes(programs) {
  const least = programs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 6; round++)
    for (const [i, { run }] of programs.entries()) {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      least[i] = Math.min(least[i], (user + system) / 1000);
    }
  return least;
}

function openAttention(backend, length) {
  const graph = new Graph();
  const [q, k, v, dO] = ["q", "k", "v", "dO"].map((name) => graph.input(name, f32(B * T, H * D)));
  const firstKeys = length && graph.input("firstKeys", i32(B * T));
  const o = attention(q, k, v, { batch: B, heads: H, kvHeads: H }, firstKeys);
  for (const gradient of gradients(new Map([[o, dO]]), [q, k, v]).values()) graph.keep(gradient);
  const fill = ({ name }) =>
    name === "firstKeys" ? Int32Array.from({ length: B * T }, (_, row) => (row % T) - (row % length)) : undefined;
  return openProgram(backend, graph, fill);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
