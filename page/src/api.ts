// What the page asks of cria, all of it at the address that it came from.
import { useEffect, useState } from "preact/hooks";

/** What cria answered when it did not do what was asked. */
export class Refused extends Error {
  /** The status of HTTP: 401 where a key is missing. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** @throws Refused with cria's own words */
export async function ask<Answer>(path: string, query: Readonly<Record<string, string | number>> = {}): Promise<Answer> {
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return await answerOf<Answer>(await fetch(`page/${path}?${search}`, { headers: { accept: "application/json" } }));
}

/** Asks with a body, as for a change or about a text. @throws Refused with cria's own words */
export async function post<Answer>(path: string, body: object, signal?: AbortSignal): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  return await answerOf<Answer>(
    await fetch(`page/${path}`, { method: "POST", headers, body: JSON.stringify(body), ...(signal && { signal }) }),
  );
}

/** How an answer stands: on its way, there, or refused. */
export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly problem: string | undefined;
}

/** The answer to what is asked, again whenever `key` is another one; an earlier answer stays until the next one has come. @param key undefined asks nothing */
export function useAnswer<Answer>(key: string | undefined, asking: (signal: AbortSignal) => Promise<Answer>): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer>>({ answer: undefined, problem: undefined });
  useEffect(() => {
    if (key === undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    asking(signal).then(
      (answer) => signal.aborted || setAsked({ answer, problem: undefined }),
      (error: Error) => signal.aborted || setAsked({ answer: undefined, problem: error.message }),
    );
    return () => controller.abort();
  }, [key]);
  return asked;
}

/** What a response that is no answer says, in cria's own words where it has some. */
export function refusalOf({ status, statusText }: Response, answer: unknown): Refused {
  const said = (answer as { readonly error?: { readonly message?: string } } | undefined)?.error?.message;
  return new Refused(said ?? `${status} ${statusText}`, status);
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer as Answer;
  throw refusalOf(response, answer);
}

/** Milliseconds after which a connection that a browser gave up is tried again. */
const againMs = 3000;

/**
 * The newest of what cria tells by itself, and whether it is heard. A page that nobody sees does not listen: a browser has six connections to a server, and
 * more tabs than that would leave none for anything else.
 */
export function useEvents<Event>(path: string, name: string): { readonly event: Event | undefined; readonly isHeard: boolean } {
  const [event, setEvent] = useState<Event>();
  const [isHeard, setHeard] = useState(true);
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = () => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
    };
    const listen = () => {
      leave();
      if (document.hidden) return;
      const opened = new EventSource(`page/${path}`);
      source = opened;
      opened.addEventListener(name, (message) => setEvent(JSON.parse((message as MessageEvent<string>).data) as Event));
      opened.onopen = () => setHeard(true);
      opened.onerror = () => {
        setHeard(false);
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(listen, againMs); // refused, which a browser does not try again
      };
    };
    document.addEventListener("visibilitychange", listen);
    listen();
    return () => {
      document.removeEventListener("visibilitychange", listen);
      leave();
    };
  }, [path, name]);
  return { event, isHeard };
}
