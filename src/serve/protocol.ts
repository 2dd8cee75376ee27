// What a protocol is to the server: its routes as rows, and the form of its errors. The schemas of bodies are made of tables of keys (keys.ts).
import type { z } from "zod";
import type { RequestContext } from "./context.ts";
import type { RequestError } from "./request-error.ts";

/** What a route answers, where it does not stream. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value of JSON, or a text with its type. */
  readonly body: { readonly json: unknown } | { readonly text: string; readonly type: string };
}

/** One route of a protocol. */
export interface Route<Body = unknown> {
  readonly method: "GET" | "POST" | "HEAD" | "DELETE";
  /** The path, with parameters as hono writes them: `/v1/models/:id`. */
  readonly path: string;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  /** The schema of the body; absent where there is none. */
  readonly body?: z.ZodType<Body>;
  /** Whether it needs no API key. */
  readonly isOpen?: boolean;
  /** An answer, or nothing where it was streamed. */
  handle(context: RequestContext, body: Body): Promise<Answer | undefined> | Answer;
}

/** A protocol that the server speaks. */
export interface Protocol {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Whether its routes are for the server's own page alone, so that no document has them. */
  readonly isPrivate?: boolean;
  /** The body of an error, and of one that comes in a stream. */
  errorBody(error: RequestError): unknown;
}

/** A route whose body has the type that its schema says; routes of all types stand in one list. */
export function route<Body>(row: Route<Body>): Route {
  return row as Route;
}
