// Who may ask what: the Host header against DNS rebinding, the Origin header against pages elsewhere, API keys, and bodies that are JSON and nothing else.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { RequestError } from "./request-error.ts";

/** Who may ask. */
export interface SecurityOptions {
  /** API keys, one of which every request must bring; none where whoever reaches the address may ask. */
  readonly apiKeys: readonly string[];
  /** Origins whose pages may ask, as `https://example.org`, or `*` for all. */
  readonly origins: readonly string[];
  /** Names by which the server is reached, beside localhost and addresses. */
  readonly hosts: readonly string[];
}

/** Checks requests by their headers. */
export class Security {
  readonly #digests: readonly Buffer[];
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  constructor({ apiKeys, origins, hosts }: SecurityOptions) {
    this.#digests = apiKeys.map(digest);
    this.#origins = new Set(origins);
    this.#hosts = new Set(["localhost", ...hosts.map((host) => host.toLowerCase())]);
  }

  /**
   * Who asks: a word that differs from key to key, and without keys from address to address.
   * @throws RequestError where the key is missing or is none; comparing takes the same time for every key
   */
  authenticate(headers: IncomingHttpHeaders, address: string): string {
    if (this.#digests.length === 0) return `address ${address}`;
    const given = keyOf(headers);
    if (given === undefined)
      throw new RequestError("authentication", "an API key is needed: send it as Authorization: Bearer KEY or x-api-key: KEY", {
        code: "invalid_api_key",
      });
    const hash = digest(given);
    let isKnown = false;
    for (const known of this.#digests) isKnown = timingSafeEqual(known, hash) || isKnown;
    if (!isKnown) throw new RequestError("authentication", "the API key is none of this server's", { code: "invalid_api_key" });
    return `key ${hash.toString("hex", 0, 8)}`;
  }

  /** A page elsewhere may point a name of its own at this machine, but its requests then bear that name. @throws RequestError for names that are not the server's */
  checkHost(host: string | undefined): void {
    const name = hostName(host ?? "");
    if (isIP(name) > 0 || this.#hosts.has(name)) return;
    throw new RequestError(
      "forbidden",
      `this server is not called "${name.slice(0, 200)}": name the host when it is started, or ask by its address`,
    );
  }

  /**
   * The origin that may read the answer; undefined where no page asks, or one of the server's own.
   * @throws RequestError for a page of an origin that is not allowed
   */
  allowedOrigin({ origin, host }: IncomingHttpHeaders): string | undefined {
    if (origin === undefined || isOwn(origin, host)) return undefined;
    if (this.#origins.has(origin) || this.#origins.has("*")) return origin;
    throw new RequestError("forbidden", `pages of ${origin.slice(0, 200)} may not ask here: allow the origin when the server is started`);
  }
}

/** A page may send text/plain and forms elsewhere without asking first, but not JSON. @throws RequestError for a body that is no plain JSON */
export function checkBodyHeaders(headers: IncomingHttpHeaders): void {
  const type = headers["content-type"] ?? "";
  if (!/^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type.trim()))
    throw new RequestError(
      "unsupportedMedia",
      `the Content-Type is ${type === "" ? "missing" : `"${type.slice(0, 100)}"`}, but must be application/json`,
    );
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    throw new RequestError("unsupportedMedia", `the body is compressed (Content-Encoding: ${encoding.slice(0, 100)}): send it as it is`);
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? "")?.[1];
  const other = headers["x-api-key"];
  return bearer ?? (Array.isArray(other) ? other[0] : other) ?? cookieOf(headers.cookie);
}

const cookieName = "cria-key";

/**
 * The cookie by which the server's own page brings a key: scripts cannot read it, and requests that come from pages elsewhere do not have it
 * (RFC 6265bis, SameSite).
 */
export function keyCookie(key: string, isEncrypted: boolean): string {
  return `${cookieName}=${encodeURIComponent(key)}; Path=/; HttpOnly; SameSite=Strict${isEncrypted ? "; Secure" : ""}`;
}

function cookieOf(header: string | undefined): string | undefined {
  const value = header
    ?.split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${cookieName}=`))
    ?.slice(cookieName.length + 1);
  try {
    return value && decodeURIComponent(value);
  } catch {
    return undefined; // it is no cookie of this server's
  }
}

function hostName(host: string): string {
  const bare = host.replace(/:\d+$/, "").toLowerCase();
  return bare.startsWith("[") && bare.endsWith("]") ? bare.slice(1, -1) : bare;
}

/** Whether a page of this very server asks. */
function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
