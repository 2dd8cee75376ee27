// GET /openapi.json: all routes and the schemas of their bodies, made of the schemas that requests are held to (OpenAPI 3.1, which has JSON Schema 2020-12).
import { z } from "zod";
import type { RequestContext } from "../context.ts";
import { type Answer, type Protocol, type Route, route } from "../protocol.ts";

/** The route of the document. */
export const openapi: Route = route({
  ...{ method: "GET", path: "/openapi.json", summary: "This document", isOpen: true },
  handle: ({ server }: RequestContext): Answer => ({ body: { json: documentOf(server.protocols, server.version) } }),
});

function documentOf(protocols: readonly Protocol[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { name, routes } of protocols.filter(({ isPrivate = false }) => !isPrivate))
    for (const one of routes) {
      const path = one.path.replace(/:(\w+)(?:\{[^}]*\})?/g, "{$1}");
      paths[path] = { ...paths[path], [one.method.toLowerCase()]: operationOf(one, path, name) };
    }
  const securitySchemes = { bearer: { type: "http", scheme: "bearer" }, key: { type: "apiKey", in: "header", name: "x-api-key" } };
  return { openapi: "3.1.0", info: { title: "cria", version }, paths, components: { securitySchemes } };
}

function operationOf({ summary, body, isOpen = false }: Route, path: string, tag: string): unknown {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  return {
    ...{ summary, tags: [tag], security: isOpen ? [] : [{}, { bearer: [] }, { key: [] }] },
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: z.toJSONSchema(body, { io: "input" }) } } },
    }),
    responses: { 200: { description: "The answer" }, default: { description: "An error in the protocol's form" } },
  };
}
