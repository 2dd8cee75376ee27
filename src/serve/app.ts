// The routes of all protocols behind one door: who may ask, what is read of a request, and how errors are told.

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { RequestContext, type ServerParts } from "./context.ts";
import type { RequestLog } from "./log.ts";
import type { Answer, Protocol, Route } from "./protocol.ts";
import { readBody } from "./read-body.ts";
import { RequestError, requestErrorOf } from "./request-error.ts";
import type { Security } from "./security.ts";

/** What an app is made of. */
export interface AppParts extends ServerParts {
  readonly security: Security;
  /** Bytes of a body, at most. */
  readonly bodyBytes: number;
  readonly log: RequestLog;
}

type Env = { Bindings: HttpBindings };

/** The server's routes as an app of hono. */
export function createApp(parts: AppParts): Hono<Env> {
  const app = new Hono<Env>();
  for (const protocol of parts.protocols)
    for (const route of protocol.routes) app.on(route.method, route.path, (c) => answer(parts, protocol, route, c));
  app.options("*", (c) => preflight(parts, c));
  const routes = parts.protocols.flatMap((protocol) => protocol.routes);
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(path, (c) =>
      turnAway(
        parts,
        c,
        routes.filter((route) => route.path === path).map(({ method }) => method),
      ),
    );
  app.all("*", (c) => turnAway(parts, c));
  return app;
}

/** Answers a request of a route. */
async function answer(parts: AppParts, protocol: Protocol, route: Route, c: Context<Env>): Promise<Response> {
  const { incoming, outgoing } = c.env;
  const context = new RequestContext(parts, c.env, c.req.param());
  watch(parts, route.path, c, context);
  try {
    checkAsker(parts, incoming, outgoing);
    if (!route.isOpen) context.key = parts.security.authenticate(incoming.headers, incoming.socket.remoteAddress ?? "");
    const body = route.body === undefined ? undefined : await readBody(incoming, route.body, parts.bodyBytes);
    const said = await route.handle(context, body);
    return said === undefined ? RESPONSE_ALREADY_SENT : responseOf(said);
  } catch (error) {
    return failure(parts, protocol, c, context, error);
  }
}

/** Counts and logs a request when its response has ended, or broken off. */
function watch({ metrics, log }: AppParts, route: string, c: Context<Env>, context: RequestContext): void {
  const { incoming, outgoing } = c.env;
  const began = performance.now();
  outgoing.setHeader("x-request-id", `req_${randomBytes(12).toString("hex")}`);
  outgoing.once("close", () => {
    const seconds = (performance.now() - began) / 1000;
    const { statusCode: status, writableFinished: isWhole } = outgoing;
    metrics.answered(route, status, seconds);
    log.request({ method: incoming.method ?? "", path: c.req.path, status, seconds, isWhole }, context.notes);
  });
}

/** @throws RequestError for those who may not ask, whoever they say that they are */
function checkAsker({ security, stopping }: AppParts, incoming: IncomingMessage, outgoing: ServerResponse): void {
  security.checkHost(incoming.headers.host);
  const origin = security.allowedOrigin(incoming.headers);
  if (origin !== undefined) {
    outgoing.setHeader("access-control-allow-origin", origin);
    outgoing.setHeader("access-control-expose-headers", "x-request-id, x-should-retry, retry-after, x-cria-ignored-tools");
    outgoing.setHeader("vary", "origin");
  }
  if (stopping.aborted) {
    outgoing.setHeader("connection", "close");
    throw new RequestError("unavailable", "the server is stopping");
  }
}

/** What a browser asks before it lets a page of another origin send JSON (Fetch standard, CORS-preflight fetch). */
function preflight(parts: AppParts, c: Context<Env>): Response {
  const { incoming, outgoing } = c.env;
  const context = new RequestContext(parts, c.env, {});
  watch(parts, "preflight", c, context);
  try {
    checkAsker(parts, incoming, outgoing);
    outgoing.setHeader("access-control-allow-methods", "GET, POST");
    outgoing.setHeader("access-control-allow-headers", incoming.headers["access-control-request-headers"] ?? "");
    outgoing.setHeader("access-control-max-age", "600");
    return c.body(null, 204);
  } catch (error) {
    return failure(parts, parts.protocols[0], c, context, error);
  }
}

/** A path that no route has, or a method that its routes have not. */
function turnAway(parts: AppParts, c: Context<Env>, methods?: readonly string[]): Response {
  const context = new RequestContext(parts, c.env, {});
  watch(parts, "none", c, context);
  try {
    checkAsker(parts, c.env.incoming, c.env.outgoing);
    if (methods === undefined) throw new RequestError("notFound", "there is nothing at this path: /openapi.json lists what there is");
    c.env.outgoing.setHeader("allow", methods.join(", "));
    throw new RequestError("methodNotAllowed", `this path is asked with ${methods.join(" or ")}`);
  } catch (error) {
    return failure(parts, protocolOf(parts, c.req.path), c, context, error);
  }
}

/** The protocol whose routes begin as the path does: with a whole path of theirs, or with a first folder that no other protocol has. */
function protocolOf({ protocols }: AppParts, path: string): Protocol {
  const below = protocols.find(({ routes }) => routes.some((route) => path === route.path || path.startsWith(`${route.path}/`)));
  const [owner, ...others] = protocols.filter(({ routes }) => routes.some((route) => folderOf(route.path) === folderOf(path)));
  return below ?? (others.length === 0 ? owner : undefined) ?? protocols[0];
}

function folderOf(path: string): string | undefined {
  return path.split("/")[1];
}

function responseOf({ status = 200, headers = {}, body }: Answer): Response {
  const isJson = "json" in body;
  const text = isJson ? JSON.stringify(body.json) : body.text;
  const type = isJson ? "application/json" : body.type;
  return new Response(text, { status, headers: { ...headers, "content-type": type } });
}

/** Tells the client what went wrong, in its protocol's form; a response that comes in pieces has no form for it any more, and ends. */
function failure(
  parts: AppParts,
  protocol: Protocol,
  { env: { outgoing } }: Context<Env>,
  context: RequestContext,
  error: unknown,
): Response {
  const told = requestErrorOf(error);
  context.fail(told);
  const isExpected = told.kind === "unavailable" && told.cause === undefined; // a model may still be in training
  if (!context.signal.aborted && told.isServersFault && !isExpected) parts.metrics.failed(told.cause ?? told);
  if (outgoing.headersSent) {
    outgoing.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  const headers: Record<string, string> = { "content-type": "application/json", "x-should-retry": String(told.mayRetry) };
  if (told.retryAfter !== undefined) headers["retry-after"] = String(told.retryAfter);
  if (told.kind === "tooLarge") headers.connection = "close"; // what comes of the body is not read
  if (told.kind === "authentication") headers["www-authenticate"] = "Bearer";
  return new Response(JSON.stringify(protocol.errorBody(told)), { status: told.status, headers });
}
