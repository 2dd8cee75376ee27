// What a route is given with a request.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Engine } from "./engine.ts";
import { EventStream, type StreamOptions } from "./event-stream.ts";
import type { Metrics } from "./metrics.ts";
import type { ModelShelf } from "./models.ts";
import type { Protocol } from "./protocol.ts";
import type { RequestError } from "./request-error.ts";

/** What the log says of a request beside its path and status. */
export interface LogNotes {
  model?: string;
  promptTokens?: number;
  cachedTokens?: number;
  completionTokens?: number;
  /** What was asked; the log has it only where that was asked for. */
  prompt?: unknown;
  /** The kind of its error and the parameter that is wrong: messages may quote what was asked. */
  error?: string;
}

/** The parts of a server that routes use. */
export interface ServerParts {
  readonly engine: Engine;
  readonly shelf: ModelShelf;
  readonly metrics: Metrics;
  readonly version: string;
  /** Aborted when the server is stopping: new requests are turned away, and streams without an end of their own end. */
  readonly stopping: AbortSignal;
  /** The first one's form of errors serves paths that no route has. */
  readonly protocols: readonly [Protocol, ...Protocol[]];
}

/** A request as a route sees it. */
export class RequestContext {
  readonly server: ServerParts;
  /** Who asks: a hash of the API key, or the client's address where there are no keys; "" where nobody was asked. */
  key = "";
  /** Aborted when the client has left or the response has ended. */
  readonly signal: AbortSignal;
  readonly notes: LogNotes = {};
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #params: Readonly<Record<string, string>>;

  constructor(
    server: ServerParts,
    { incoming, outgoing }: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
    params: Readonly<Record<string, string>>,
  ) {
    [this.server, this.#incoming, this.#outgoing, this.#params] = [server, incoming, outgoing, params];
    const controller = new AbortController();
    const over = () => controller.abort(new DOMException("the client has left", "AbortError"));
    if (outgoing.destroyed) over();
    else outgoing.once("close", over);
    this.signal = controller.signal;
  }

  /** A parameter of the route's path, "" where it has none of that name. */
  param(name: string): string {
    return this.#params[name] ?? "";
  }

  /** A parameter behind the path's question mark; undefined where it is absent. */
  query(name: string): string | undefined {
    return new URL(this.#incoming.url ?? "/", "http://localhost").searchParams.get(name) ?? undefined;
  }

  /** Whether the client speaks to this server by TLS. */
  get isEncrypted(): boolean {
    return "encrypted" in this.#incoming.socket;
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Sets a header of the response. */
  set(name: string, value: string): void {
    if (!this.#outgoing.headersSent) this.#outgoing.setHeader(name, value);
  }

  /** Names tools that were left out because this server cannot have models call them. */
  ignoreTools(kinds: readonly string[]): void {
    this.set("x-cria-ignored-tools", [...new Set(kinds)].map((kind) => encodeURIComponent(kind.slice(0, 100))).join(", "));
  }

  /** Notes an error that is told in a stream: the kind alone, as messages may quote what was asked. */
  fail({ kind, param }: RequestError): void {
    this.notes.error = param === undefined ? kind : `${kind} ${param}`;
  }

  /** Sends the headers of a response that comes in pieces. */
  stream(options?: StreamOptions): EventStream {
    return new EventStream(this.#outgoing, options);
  }
}
