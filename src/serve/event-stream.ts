// A response that comes in pieces, written to the socket itself: headers go out at once, and what waits to be written is written when the model has its next
// pass to compute, so that writing costs the text no time. Where tokens come faster than a reader could tell, several are written at once: a write and
// the client's reading of it take as long as a token of a small model.
import type { ServerResponse } from "node:http";

/** Milliseconds without anything to say after which a comment keeps the connection alive. */
const pingMs = 10_000;
/** Bytes that may wait for a reader before the text waits for it, too. */
const mostWaiting = 1 << 18;

/** Milliseconds between two writes, at least: a frame of a display (measured: docs/log/2026-11-28-serve.md). */
const writeMs = 16;

/** Headers of a stream of server-sent events (WHATWG HTML, section 9.2). */
const eventHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** Options of a stream. */
export interface StreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** What keeps an idle connection alive; server-sent events have comments for it, and a form that has none leaves it out. @default a comment */
  readonly ping?: string | undefined;
  readonly pingMs?: number;
}

/** A response in pieces. What is sent after the reader has left goes nowhere. */
export class EventStream {
  readonly #response: ServerResponse;
  #waiting = "";
  #isScheduled = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #ping: ReturnType<typeof setInterval> | undefined;

  constructor(response: ServerResponse, options: StreamOptions = {}) {
    this.#response = response;
    const { headers = eventHeaders } = options;
    const ping = "ping" in options ? options.ping : ": ping\n\n";
    response.writeHead(200, headers);
    response.flushHeaders();
    response.socket?.setNoDelay(true);
    if (ping === undefined) return;
    this.#ping = setInterval(() => this.send(ping), options.pingMs ?? pingMs).unref();
    response.once("close", () => clearInterval(this.#ping));
  }

  /** Sends a text behind what waits. */
  send(text: string): void {
    this.#waiting += text;
    this.#ping?.refresh();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const early = writeMs - (performance.now() - this.#writtenAt);
    if (early > 0) setTimeout(() => this.#flush(), early);
    else setImmediate(() => this.#flush());
  }

  /** Sends an event: its data as JSON, and its name where it has one. */
  event(data: unknown, name?: string): void {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    this.send(name === undefined ? `data: ${text}\n\n` : `event: ${name}\ndata: ${text}\n\n`);
  }

  /** Resolves at once, or, where a slow reader has much to take, when it has taken it or has left. */
  async ready(): Promise<void> {
    const response = this.#response;
    if (response.writableLength + this.#waiting.length < mostWaiting || response.destroyed) return;
    this.#flush();
    if (!response.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      response.on("drain", done);
      response.on("close", done);
    });
  }

  end(): void {
    clearInterval(this.#ping);
    this.#flush();
    this.#response.end();
  }

  #flush(): void {
    this.#isScheduled = false;
    this.#writtenAt = performance.now();
    if (this.#waiting !== "" && !this.#response.destroyed && !this.#response.writableEnded) this.#response.write(this.#waiting);
    this.#waiting = "";
  }
}
