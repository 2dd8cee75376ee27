// GET /v1/models and /v1/models/{id}.
import type { RequestContext } from "../context.ts";
import { type Answer, type Route, route } from "../protocol.ts";

/** The routes that list models. */
export const models: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/v1/models", summary: "The models of this server" },
    handle: ({ server }: RequestContext): Answer => ({ body: { json: { object: "list", data: server.shelf.list.map(modelOf) } } }),
  }),
  route({
    // A name may have slashes, as owner/name has.
    ...{ method: "GET", path: "/v1/models/:id{.+}", summary: "One model" },
    handle(context: RequestContext): Answer {
      const { shelf } = context.server;
      const name = shelf.nameOf(context.param("id"));
      return { body: { json: shelf.list.filter((model) => model.name === name).map(modelOf)[0] } };
    },
  }),
];

function modelOf({ name, created }: { readonly name: string; readonly created: number }): unknown {
  return { id: name, object: "model", created, owned_by: "cria" };
}
