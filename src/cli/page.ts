// The page beside a command: a server for this machine alone, and the browser that shows it.
import { spawn } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { CriaError } from "../base/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { loadThere } from "../llama/index.ts";
import { openModel } from "../load/index.ts";
import { runPaths } from "../runs/index.ts";
import { type ModelRow, RequestError, type RunningServer, ServedModel, serve } from "../serve/index.ts";
import { findRuns, idOf } from "../watch/index.ts";
import type { CommandIo } from "./command.ts";
import { packageRoot, packageVersion } from "./package-root.ts";
import { isFile } from "./paths.ts";

/** The first port that is tried, and how many after it. */
const ports = { first: 8080, tries: 20 } as const;
/** Texts that are written at the same time, and requests that wait: one person sits in front of the page. */
const concurrency = { sequences: 4, queue: 16 } as const;
/** A model that nobody asked for so long is closed, in milliseconds: the runs of a folder may be many. */
const keepAliveMs = 600_000;

/** The folder of the page's built files. */
export const pageAssets = join(packageRoot, "dist", "page");

/** What the page shows. */
export interface PageRequest {
  /** The folder whose runs and reports are shown. */
  readonly runs: string;
  /** The next ones are tried only where none is asked for. */
  readonly port?: number | undefined;
  /** The models that the page talks to, asked for again while it is shown: a run may have been saved since. */
  readonly findModels?: () => Promise<readonly ModelRow[]>;
}

/** Shows the page for this machine alone. @throws CriaError when no port is free */
export async function servePage(
  { runs, port, findModels = async () => [] }: PageRequest,
  io: Pick<CommandIo, "stderr">,
): Promise<RunningServer> {
  const models = await findModels();
  for (let tried = port ?? ports.first; ; tried++) {
    try {
      const server = await serve({ ...usualOptions(io), models, port: tried, page: { assets: pageAssets, runs, findModels } });
      if (port === undefined && tried > ports.first) io.stderr(`port ${ports.first} is taken, so the page has port ${tried}\n`);
      return server;
    } catch (error) {
      const isTaken = error instanceof CriaError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
      if (!isTaken || port !== undefined || tried === ports.first + ports.tries) throw error;
    }
  }
}

/** A server that says nothing, and leaves it to the model how long texts are. */
function usualOptions({ stderr }: Pick<CommandIo, "stderr">) {
  const unlimited = Number.POSITIVE_INFINITY;
  return {
    host: "127.0.0.1",
    shelf: { keepAliveMs },
    security: { apiKeys: [], origins: [], hosts: [] },
    limits: { promptTokens: unlimited, completionTokens: unlimited, choices: concurrency.sequences, prompts: 1, milliseconds: unlimited },
    bodyBytes: 1_000_000,
    version: packageVersion(),
    log: (line: string) => (line.startsWith("error") ? stderr(`${line}\n`) : undefined),
    logsPrompts: false,
  };
}

/** The models of the runs below a folder, as far as they are saved now, the newest first; each is opened when the page first asks for it. */
export async function modelsOfRuns(root: string): Promise<readonly ModelRow[]> {
  const folders = await findRuns(root);
  const areSaved = await Promise.all(folders.map((folder) => isFile(runPaths(folder).model)));
  return folders.filter((_, i) => areSaved[i]).map((folder) => modelOfRun(folder, idOf(root, folder)));
}

/** The model of a run, opened on a backend of its own when the page first asks for it. @param id what the page calls it; "." for the watched folder */
export function modelOfRun(folder: string, id = "."): ModelRow {
  const name = id === "." ? basename(resolve(folder)) : id;
  return {
    name,
    openFiles: (signal) => openModel(folder, { signal }),
    async load(signal) {
      if (!(await isFile(runPaths(folder).model)))
        throw new RequestError("unavailable", `${name} is still being trained: it answers when it is saved`);
      await using model = await openModel(folder, { signal });
      return new ServedModel(
        await loadThere(model, undefined, async () => ({ backend: await openCpuBackend(), isOwn: true }), { signal }),
        concurrency,
      );
    },
  };
}

/** The program that opens an address in the browser of a person's choice, per system. */
const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Opens the address where a person sits at this machine: in a terminal, not over ssh, and with a screen. */
export function openBrowser(url: string, { isTerminal = false }: Pick<CommandIo, "isTerminal">): void {
  const { platform, env } = process;
  const opener = openers[platform];
  const hasScreen = platform !== "linux" || env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined;
  const isAway = env.SSH_CONNECTION !== undefined || env.CI !== undefined;
  if (opener === undefined || !isTerminal || isAway || !hasScreen) return;
  const [program, ...words] = opener;
  const child = spawn(program, [...words, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined); // there is no such program; the address is printed
  child.unref();
}
