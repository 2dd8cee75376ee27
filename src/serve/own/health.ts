// GET /health, /metrics and /props.
import type { RequestContext } from "../context.ts";
import { type Answer, type Route, route } from "../protocol.ts";

/** The routes that say how the server is. */
export const health: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/health", summary: "Whether the server answers", isOpen: true },
    handle: (): Answer => ({ body: { json: { status: "ok" } } }),
  }),
  route({
    ...{ method: "GET", path: "/metrics", summary: "Counts and times in Prometheus' text format" },
    async handle({ server }: RequestContext): Promise<Answer> {
      const { registry } = server.metrics;
      return { body: { text: await registry.metrics(), type: registry.contentType } };
    },
  }),
  route({
    ...{ method: "GET", path: "/props", summary: "Facts of the server and of the models that are loaded" },
    handle: ({ server }: RequestContext): Answer => ({ body: { json: propsOf(server) } }),
  }),
];

function propsOf({ shelf, engine, version }: RequestContext["server"]): unknown {
  const models = shelf.list.map(({ name, model }) => ({
    name,
    isLoaded: model !== undefined,
    ...(model !== undefined && {
      contextLength: model.contextLength,
      vocabSize: model.config.vocabSize,
      backend: model.backendName,
      chatTemplates: Object.fromEntries(model.templateTexts),
      defaults: { ...model.defaults, stopIds: [...(model.defaults.stopIds ?? [])] },
      pages: model.counts.pages,
      warnings: model.warnings.length,
    }),
  }));
  return { version, models, limits: engine.limits };
}
