// cria watch: the page on the runs of a folder, beside whatever trains there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { CriaError, UsageError } from "../base/index.ts";
import { type RunningServer, serve } from "../serve/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { booleanFlag, wholeFlag } from "./flag-values.ts";
import { packageRoot, packageVersion } from "./package-root.ts";
import { isFolder } from "./paths.ts";

const where = "watch";
/** The first port that is tried, and how many after it. */
const ports = { first: 8080, tries: 20 } as const;

/** The folder of the page's built files. */
export const pageAssets = join(packageRoot, "dist", "page");

/** The command `cria watch`. */
export const watch: Command = {
  name: "watch",
  summary: "watch runs train in a browser: curves, texts, reports, plans",
  usage: "[RUN|FOLDER] [--port 8080] [--no-open]",
  flags: [
    { name: "port", type: "number", help: "the port of the page (default: 8080, or the next one that is free)" },
    { name: "no-open", type: "boolean", help: "open no browser" },
  ],
  async run(args, flags, io) {
    const [given, ...more] = args;
    if (more.length > 0) throw new UsageError(where, `${args.length} folders are given: name one, with all runs below it`);
    const root = given ?? ((await isFolder("runs")) ? "runs" : ".");
    if (!(await isFolder(root))) throw new UsageError(where, `${root} is no folder: name the folder of a run, or one with runs below it`);
    const server = await servePage(root, wholeFlag(flags, where, "port", 0), io);
    await using _ = { [Symbol.asyncDispose]: () => server.drain() };
    if (io.json) io.stdout(`${JSON.stringify({ url: server.url, folder: root }, null, 2)}\n`);
    else io.stdout(`${server.url} shows the runs in ${root}; Ctrl-C ends it\n`);
    if (!io.json && !booleanFlag(flags, "no-open")) openBrowser(server.url);
    if (!io.signal.aborted) await once(io.signal, "abort");
    return 0;
  },
};

/** Shows the page for this machine alone. @param port the next ones are tried only where none is asked for. @throws CriaError when none is free */
export async function servePage(runs: string, port: number | undefined, io: Pick<CommandIo, "stderr">): Promise<RunningServer> {
  for (let tried = port ?? ports.first; ; tried++) {
    try {
      const server = await serve({ ...usualOptions(io), port: tried, page: { assets: pageAssets, runs } });
      if (port === undefined && tried > ports.first) io.stderr(`port ${ports.first} is taken, so the page has port ${tried}\n`);
      return server;
    } catch (error) {
      const isTaken = error instanceof CriaError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
      if (!isTaken || port !== undefined || tried === ports.first + ports.tries) throw error;
    }
  }
}

/** A server without models, which says nothing. */
function usualOptions({ stderr }: Pick<CommandIo, "stderr">) {
  const unlimited = Number.POSITIVE_INFINITY;
  return {
    host: "127.0.0.1",
    models: [],
    shelf: { keepAliveMs: unlimited },
    security: { apiKeys: [], origins: [], hosts: [] },
    limits: { promptTokens: unlimited, completionTokens: unlimited, choices: 1, prompts: 1, milliseconds: unlimited },
    bodyBytes: 100_000,
    version: packageVersion(),
    log: (line: string) => (line.startsWith("error") ? stderr(`${line}\n`) : undefined),
    logsPrompts: false,
  };
}

/** The program that opens an address in the browser of a person's choice, per system. */
const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Opens the address where a person sits at this machine: in a terminal, not over ssh, and with a screen. */
export function openBrowser(url: string): void {
  const { platform, env, stdout } = process;
  const opener = openers[platform];
  const hasScreen = platform !== "linux" || env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined;
  if (opener === undefined || !stdout.isTTY || env.SSH_CONNECTION !== undefined || env.CI !== undefined || !hasScreen) return;
  const [program, ...words] = opener;
  const child = spawn(program, [...words, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined); // there is no such program; the address is printed
  child.unref();
}
