#!/usr/bin/env node
// The `cria` program: gives the frame (run.ts) this process's streams, signals and environment, and ends with its exit code.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { commandRows } from "./commands.ts";
import { callerOf } from "./hints.ts";
import { abortOnSignals, OutputClosed, Stopped } from "./interrupt.ts";
import { LiveLine } from "./live-line.ts";
import { LogLines } from "./log-lines.ts";
import { packageVersion } from "./package-root.ts";
import { exit, reportError, runCli, type Terminal } from "./run.ts";

const { stdout, stderr, stdin } = process;
const hasLiveLine = stderr.isTTY && process.env.TERM !== "dumb";
const live = hasLiveLine ? new LiveLine(stderr) : undefined;
const progress = live ?? new LogLines(stderr);

const stop = new AbortController();
const terminal: Terminal = {
  stdout: (text) => {
    if (stdout.isTTY) live?.clear();
    if (!(stop.signal.reason instanceof OutputClosed)) stdout.write(text);
  },
  stderr: (text) => {
    live?.clear();
    stderr.write(text);
  },
  stdin: readStdin,
  stdinChunks,
  progress: (event) => progress.update(event),
  signal: stop.signal,
  began: startOf(process.env),
  caller: callerOf({ script: process.argv[1]!, env: process.env, cwd: process.cwd() }),
  width: stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY,
  isTerminal: stdout.isTTY && stdin.isTTY,
  colours: stdout.isTTY && process.env.TERM !== "dumb" && (process.env.NO_COLOR ?? "") === "",
  version: packageVersion(),
  debug: Boolean(process.env.CRIA_DEBUG),
};

abortOnSignals(stop, (name) => {
  if (name === "SIGINT" && hasLiveLine) terminal.stderr("stopping; Ctrl-C again quits at once\n");
});
// Whoever read our stdout has enough, as in `cria … | head`: what can be saved is saved, locks are released, and the command ends.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  const closed = new OutputClosed(error);
  if (!closed.hasReaderLeft && !stop.signal.aborted) terminal.stderr(`${closed.message}\n`);
  stop.abort(closed);
});
// Nobody is left to tell when stderr is gone; the work goes on.
stderr.on("error", () => {});

const words = process.argv.slice(2);
/** Milliseconds that a command has to save and to release its locks after a bug that no await saw. */
const graceMs = 10_000;
/** Milliseconds that readers have to take what a command wrote, after it was told to stop. */
const flushMs = 1000;
let bug: number | undefined;
for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error: unknown) => {
    if (bug !== undefined) return;
    bug = reportError(error, words, terminal);
    stop.abort(new Stopped("stopped by a bug", bug, true));
    setTimeout(() => end(exit.failed), graceMs);
  });

const code = await runCli(words, commandRows, terminal);
await end(bug ?? code);

/**
 * When the command began, in milliseconds of this process's clock: before the process itself where tools/setup.mjs started it and says so in
 * CRIA_BEGAN, in milliseconds of the calendar; else 0.
 */
function startOf({ CRIA_BEGAN }: NodeJS.ProcessEnv): number {
  const before = Number(CRIA_BEGAN) - performance.timeOrigin;
  return before < 0 && before > -3_600_000 ? before : 0;
}

/**
 * Ends the process when everything written has left it, also when a forgotten handle would keep it alive. A reader that takes nothing, such as a
 * stopped one, is waited for until the command is told to stop, and a moment longer.
 */
async function end(code: number): Promise<void> {
  live?.clear();
  const written = Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write("", done)))).then(() => true);
  const isWritten = await Promise.race([written, stopped().then(() => false)]);
  const { reason } = stop.signal;
  process.exit(reason instanceof OutputClosed || (reason instanceof Stopped && !isWritten) ? reason.exitCode : code);
}

async function stopped(): Promise<void> {
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  await sleep(flushMs);
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdinChunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  const stop = () => stdin.destroy();
  terminal.signal.throwIfAborted(); // a signal that came while the command was loaded calls no listener any more
  terminal.signal.addEventListener("abort", stop);
  try {
    for await (const chunk of stdin) yield chunk as Uint8Array;
  } catch (error) {
    terminal.signal.throwIfAborted();
    throw error;
  } finally {
    terminal.signal.removeEventListener("abort", stop);
  }
}
