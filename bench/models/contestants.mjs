// Who reads and writes with a model: cria as a library, node-llama-cpp, and the llama-bench of llama.cpp and of ik_llama.cpp. A contestant has a name, says
// whether it can run a test, and runs it once: → tokens per second. What is absent is left out, and says so.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { memoryFor, SpeedRunner, testTokens } from "../../dist/cli/bench/speed-tests.js";
import { SequenceModel } from "../../dist/infer/index.js";

const peersFolder = fileURLToPath(new URL("../peers/", import.meta.url));

/** cria's library on a backend of the caller's. */
export async function cria(backend, { config, weights }, tests) {
  const model = await SequenceModel.open(backend, config, weights, { cacheType: "f16", ...memoryFor(tests) });
  const runner = new SpeedRunner(model);
  return {
    ...{ name: "cria", canRun: () => true },
    run: async (test) => testTokens(test) / (await runner.run(test)),
    close: () => model.dispose(),
  };
}

/** A process of its own, so that nothing of it disturbs others while it waits. */
export async function nodeLlamaCpp(path, tests, threads) {
  const name = "node-llama-cpp";
  if (!existsSync(`${peersFolder}node_modules/node-llama-cpp`)) return absent(name, "npm ci in bench/peers installs it");
  const { contextLength } = memoryFor(tests);
  const sequences = Math.max(...tests.map((test) => test.sequences));
  const args = [`${peersFolder}llama-cpp-speed.mjs`, path, contextLength, sequences, threads].map(String);
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended without an answer`);
    return JSON.parse(value);
  };
  await answer();
  const run = async (test) => {
    child.stdin.write(`${JSON.stringify(test)}\n`);
    return testTokens(test) / (await answer()).seconds;
  };
  for (const test of tests) await run(test); // what is slow at first does not count
  return { name, canRun: () => true, run, close: () => child.stdin.end() };
}

/**
 * A llama-bench, and the llama-batched-bench beside it for several texts: a process per run, which warms up by itself.
 * @param path the model's, absolute
 * @param rtr 0 or 1: whether ik_llama.cpp repacks weights, and that it is this one
 */
export function llamaBench(name, named, path, threads, rtr) {
  if (named === undefined) return absent(name, "name its llama-bench, as bench/peers/README.md says");
  const program = resolve(named);
  if (!existsSync(program)) throw new Error(`[bench] ${name}: there is no ${program}`);
  const batched = join(dirname(program), "llama-batched-bench");
  const isIk = rtr !== undefined;
  const common = ["-m", path, "-t", `${threads}`];
  const output = (...command) => promisify(execFile)(...command, { maxBuffer: 2 ** 24, cwd: tmpdir() }); // some write a log where they are
  const alone = async ({ prompt, generate, depth }) => {
    const lengths = depth > 0 ? ["-w", "0", "-p", "0", "-n", "0", "-gp", `${depth},${generate}`] : ["-p", `${prompt}`, "-n", `${generate}`];
    const more = isIk ? ["-rtr", `${rtr}`] : [];
    const { stdout } = await output(program, [...common, "-r", "1", "-o", "json", ...lengths, ...more]);
    return JSON.parse(stdout)[0].avg_ts;
  };
  const together = async ({ generate, sequences }) => {
    const sizes = ["-npp", "1", "-ntg", `${generate}`, "-npl", `${sequences}`, "-c", `${sequences * (generate + 1)}`];
    const { stdout, stderr } = await output(batched, [...common, ...sizes, ...(rtr === 1 ? ["-rtr"] : [])]);
    const row = /^\|\s*1 \|\s*\d+ \|.*$/m.exec(`${stdout}\n${stderr}`)?.[0]; // the one prints it here, the other there
    if (row === undefined) throw new Error(`[bench] ${name}: llama-batched-bench printed no row of its table`);
    return Number(row.split("|")[8]);
  };
  return {
    ...{ name, close: () => undefined },
    // Tokens behind a context have an option of ik_llama.cpp's alone.
    canRun: ({ sequences, depth, prompt }) =>
      sequences > 1 ? depth === 0 && prompt === 0 && existsSync(batched) : depth === 0 || (isIk && prompt === 0),
    run: (test) => (test.sequences > 1 ? together(test) : alone(test)),
  };
}

function absent(name, wayOut) {
  console.error(`${name} is left out: ${wayOut}`);
  return undefined;
}

/** Seconds from starting `cria generate` to its first text. */
export async function firstToken(path, env) {
  const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const start = performance.now();
  const args = [main, "generate", path, "e t a o", "--max-tokens", "4", "--temperature", "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  const [seconds] = await Promise.all([
    new Promise((resolve, reject) => {
      child.stdout.once("data", () => resolve((performance.now() - start) / 1000));
      child.once("exit", () => reject(new Error("cria generate wrote nothing")));
    }),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  return seconds;
}
