// What a client is told when a request fails. Each protocol has a form of its own for it; the kinds are the same, and say status and whether to try again.
import { CriaError } from "../base/index.ts";

/** What kinds of failure there are: the HTTP status, and whether the same request may succeed later. */
export const errorKinds = {
  invalid: { status: 400, mayRetry: false },
  authentication: { status: 401, mayRetry: false },
  forbidden: { status: 403, mayRetry: false },
  notFound: { status: 404, mayRetry: false },
  methodNotAllowed: { status: 405, mayRetry: false },
  tooLarge: { status: 413, mayRetry: false },
  unsupportedMedia: { status: 415, mayRetry: false },
  overloaded: { status: 429, mayRetry: true },
  internal: { status: 500, mayRetry: false },
  unavailable: { status: 503, mayRetry: true },
  timeout: { status: 504, mayRetry: false },
} as const;

/** The kind of a failure. */
export type ErrorKind = keyof typeof errorKinds;

/** What an error has beside its kind and its message. */
export interface RequestErrorOptions extends ErrorOptions {
  /** The parameter that is wrong, by its path: `messages[0].content`. */
  readonly param?: string | undefined;
  /** A word that clients know, such as `context_length_exceeded`. */
  readonly code?: string | undefined;
  /** Seconds after which the client may ask again. */
  readonly retryAfter?: number;
}

/** A failure that the client is told of. Its message names no path of the machine. */
export class RequestError extends Error {
  readonly kind: ErrorKind;
  readonly param: string | undefined;
  readonly code: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(kind: ErrorKind, message: string, { param, code, retryAfter, ...options }: RequestErrorOptions = {}) {
    super(message, options);
    this.name = "RequestError";
    this.kind = kind;
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get status(): number {
    return errorKinds[this.kind].status;
  }

  /** Whether it is no mistake of the client's, so that the server's log says what happened. */
  get isServersFault(): boolean {
    return this.kind === "internal" || this.kind === "unavailable";
  }

  get mayRetry(): boolean {
    return errorKinds[this.kind].mayRetry;
  }
}

/** Throws a {@link RequestError} of the kind "invalid"; an expression, so that it fits after `??`. */
export function refuse(message: string, param?: string, code?: string): never {
  throw new RequestError("invalid", message, { param, code });
}

/** What the engine calls parameters, which are OpenAI's names of chats, and what another protocol calls them. */
export type ParamNames = readonly (readonly [engines: RegExp, protocols: string])[];

/**
 * What the client is told of any error: a rule that the request broke is told by the house's own sentence, without the place in the code that begins it
 * and without paths; a bug is only said to be one.
 * @param names of the protocol, which stand in place of the engine's
 */
export function requestErrorOf(error: unknown, names: ParamNames = []): RequestError {
  const told = toldOf(error);
  return names.length === 0 ? told : renamed(told, names);
}

function renamed(error: RequestError, names: ParamNames): RequestError {
  const inProtocol = (text: string) => names.reduce((said, [engines, protocols]) => said.replace(engines, protocols), text);
  const { kind, message, param, code, retryAfter, cause } = error;
  return new RequestError(kind, inProtocol(message), {
    ...{ param: param && inProtocol(param), code, cause },
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

function toldOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof CriaError) {
    const told = error.message.replace(/(^|: )\[[a-z/ -]+\] /g, "$1");
    const message = isOfSchema(told) ? told : withoutPaths(told);
    return new RequestError("invalid", message, { param: paramOf(message) ?? params[error.where], cause: error });
  }
  return new RequestError("internal", "the server failed: its log says how", { cause: error });
}

/** The parameters whose values the house's rooms check, by the place that begins their errors. */
const params: Readonly<Record<string, string>> = { grammar: "grammar" };

/** Whether a message is about a schema of the request's, whose places are JSON pointers and look like paths. */
function isOfSchema(message: string): boolean {
  return /^(?:response_format|tools): /.test(message);
}

/** The last part of each path of the machine's, in place of the path. */
export function withoutPaths(message: string): string {
  return message.replace(/(?<![\w.:/])(?:\.{0,2}\/|[A-Za-z]:\\|~\/)(?:[^\r\n\t"'`:,;/\\]+[/\\])+(?=[^\s"'`:,;/\\])/g, "");
}

/** The path of the parameter that a message begins with, as those on messages and tools do. */
function paramOf(message: string): string | undefined {
  return /^(?:messages|input|tools|tool_choice|response_format)\b(?:\[\d+\]|\.\w+)*/.exec(message)?.[0];
}
