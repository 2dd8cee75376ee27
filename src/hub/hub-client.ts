// The one file that fetches: a client of the hub, with its proxies, redirects, token and tries.
import { type Response as Answer, EnvHttpProxyAgent, fetch } from "undici";
import { CriaError, fail } from "../base/index.ts";
import { explainRefusal, HubUnreachable } from "./hub-errors.ts";
import type { HubName } from "./hub-name.ts";
import type { HubSettings } from "./hub-settings.ts";
import { pause } from "./pause.ts";

const where = "hub";
const mostRedirects = 10;
/** Seconds before another try. */
const pauses = [1, 2, 4, 8, 16] as const;
/** Seconds that a hub may ask to wait. */
const longestPause = 300;
/** Answers below 500 after which another try may help: too slow, a range that is not there, too many requests. */
const triedAgain: readonly number[] = [408, 416, 429];
/** What connections fail with where there is no network, nobody listens or somebody else answers: who waits waits in vain, unless the hub was there before. */
const isAway =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|(ERR_TLS|CERT|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)_.*)$/;
/** Bytes of a list or a description of a repository: 100,000 files take some 30 MB in pages of 1000. */
const mostListBytes = 64 * 2 ** 20;
/** Milliseconds until a connection stands, an answer begins, and more of it comes. */
const patience = { connect: { timeout: 10_000 }, headersTimeout: 30_000, bodyTimeout: 30_000 } as const;

/** What a client may be given by tests. */
export interface ClientOptions {
  readonly signal?: AbortSignal | undefined;
  /** Waits between tries, in milliseconds. */
  readonly wait?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>) | undefined;
  /** Whether the server is a hub, of whose repositories messages speak. @default true */
  readonly isHub?: boolean;
}

/** Asks the hub in the name of one repository; it is closed after use. */
export class HubClient {
  readonly name: HubName;
  readonly settings: HubSettings;
  readonly signal: AbortSignal | undefined;
  /** The connections for plain and for encrypted addresses. */
  readonly #agents: { readonly plain: EnvHttpProxyAgent; readonly encrypted: EnvHttpProxyAgent };
  readonly #isHub: boolean;
  #hasAnswered = false;
  readonly #wait: NonNullable<ClientOptions["wait"]>;

  constructor(name: HubName, settings: HubSettings, { signal, wait = pause, isHub = true }: ClientOptions = {}) {
    const { http, https, none } = settings.proxies;
    // One agent alone would send encrypted addresses to HTTP_PROXY where HTTPS_PROXY is not set, which neither curl nor Python does.
    const through = (proxy: string) => new EnvHttpProxyAgent({ ...patience, httpProxy: proxy, httpsProxy: proxy, noProxy: none });
    this.name = name;
    this.settings = settings;
    this.signal = signal;
    this.#agents = { plain: through(http), encrypted: through(https) };
    this.#wait = wait;
    this.#isHub = isHub;
  }

  /** What messages call the server. */
  get host(): string {
    return this.#isHub ? "the hub" : new URL(this.settings.endpoint).host;
  }

  /** The standard `fetch` for documents of the hub's interface, whole. @throws CriaError for every answer that is not good */
  readonly fetch = async (input: string | URL | Request): Promise<Response> => {
    const address = new URL(input instanceof Request ? input.url : input);
    return this.retry(async () => {
      const answer = await this.ask(address, { accept: "application/json" });
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of answer.body ?? []) {
        bytes += part.length;
        if (bytes > mostListBytes)
          fail(where, `${this.name.text}: the hub's answer has more than ${mostListBytes} bytes: it is no list of files`);
        parts.push(part);
      }
      return new Response(Buffer.concat(parts), { status: answer.status, headers: [...answer.headers] });
    });
  };

  /**
   * One answer, behind all redirects; its body is still to be read. The token goes to the endpoint alone.
   * @throws TryAgain where another try may help, CriaError for other answers that are not good, and what the network throws
   */
  async ask(address: URL, headers: Readonly<Record<string, string>>, method: "GET" | "HEAD" = "GET"): Promise<Answer> {
    for (let hops = 0, at = address; hops <= mostRedirects; hops++) {
      const dispatcher = at.protocol === "https:" ? this.#agents.encrypted : this.#agents.plain;
      const answer = await fetch(at, {
        method,
        headers: this.#withToken(at, headers),
        redirect: "manual",
        dispatcher,
        ...this.#stop,
      });
      const next = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
      this.#hasAnswered ||= answer.status < 500;
      if (answer.ok) return answer;
      await answer.body?.cancel();
      if (next === null || !URL.canParse(next, at)) throw this.#refused(answer);
      at = this.#checked(at, new URL(next, at));
    }
    return fail(
      where,
      `${this.name.text}: the hub sends on more than ${mostRedirects} times from ${address.href}: it does not serve the file`,
    );
  }

  /**
   * Acts until it is done: after a failure of the network or the server again, five times at most without progress.
   * @param act calls `progress` when something came, so that the count of tries begins anew
   * @throws HubUnreachable where no try helped, or the hub was never there; the signal's reason when it aborts
   */
  async retry<T>(act: (progress: () => void) => Promise<T>): Promise<T> {
    let tries = 0;
    for (;;) {
      try {
        return await act(() => {
          tries = 0;
        });
      } catch (error) {
        this.signal?.throwIfAborted();
        await this.#wait(1000 * this.#pauseAfter(error, tries++), this.signal);
      }
    }
  }

  /** Seconds until the next try. @throws the error itself, where another try would end likewise, or HubUnreachable */
  #pauseAfter(error: unknown, tries: number): number {
    if (error instanceof TryAgain) {
      const { seconds = spread(pauses[tries]) } = error;
      if (seconds === undefined || seconds > longestPause || tries >= pauses.length) throw this.#unreachable(error);
      return seconds;
    }
    if (error instanceof CriaError || !isOfNetwork(error)) throw error;
    const seconds = spread(pauses[tries]);
    if (seconds === undefined || (!this.#hasAnswered && isAway.test(causeOf(error)))) throw this.#unreachable(error);
    return seconds;
  }

  /** Ends its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#agents).map((agent) => agent.destroy()));
  }

  get #stop() {
    return this.signal === undefined ? {} : { signal: this.signal };
  }

  #withToken(at: URL, headers: Readonly<Record<string, string>>): Record<string, string> {
    const { endpoint, token } = this.settings;
    const isOurs = token !== undefined && at.origin === new URL(endpoint).origin;
    return { "user-agent": "cria", ...headers, ...(isOurs && { authorization: `Bearer ${token}` }) };
  }

  /** An encrypted way does not end in one that anybody on it can change. */
  #checked(from: URL, to: URL): URL {
    const isSafe = /^https?:$/.test(to.protocol) && (to.protocol === "https:" || from.protocol === "http:");
    return isSafe
      ? to
      : fail(where, `${this.name.text}: ${from.host} sends on to ${to.protocol}//${to.host}, which is not encrypted: it is refused`);
  }

  #refused(answer: Answer): CriaError {
    const { status, headers } = answer;
    if (triedAgain.includes(status) || status >= 500)
      return new TryAgain(where, `${this.name.text}: ${this.host} answers ${status}`, {
        status,
        seconds: retryAfter(headers.get("retry-after")),
      });
    if (!this.#isHub) return new CriaError(where, `${this.name.text}: ${this.host} answers ${status}: check the address`);
    return explainRefusal(answer, this.name, this.settings);
  }

  #unreachable(error: unknown): HubUnreachable {
    const { endpoint } = this.settings;
    if (error instanceof TryAgain) {
      const later = error.seconds === undefined ? "later" : `in ${Math.ceil(error.seconds)} seconds`;
      const limited = error.status === 429 && this.settings.token === undefined ? ", or set HF_TOKEN, which allows more" : "";
      return new HubUnreachable(where, `${error.message.slice(where.length + 3)} again and again: try ${later}${limited}`, {
        cause: error,
      });
    }
    const cause = causeOf(error);
    return new HubUnreachable(
      where,
      `${this.name.text}: ${new URL(endpoint).host} cannot be reached (${cause}): check the network, HTTPS_PROXY and ${this.#isHub ? "HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use what is in the cache" : "the address; where there is no network, fetch on a machine that has one, and copy the files"}`,
      { cause: error },
    );
  }
}

/** What failed in such a way that another try may help. */
export class TryAgain extends CriaError {
  /** The answer's; absent where it began well and broke off. */
  readonly status: number | undefined;
  /** Seconds that the server asks to wait. */
  readonly seconds: number | undefined;

  constructor(
    where: string,
    message: string,
    { status, seconds }: { readonly status?: number; readonly seconds?: number | undefined } = {},
  ) {
    super(where, message);
    this.status = status;
    this.seconds = seconds;
  }
}

/** Half as much more or less, so that many clients do not come back at once. */
function spread(seconds: number | undefined): number | undefined {
  return seconds && seconds * (0.5 + Math.random());
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** fetch throws a TypeError around what happened, reading a body what happened itself. */
function isOfNetwork(error: unknown): boolean {
  return error instanceof Error && (error.message === "fetch failed" || error.message === "terminated" || codeOf(error) !== undefined);
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

/** `ENOTFOUND`, `ECONNREFUSED`, … from inside of what fetch throws. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return codeOf(error) ?? (inner === undefined ? error.message : causeOf(inner));
}
