#!/usr/bin/env node
// The `cria` program: gives the frame (run.ts) this process's streams, signals and environment, and ends with its exit code.
import { commandRows } from "./commands.ts";
import { callerOf } from "./hints.ts";
import { abortOnSignals } from "./interrupt.ts";
import { LiveLine } from "./live-line.ts";
import { packageVersion } from "./package-root.ts";
import { reportError, runCli, type Terminal } from "./run.ts";

const { stdout, stderr, stdin } = process;
const hasLiveLine = stderr.isTTY && process.env.TERM !== "dumb";
const live = hasLiveLine ? new LiveLine(stderr) : undefined;

const terminal: Terminal = {
  stdout: (text) => {
    if (stdout.isTTY) live?.clear();
    stdout.write(text);
  },
  stderr: (text) => {
    live?.clear();
    stderr.write(text);
  },
  stdin: readStdin,
  progress: (event) => live?.update(event),
  signal: abortOnSignals((name) => {
    if (name === "SIGINT" && hasLiveLine) terminal.stderr("stopping; Ctrl-C again quits at once\n");
  }),
  caller: callerOf({ script: process.argv[1]!, env: process.env, cwd: process.cwd() }),
  width: stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY,
  version: packageVersion(),
  debug: Boolean(process.env.CRIA_DEBUG),
};

// `cria … | head` closes our stdout: whoever read it has enough, so we are done too.
stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// With stderr gone there is nobody left to tell.
stderr.on("error", () => {});
const words = process.argv.slice(2);
for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error: unknown) => void end(reportError(error, words, terminal)));

await end(await runCli(words, commandRows, terminal));

/** Ends the process when everything written has left it, also when a forgotten handle would keep it alive. */
async function end(code: number): Promise<void> {
  live?.clear();
  await Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write("", done))));
  process.exit(code);
}

async function readStdin(): Promise<Uint8Array> {
  const stop = () => stdin.destroy();
  terminal.signal.addEventListener("abort", stop);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stdin) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  } catch (error) {
    terminal.signal.throwIfAborted();
    throw error;
  } finally {
    terminal.signal.removeEventListener("abort", stop);
  }
}
