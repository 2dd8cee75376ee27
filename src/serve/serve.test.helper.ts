// A server on a tiny model for all tests of a file, and requests to it as bytes.
import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Backend } from "../backend/index.ts";
import { atomicWriteJson } from "../files/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { loadThere } from "../llama/index.ts";
import { openModel } from "../load/index.ts";
import { folderForAll, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { cert } from "./certificate.test.helper.ts";
import type { ModelRow } from "./models.ts";
import { ServedModel } from "./served-model.ts";
import { type RunningServer, type ServeOptions, serve } from "./server.ts";

/** Tokens of the tiny model's context here. */
export const contextLength = 2048;

/** What differs from test to test. */
export interface TestServerOptions extends Partial<Omit<ServeOptions, "models" | "limits">> {
  readonly limits?: Partial<ServeOptions["limits"]>;
  readonly sequences?: number;
  readonly queue?: number;
  /** Pages of the model's pool. */
  readonly pages?: number;
  readonly chatTemplate?: string;
  /** Names of the models, which are all the same one. */
  readonly names?: readonly string[];
}

/** A server for all tests of a file. */
export interface TestServer {
  readonly url: string;
  readonly server: RunningServer;
  readonly folder: string;
  /** The lines of its log. */
  readonly log: string[];
}

/** Starts the server in front of all tests and stops it behind them. */
export function serverForAll(options: TestServerOptions = {}): () => TestServer {
  const folder = folderForAll(async (at) => {
    await writeTinyFolder(at);
    await writeTinyChat(at, options.chatTemplate);
    const config = join(at, "config.json");
    await atomicWriteJson(config, { ...JSON.parse(await readFile(config, "utf8")), max_position_embeddings: contextLength });
  });
  const log: string[] = [];
  let backend: Backend | undefined;
  let server: RunningServer | undefined;
  beforeAll(async () => {
    backend = await openCpuBackend({ threads: 1 });
    server = await serve(serveOptions(options, modelRows(folder(), backend, options), log));
  });
  afterAll(async () => {
    await server?.drain();
    await backend?.dispose();
  });
  return () => ({ server: server!, url: server!.url, folder: folder(), log });
}

function modelRows(folder: string, backend: Backend, options: TestServerOptions): ModelRow[] {
  const { names = ["tiny"], sequences = 8, queue = 8, pages } = options;
  return names.map((name) => ({
    name,
    openFiles: (signal) => openModel(folder, { signal }),
    async load(signal) {
      await using model = await openModel(folder, { signal });
      const there = await loadThere(model, undefined, async () => ({ backend, isOwn: false }), { ...(pages !== undefined && { pages }) });
      return new ServedModel(there, { sequences, queue });
    },
  }));
}

function serveOptions({ limits, ...options }: TestServerOptions, models: ModelRow[], log: string[]): ServeOptions {
  return {
    ...{
      host: "127.0.0.1",
      port: 0,
      models,
      bodyBytes: 100_000,
      version: "test",
      logsPrompts: false,
      log: (line: string) => log.push(line),
    },
    ...{ shelf: { keepAliveMs: Number.POSITIVE_INFINITY }, security: { apiKeys: [], origins: [], hosts: [] }, ...options },
    limits: {
      ...{ promptTokens: Number.POSITIVE_INFINITY, completionTokens: Number.POSITIVE_INFINITY, choices: 8, prompts: 16 },
      ...{ milliseconds: Number.POSITIVE_INFINITY, ...limits },
    },
  };
}

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  readonly json: any;
}

/** Sends a request as it is told, headers that fetch would not send among them. */
export function ask(
  url: string,
  {
    method = "POST",
    headers = {},
    body,
  }: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string | Buffer } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = send(url, { method, headers, agent: false, ca: cert }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        json: /^application\/json/.test(response.headers["content-type"] ?? "") ? JSON.parse(text) : undefined,
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Posts JSON. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return ask(url, { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
}
