// A command line run in this process, with what it printed.
import type { CommandRows } from "./command.ts";
import { runCli, type Terminal } from "./run.ts";

export async function runWords(words: readonly string[], rows: CommandRows, more: Partial<Terminal> = {}) {
  let [stdout, stderr] = ["", ""];
  const terminal: Terminal = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdin: async () => new Uint8Array(),
    stdinChunks: async function* () {},
    progress: () => {},
    signal: new AbortController().signal,
    began: performance.now(),
    caller: { cria: "npx cria", demo: "npm start --" },
    width: 80,
    colours: false,
    version: "9.9.9",
    debug: false,
    ...more,
  };
  const code = await runCli(words, rows, terminal);
  return { code, stdout, stderr };
}
