// A hub on the loopback interface that answers as Hugging Face's does: a description, a list in pages, small files itself, large ones by a redirect to
// another host. Tests put answers of their own in front of any address.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";

export interface FakeRepository {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** These go by way of the other host. */
  readonly large?: readonly string[];
  readonly commit?: string;
}

export interface Asked {
  /** Which of the two hosts was asked. */
  readonly host: "hub" | "store";
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

type Answer = (response: ServerResponse, asked: Asked) => unknown;

export const fakeCommit = "0123456789abcdef0123456789abcdef01234567";
const pageLength = 3;

interface Describing {
  readonly path: string;
  /** What follows the repository's name in the path. */
  readonly rest: string;
  readonly search: URLSearchParams;
}

export class FakeHub {
  readonly asked: Asked[] = [];
  #instead: (asked: Asked) => Answer | undefined = () => undefined;
  readonly #repositories: readonly FakeRepository[];
  readonly #hub: Server;
  readonly #store: Server;

  private constructor(repositories: readonly FakeRepository[]) {
    this.#repositories = repositories;
    this.#hub = createServer((request, response) => this.#answer("hub", request, response));
    this.#store = createServer((request, response) => this.#answer("store", request, response));
  }

  static async open(...repositories: readonly FakeRepository[]): Promise<FakeHub> {
    const hub = new FakeHub(repositories);
    for (const server of [hub.#hub, hub.#store]) await once(server.listen(0, "127.0.0.1"), "listening");
    return hub;
  }

  get url(): string {
    return addressOf(this.#hub);
  }

  get storeUrl(): string {
    return addressOf(this.#store);
  }

  /** Answers some requests in the hub's place, as long as there is something to say, until this is called again. */
  instead(isMeant: (asked: Asked) => boolean = () => false, ...answers: readonly Answer[]): void {
    const left = [...answers];
    this.#instead = (asked) => (isMeant(asked) ? (left.length > 1 ? left.shift() : left[0]) : undefined);
  }

  /** Requests for a file's bytes, on the host that has them. */
  downloads(file: string): Asked[] {
    return this.asked.filter(({ host, path }) => path.endsWith(`/${file}`) && (host === "store" || path.includes("/resolve/")));
  }

  /** Ends all connections and takes no more. */
  async close(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer(host: Asked["host"], { url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams } = new URL(url, this.url);
    const asked = { host, path, headers };
    this.asked.push(asked);
    const instead = this.#instead(asked);
    if (instead !== undefined) return void instead(response, asked);
    if (path === "/api/models" || path === "/api/datasets") return json(response, this.#found(searchParams));
    const repository = this.#repositories.find(({ name }) => path.includes(`/${name}/`));
    if (repository === undefined) return refuse(response, headers.authorization ? 404 : 401, "RepoNotFound");
    const rest = path.slice(path.indexOf(`/${repository.name}/`) + repository.name.length + 2);
    if (path.startsWith("/api/")) return this.#describe(repository, { path, rest, search: searchParams }, response);
    const file = decodeURIComponent(rest.replace(/^resolve\/[^/]+\//, ""));
    const bytes = bytesOf(repository, file);
    if (bytes === undefined) return refuse(response, 404, "EntryNotFound");
    if (host === "hub" && isLarge(repository, file)) return void response.writeHead(302, { location: `${this.storeUrl}${path}` }).end();
    serve(response, bytes, headers);
  }

  #found(search: URLSearchParams): object[] {
    const [owner, query] = [search.get("author"), search.get("search")];
    const names = this.#repositories.map(({ name }) => name);
    return names.filter((name) => (owner === null || name.startsWith(`${owner}/`)) && name.includes(query ?? "")).map((id) => ({ id }));
  }

  #describe(repository: FakeRepository, { path, rest, search }: Describing, response: ServerResponse): void {
    const { name, commit = fakeCommit, files } = repository;
    const [kind, revision = ""] = rest.split("/");
    if (kind === "refs") return json(response, { branches: [{ name: "main" }], tags: [{ name: "v1.0" }] });
    if (!["main", "v1.0", commit].includes(decodeURIComponent(revision))) return refuse(response, 404, "RevisionNotFound");
    if (kind === "revision") return json(response, { _id: "1", id: name, sha: commit });
    const from = Number(search.get("cursor") ?? 0);
    const entries = Object.keys(files).map((path) => entryOf(repository, path));
    const next = `${this.url}${path.replace(/\/(revision|tree)\/.*/, "")}/tree/${commit}?recursive=true&cursor=${from + pageLength}`;
    if (from + pageLength < entries.length) response.setHeader("link", `<${next}>; rel="next"`);
    return json(response, [...entries.slice(from, from + pageLength), { type: "directory", path: "folder", size: 0, oid: "0" }]);
  }
}

/** A proxy that tunnels (RFC 9110, section 9.3.6), and says where to. */
export class FakeProxy {
  readonly asked: string[] = [];
  readonly #server = createServer();

  static async open(): Promise<FakeProxy> {
    const proxy = new FakeProxy();
    proxy.#server.on("connect", ({ url = "" }, client) => {
      proxy.asked.push(url);
      const target = connect(Number(url.split(":").at(-1)), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        target.pipe(client).pipe(target);
      });
      client.on("error", () => target.destroy());
      target.on("error", () => client.destroy());
    });
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get url(): string {
    return addressOf(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function bytesOf({ files }: FakeRepository, file: string): Uint8Array | undefined {
  const content = files[file];
  return typeof content === "string" ? Buffer.from(content) : content;
}

function isLarge({ large = [] }: FakeRepository, file: string): boolean {
  return large.includes(file);
}

function entryOf(repository: FakeRepository, path: string): object {
  const bytes = bytesOf(repository, path)!;
  const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const lfs = { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, pointerSize: 130 };
  return { type: "file", path, size: bytes.length, oid, ...(isLarge(repository, path) && { lfs }) };
}

export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

export function refuse(response: ServerResponse, status: number, code = "", headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...(code !== "" && { "x-error-code": code }), ...headers }).end();
}

/** Bytes, or the range of them that is asked for. @param cut the connection breaks off after so many */
export function serve(response: ServerResponse, bytes: Uint8Array, headers: IncomingMessage["headers"], cut = bytes.length): void {
  const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? "") ?? [];
  const isRange = from !== undefined && [undefined, etag].includes(headers["if-range"]?.toString());
  const start = isRange ? Number(from) : 0;
  if (start > bytes.length) return refuse(response, 416);
  const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(isRange ? 206 : 200, { etag, "content-length": bytes.length - start, ...(isRange && range) });
  if (cut >= bytes.length - start) return void response.end(bytes.subarray(start));
  response.write(bytes.subarray(start, start + cut), () => setTimeout(() => response.destroy(), 20));
}
