// A host of public files on this machine: it serves a tree of them, whole or from a byte on, and remembers what it was asked.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { refuse, serve } from "./fake-hub.test.helper.ts";

export class FakeHost implements AsyncDisposable {
  /** Method, path and range of every request. */
  readonly asked: string[] = [];
  /** Answers in the host's place where it returns true. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server: Server;

  /** @param files by their paths, without a slash at the beginning */
  static async open(files: Readonly<Record<string, Uint8Array | string>>): Promise<FakeHost> {
    const host = new FakeHost(files);
    await once(host.#server.listen(0, "127.0.0.1"), "listening");
    return host;
  }

  private constructor(files: Readonly<Record<string, Uint8Array | string>>) {
    this.#server = createServer((request, response) => {
      const { method, url = "", headers } = request;
      const path = decodeURIComponent(url.slice(1));
      this.asked.push([method, path, headers.range].filter(Boolean).join(" "));
      if (this.instead(request, response)) return;
      const content = files[path];
      if (content === undefined) refuse(response, 404);
      else serve(response, typeof content === "string" ? Buffer.from(content) : content, headers);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
