// A server: models, engine and protocols behind a socket. It is told where to listen, and says where it does.
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { CriaError } from "../base/index.ts";
import { anthropic } from "./anthropic/index.ts";
import { createApp } from "./app.ts";
import type { EngineLimits } from "./checked-request.ts";
import { Engine } from "./engine.ts";
import { RequestLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { type ModelRow, ModelShelf, type ShelfOptions } from "./models.ts";
import { ollama } from "./ollama/index.ts";
import { openai } from "./openai/index.ts";
import { own } from "./own/index.ts";
import { type PageOptions, page } from "./page/index.ts";
import { responses } from "./responses/index.ts";
import { Security, type SecurityOptions } from "./security.ts";

/** Milliseconds that an idle connection stays open: longer than the 60 s after which usual proxies close theirs. */
const keepAliveMs = 90_000;
/** Milliseconds in which a request's headers must have come. */
const headersMs = 30_000;
/** Milliseconds in which a whole request must have come. */
const requestMs = 300_000;
/** Bytes of a request's headers. */
const headerBytes = 16 << 10;

/** How a server is reached, what it may take, and who hears of it. */
export interface ServeOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly models: readonly ModelRow[];
  readonly shelf: ShelfOptions;
  readonly security: SecurityOptions;
  readonly limits: EngineLimits;
  /** The page at the server's own address; none by default. */
  readonly page?: PageOptions | undefined;
  /** Bytes of a body. */
  readonly bodyBytes: number;
  /** Certificate and private key, each as PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly version: string;
  /** Takes the lines of the log. */
  log(line: string): void;
  /** Whether the log has prompts. */
  readonly logsPrompts: boolean;
}

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached: http://127.0.0.1:8080. */
  readonly url: string;
  readonly shelf: ModelShelf;
  /** Takes no new requests, answers those that it has, and unloads the models. */
  drain(): Promise<void>;
}

/** Listens. @throws CriaError where the address cannot be had or the certificate is none */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host, port, limits, security, log, logsPrompts, bodyBytes, version } = options;
  const shelf = new ModelShelf(options.models, options.shelf);
  const metrics = new Metrics((error) => log(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
  metrics.watch(shelf);
  const engine = new Engine(shelf, limits, metrics);
  const stopping = new AbortController();
  const guard = new Security(security);
  const shown = options.page === undefined ? [] : [page(options.page, guard)];
  const app = createApp({
    ...{ shelf, metrics, engine, version, bodyBytes, security: guard, stopping: stopping.signal },
    ...{ protocols: [openai, responses, anthropic, ollama, own, ...shown], log: new RequestLog(log, logsPrompts) },
  });
  const server = newServer(options, getRequestListener(app.fetch));
  const answered = new OpenAnswers(server);
  await listen(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${taken}`,
    shelf,
    async drain() {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      await answered.whenNone();
      server.closeAllConnections(); // those that are kept alive, on which nothing is asked
      await closed;
      await shelf.dispose();
    },
  };
}

/** Counts the requests that are not answered yet. */
class OpenAnswers {
  #count = 0;
  #onNone: (() => void) | undefined;

  constructor(server: Server) {
    server.on("request", (_, response: ServerResponse) => {
      this.#count++;
      response.once("close", () => {
        if (--this.#count === 0) this.#onNone?.();
      });
    });
  }

  async whenNone(): Promise<void> {
    if (this.#count > 0)
      await new Promise<void>((resolve) => {
        this.#onNone = resolve;
      });
  }
}

function newServer({ tls }: ServeOptions, listener: ReturnType<typeof getRequestListener>): Server {
  const settings = { keepAliveTimeout: keepAliveMs, headersTimeout: headersMs, requestTimeout: requestMs, maxHeaderSize: headerBytes };
  try {
    const server = tls === undefined ? createServer(settings, listener) : createTlsServer({ ...settings, ...tls }, listener);
    // Node drops headers behind the 2000th without a word, such as an Origin that is to be checked; their bytes are bounded anyway.
    server.maxHeadersCount = 0;
    server.on("clientError", refuseMalformed);
    return server;
  } catch (cause) {
    throw new CriaError("serve", "the certificate and its key are no pair in PEM: give the files that belong together", { cause });
  }
}

/** What is no HTTP, or has too many headers, reaches no route. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, message] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", `the headers have more than ${headerBytes} bytes`]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "the request did not come in time"]
        : ["400 Bad Request", "this is no HTTP request"];
  const body = JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => reject(new CriaError("serve", explain(cause, host, port), { cause, ways: ["port"] }));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function explain({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const at = `${host}:${port}`;
  if (code === "EADDRINUSE") return `${at} is taken by another program: choose another port`;
  if (code === "EACCES") return `${at} may not be taken: ports below 1024 belong to the system, choose another`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return `${host} is no address of this machine`;
  return `${at} cannot be listened on: ${message}`;
}
