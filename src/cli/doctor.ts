// cria doctor: what this machine is and what cria makes of it. One row per finding; what is missing says so and fails the command.
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { chooseTarget, codeFolderState, defaultThreads } from "../host/index.ts";
import type { Command } from "./command.ts";
import { measureSpeed, type Speed } from "./measure-speed.ts";
import { packageVersion } from "./package-root.ts";
import { hasSharedMemory, hasSimd } from "./webassembly.ts";

/** `value` is what `--json` prints under the row's name, `text` what a person reads. */
export interface Finding {
  readonly value: string | number | boolean | null | readonly object[];
  readonly text: string;
  /** What does not work, and the way out. */
  readonly problem?: string;
}

/** A row of `cria doctor`: its name, and how it is found out. */
export interface Check {
  readonly name: string;
  /** @param speeds measures on one thread and on all; takes a second or two the first time, and then remembers. */
  find(speeds: () => Promise<readonly Speed[]>): Finding | Promise<Finding>;
}

const checks: readonly Check[] = [
  { name: "cria", find: () => plain(packageVersion()) },
  { name: "node", find: findNode },
  { name: "system", find: () => plain(`${process.platform} ${process.arch}`) },
  { name: "cpu", find: () => plain(cpus()[0]?.model.trim() || "unknown") },
  { name: "cores", find: findCores },
  { name: "memory", find: findMemory },
  { name: "features", find: findFeatures },
  { name: "simd", find: () => need(hasSimd(), "WebAssembly SIMD", "use Node 20.19 or newer without --no-wasm-simd") },
  { name: "threads", find: findThreads },
  { name: "target", find: findTarget },
  { name: "cache", find: findCache },
  { name: "peak", find: findPeak },
  { name: "bandwidth", find: findBandwidth },
  { name: "matmul", find: findMatmul },
];

const jsonKeys = `\
cria, node, system, cpu   versions and names
cores, memory             what the process may use: a number, bytes
features                  CPU features that cria uses and the system lets programs use
simd, threads             WebAssembly's vectors, worker threads
target                    what kernels are compiled for: avx512, avx2 or wasm
cache                     the folder of compiled kernels; null where there is none
peak                      a row for one thread and one for all: threads, then multiply-adds per second, each counted as two, in
                          float32 and, where the target has instructions for them, bf16 and int8
bandwidth                 rows as above: bytes per second of read (one array), copy (one into another) and update (one in place)
matmul                    operations per second of 1024³ products in float32, all threads
problems                  what is missing, and the way out; empty when all is well
`;

/** The command `cria doctor`. */
export const doctor: Command = {
  name: "doctor",
  summary: "say what this machine is, what cria makes of it, and what is wrong",
  usage: "",
  flags: [],
  example: { title: "the keys of --json", text: jsonKeys },
  async run(_args, _flags, io) {
    const found: (readonly [string, Finding])[] = [];
    let measuring: Promise<readonly Speed[]> | undefined;
    const speeds = () => {
      measuring ??= measureSpeeds(io.signal);
      return measuring;
    };
    for (const [i, check] of checks.entries()) {
      io.signal.throwIfAborted();
      io.progress({ task: `looking at ${check.name}`, done: i, total: checks.length, unit: "checks" });
      found.push([check.name, await check.find(speeds)]);
    }
    const problems = found.flatMap(([, finding]) => finding.problem ?? []);
    io.stdout(io.json ? asJson(found, problems) : asText(found, problems));
    return problems.length === 0 ? 0 : 1;
  },
};

function asText(found: readonly (readonly [string, Finding])[], problems: readonly string[]): string {
  const left = Math.max(...found.map(([name]) => name.length)) + 2;
  const rows = found.map(([name, finding]) => `${name.padEnd(left)}${finding.text}`);
  const verdict = problems.length === 0 ? ["everything cria needs is here"] : problems.map((problem) => `problem: ${problem}`);
  return `${[...rows, "", ...verdict].join("\n")}\n`;
}

function asJson(found: readonly (readonly [string, Finding])[], problems: readonly string[]): string {
  return `${JSON.stringify({ ...Object.fromEntries(found.map(([name, { value }]) => [name, value])), problems }, null, 2)}\n`;
}

function findNode(): Finding {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return plain(version);
  return { ...plain(version), problem: `cria needs Node 20.19 or newer, this is ${version}: install it from nodejs.org` };
}

/** What the process may use: less than the machine has under taskset or in a container. */
function findCores(): Finding {
  const [usable, all] = [availableParallelism(), cpus().length];
  return { value: usable, text: usable === all ? `${all}` : `${usable} of ${all} may be used` };
}

function findMemory(): Finding {
  const total = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return { value: total, text: `${gib(total)} GiB, ${gib(Math.min(freemem(), total))} free` };
}

function findThreads(): Finding {
  const finding = need(hasSharedMemory(), "SharedArrayBuffer", "start Node without --no-harmony-sharedarraybuffer");
  return { ...finding, value: defaultThreads(), text: `${defaultThreads()} worker threads over shared memory` };
}

/** What the CPU has beyond x86-64's basics and the system lets programs use. */
async function findFeatures(): Promise<Finding> {
  const { features, reason } = await chooseTarget("");
  return features ? plain([...features].join(", ") || "none that cria uses") : { value: null, text: `unknown, ${reason}` };
}

async function findTarget(): Promise<Finding> {
  const { name, reason } = await chooseTarget();
  return { value: name, text: `${name}: ${reason}` };
}

/** Compiled kernels that later processes need not compile again. */
function findCache(): Finding {
  const { folder = null, kernels, bytes, problem } = codeFolderState();
  if (problem === undefined) return { value: folder, text: `${folder}: ${kernels} compiled kernels, ${(bytes / 2 ** 20).toFixed(1)} MiB` };
  if (folder === null) return { value: null, text: `none: ${problem}` };
  return { value: null, text: "none", problem: `compiled kernels are not kept: ${problem}` };
}

async function measureSpeeds(signal: AbortSignal): Promise<Speed[]> {
  const speeds: Speed[] = [];
  for (const threads of new Set([1, defaultThreads()])) speeds.push(await measureSpeed(threads, signal));
  return speeds;
}

/** Operations per second, with one thread and with all. */
async function findPeak(speeds: () => Promise<readonly Speed[]>): Promise<Finding> {
  const measured = await speeds();
  const list = ({ peak }: Speed["rates"]) => Object.entries(peak).map(([kind, rate]) => `${kind} ${giga(rate)}`);
  const rows = measured.map(({ threads, rates }) => `${list(rates).join(", ")} GFLOP/s on ${counted(threads)}`);
  return { value: measured.map(({ threads, rates }) => ({ threads, ...rates.peak })), text: rows.join("; ") };
}

/** Bytes per second, with one thread and with all; what is written counts as much as what is read. */
async function findBandwidth(speeds: () => Promise<readonly Speed[]>): Promise<Finding> {
  const measured = await speeds();
  const rows = measured.map(
    ({ threads, rates }) => `read ${giga(rates.read)}, copy ${giga(rates.copy)}, update ${giga(rates.update)} GB/s on ${counted(threads)}`,
  );
  const value = measured.map(({ threads, rates: { read, copy, update } }) => ({ threads, read, copy, update }));
  return { value, text: rows.join("; ") };
}

/** Says how fast matrix products are, in FLOP/s with all threads, and what share of the peak that is. */
async function findMatmul(speeds: () => Promise<readonly Speed[]>): Promise<Finding> {
  const { matmul, rates, backend } = (await speeds()).at(-1)!;
  const share = `${Math.round((100 * matmul) / rates.peak.float32!)} % of the peak`;
  return { value: matmul, text: `${giga(matmul)} GFLOP/s for 1024³ products in float32, ${share}, on ${backend}` };
}

function need(there: boolean, what: string, wayOut: string): Finding {
  const finding = { value: there, text: there ? "yes" : "no" };
  return there ? finding : { ...finding, problem: `${what} is missing: ${wayOut}` };
}

function plain(text: string): Finding {
  return { value: text, text };
}

function giga(rate: number): string {
  return (rate / 1e9).toFixed(1);
}

function counted(threads: number): string {
  return threads === 1 ? "one thread" : `${threads} threads`;
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
