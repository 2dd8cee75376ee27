// PyTorch in child processes, one an interpreter: pytorch.py does a training step whenever it is asked, so that it takes turns with ours.
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./pytorch.py", import.meta.url));

/** Interpreters in CRIA_PYTHON, as in PATH; python3 by default. Those without PyTorch are left out, saying so. @param config a model's configuration with batch, length and threads. */
export async function openPyTorch(config) {
  const opened = [];
  for (const python of (process.env.CRIA_PYTHON ?? "python3").split(delimiter)) {
    const peer = await start(python, config);
    if (peer) opened.push(peer);
    else console.log(`${python} has no PyTorch that runs pytorch.py: see bench/peers/README.md`);
  }
  return opened;
}

async function start(python, config) {
  const child = spawn(python, [script, JSON.stringify(config)], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise((done) => child.once("close", done).once("error", done));
  child.stdin.on("error", () => {}); // the child has ended: its lines are missed below
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await lines.next();
    return value === undefined ? undefined : JSON.parse(value);
  };
  const info = await next();
  if (info === undefined) return undefined;
  return {
    info,
    name: `PyTorch ${info.torch.replace(/\+.*/, "")}, ${info.blas}, ${info.instructions}, ${info.threads} threads`,
    /** One step in "float32" or "bfloat16" (autocast). */
    async run(precision) {
      child.stdin.write(`${precision}\n`);
      if ((await next()) === undefined) throw new Error(`[bench] ${python} ended during a step: run pytorch.py by hand to see why`);
    },
    async dispose() {
      child.stdin.end();
      await ended;
    },
  };
}
