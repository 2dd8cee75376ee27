// cria serve: models behind HTTP, for programs that speak to OpenAI, Anthropic or Ollama.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Backend } from "../backend/index.ts";
import { CriaError, type StateDType, stateDTypes, UsageError } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { loadThere } from "../llama/index.ts";
import { openConfig, openModel } from "../load/index.ts";
import { type ModelRow, ServedModel, type ServeOptions, serve as startServer } from "../serve/index.ts";
import type { Command, CommandIo, FlagRow, Flags } from "./command.ts";
import { booleanFlag, numberFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { openBackend } from "./open-backend.ts";
import { packageVersion } from "./package-root.ts";
import { pageAssets } from "./page.ts";
import { isFolder } from "./paths.ts";

const where = "serve";

const usual = { port: 8080, parallel: 64, queue: 256, seconds: 600, bodyBytes: 2_000_000, host: "127.0.0.1" };

const flagRows: readonly FlagRow[] = [
  { name: "port", type: "number", default: usual.port, help: "the port to listen on; 0 takes a free one" },
  {
    name: "host",
    type: "string",
    value: "ADDRESS",
    default: usual.host,
    help: "the address to listen on; others than this machine need an API key",
  },
  { name: "api-key", type: "string", value: "KEY", repeat: true, help: "requests must bring this key; may be given several times" },
  { name: "api-key-file", type: "string", value: "FILE", help: "a file with a key per line; lines that begin with # are left out" },
  { name: "no-auth", type: "boolean", help: "listen for other machines without a key: whoever reaches the address may ask" },
  {
    name: "allow-origin",
    type: "string",
    value: "ORIGIN",
    repeat: true,
    help: "pages of this origin may ask (https://example.org, or * for all)",
  },
  {
    name: "allow-host",
    type: "string",
    value: "NAME",
    repeat: true,
    help: "a name by which the server is reached, beside localhost and addresses",
  },
  { name: "tls-cert", type: "string", value: "FILE", help: "serve https with this certificate, as PEM" },
  { name: "tls-key", type: "string", value: "FILE", help: "the certificate's private key, as PEM" },
  { name: "context", type: "number", isLength: true, help: "tokens that prompt and text may have together (default: the model's)" },
  {
    name: "cache",
    type: "string",
    value: stateDTypes.join("|"),
    help: "how keys and values are stored: in 4, 2 or about 1 bytes (default: f32)",
  },
  { name: "parallel", type: "number", default: usual.parallel, help: "texts that a model writes at the same time" },
  { name: "queue", type: "number", default: usual.queue, help: "requests that may wait for a model; more are told to come back (429)" },
  { name: "max-prompt", type: "number", isLength: true, help: "tokens of a prompt at most (default: what the context holds)" },
  { name: "max-tokens", type: "number", isLength: true, help: "tokens of a text at most (default: what the context holds)" },
  { name: "max-seconds", type: "number", default: usual.seconds, help: "seconds that a request may be computed" },
  { name: "max-body", type: "number", default: usual.bodyBytes, help: "bytes of a request's body at most" },
  {
    name: "keep-alive",
    type: "number",
    value: "SECONDS",
    help: "unload a model that was idle for so long (default: only where another one needs its memory)",
  },
  {
    name: "runs",
    type: "string",
    value: "DIR",
    help: "the folder whose runs the page at / shows (default: runs, where there is one)",
  },
  { name: "log-prompts", type: "boolean", help: "write what is asked to the log, too" },
];

const example = `\
cria serve runs/demo                                            # http://127.0.0.1:8080/v1
cria serve small=runs/demo hf:HuggingFaceTB/SmolLM2-135M-Instruct   # loaded when they are asked for
cria serve runs/demo --host 0.0.0.0 --api-key-file keys.txt --tls-cert cert.pem --tls-key key.pem
curl http://127.0.0.1:8080/v1/completions -H 'content-type: application/json' -d '{"model":"demo","prompt":"Once upon a time"}'
`;

/** The command `cria serve`. */
export const serve: Command = {
  name: "serve",
  summary: "serve models over HTTP to programs that speak to OpenAI, Anthropic or Ollama",
  usage: "[NAME=]MODEL... [--port 8080] [--host ADDRESS --api-key KEY] …",
  flags: flagRows,
  example: { title: "examples", text: example },
  async run(paths, flags, io) {
    if (paths.length === 0) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    const options = await readOptions(flags, io);
    await using backend = await openBackend(io);
    const models = paths.map((path) => rowOf(path, flags, { backend, io }));
    for (const { path } of models) if (!path.startsWith("hf:")) await openConfig(path);
    const server = await startServer({ ...options, models });
    await using _ = { [Symbol.asyncDispose]: () => server.drain() };
    if (models.length === 1) (await server.shelf.lease(undefined, io.signal))[Symbol.dispose]();
    tell(server.url, models, io);
    if (!io.signal.aborted) await once(io.signal, "abort");
    io.stderr("answering what was asked, then stopping; a second signal stops at once\n");
    return 0;
  },
};

/** @throws UsageError where flags contradict each other, before anything is loaded */
async function readOptions(flags: Flags, io: CommandIo): Promise<Omit<ServeOptions, "models">> {
  const host = stringFlag(flags, "host") ?? usual.host;
  const apiKeys = [...textsFlag(flags, "api-key"), ...(await keysOf(stringFlag(flags, "api-key-file")))];
  checkOpenness(host, apiKeys, booleanFlag(flags, "no-auth"), io);
  return {
    host,
    port: portFlag(flags),
    shelf: {
      keepAliveMs: 1000 * (secondsFlag(flags, "keep-alive") ?? Number.POSITIVE_INFINITY),
      onChange: (name, what) => io.stderr(`${name} ${what}\n`),
    },
    security: { apiKeys, origins: textsFlag(flags, "allow-origin"), hosts: textsFlag(flags, "allow-host") },
    limits: {
      promptTokens: wholeFlag(flags, where, "max-prompt") ?? Number.POSITIVE_INFINITY,
      completionTokens: wholeFlag(flags, where, "max-tokens") ?? Number.POSITIVE_INFINITY,
      choices: wholeFlag(flags, where, "parallel") ?? usual.parallel,
      prompts: 2048,
      milliseconds: 1000 * (secondsFlag(flags, "max-seconds") ?? usual.seconds),
    },
    bodyBytes: wholeFlag(flags, where, "max-body") ?? usual.bodyBytes,
    page: { assets: pageAssets, runs: await runsFolder(stringFlag(flags, "runs")) },
    tls: await readTls(flags),
    version: packageVersion(),
    log: (line) => io.stderr(`${line}\n`),
    logsPrompts: booleanFlag(flags, "log-prompts"),
  };
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Whoever reaches an address of the network may use the machine: that is said aloud, or there is a key. */
function checkOpenness(host: string, apiKeys: readonly string[], isOpen: boolean, io: CommandIo): void {
  if (loopback.test(host) || apiKeys.length > 0) return;
  if (!isOpen)
    throw new UsageError(
      where,
      `--host is ${host}, which other machines reach: give --api-key or --api-key-file, or --no-auth where all of them may ask`,
    );
  io.stderr(`warning: whoever reaches ${host} may ask this server, which has no API key (--no-auth)\n`);
}

async function runsFolder(given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return (await isFolder("runs")) ? "runs" : undefined;
  if (!(await isFolder(given))) throw new UsageError(where, `--runs is ${given}, which is no folder: name one with runs in it`);
  return given;
}

async function keysOf(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const keys = (await readText(path))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0) throw new CriaError(where, `${path} has no key: write one per line`);
  return keys;
}

async function readTls(flags: Flags): Promise<ServeOptions["tls"]> {
  const [cert, key] = [stringFlag(flags, "tls-cert"), stringFlag(flags, "tls-key")];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UsageError(where, "--tls-cert and --tls-key belong together: give both");
  return { cert: Buffer.from(await readText(cert)), key: Buffer.from(await readText(key)) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

/** A model that is named by its path, or as NAME=PATH. */
function rowOf(
  word: string,
  flags: Flags,
  { backend, io }: { readonly backend: Backend; readonly io: CommandIo },
): ModelRow & { readonly path: string } {
  const [, name, path] = /^([\w.-]+)=(.+)$/.exec(word) ?? [undefined, undefined, word];
  const contextLength = wholeFlag(flags, where, "context");
  const cacheType = cacheFlag(flags);
  const concurrency = {
    sequences: wholeFlag(flags, where, "parallel") ?? usual.parallel,
    queue: wholeFlag(flags, where, "queue", 0) ?? usual.queue,
  };
  return {
    ...{ name: name ?? nameOf(path), path, contextLength },
    openFiles: (signal) => openModel(path, { signal, onProgress: io.progress }),
    async load(signal) {
      await using model = await openModel(path, { signal, onProgress: io.progress });
      const there = await loadThere(model, undefined, async () => ({ backend, isOwn: false }), {
        ...{ signal, onProgress: io.progress },
        ...(contextLength !== undefined && { contextLength }),
        ...(cacheType !== undefined && { cacheType }),
      });
      for (const warning of there.warnings) io.stderr(`${warning}\n`);
      return new ServedModel(there, concurrency);
    },
  };
}

/** What clients call a model: its name on the hub, or the last part of its path without the ending of a file. */
function nameOf(path: string): string {
  if (path.startsWith("hf:")) return path.slice(3);
  return basename(path.replace(/[/\\]+$/, "")).replace(/\.(?:gguf|bin)$/, "");
}

function tell(url: string, models: readonly ModelRow[], io: CommandIo): void {
  const names = models.map(({ name }) => name);
  if (io.json) io.stdout(`${JSON.stringify({ url, models: names }, null, 2)}\n`);
  else io.stdout(`${url}/v1 serves ${names.join(", ")}; the page is ${url}\n`);
}

function textsFlag(flags: Flags, name: string): readonly string[] {
  return (flags[name] ?? []) as readonly string[];
}

function secondsFlag(flags: Flags, name: string): number | undefined {
  const value = numberFlag(flags, name);
  if (value !== undefined && !(value > 0)) throw new UsageError(where, `--${name} is ${value} but must be above 0`);
  return value;
}

function portFlag(flags: Flags): number {
  const port = wholeFlag(flags, where, "port", 0) ?? usual.port;
  if (port > 65_535) throw new UsageError(where, `--port is ${port} but must be at most 65535`);
  return port;
}

function cacheFlag(flags: Flags): StateDType | undefined {
  const name = stringFlag(flags, "cache");
  const known = stateDTypes.find((dtype) => dtype === name);
  if (name !== undefined && known === undefined) throw new UsageError(where, `--cache is "${name}" but must be ${stateDTypes.join(", ")}`);
  return known;
}
