// What there is: GET /api/tags, /api/ps, /api/version, and POST /api/show.
import { createHash } from "node:crypto";
import { parameterCount } from "../../model/index.ts";
import type { RequestContext } from "../context.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import type { ServedModel } from "../served-model.ts";
import { type ShowBody, showBody } from "./keys.ts";
import { nameWithoutTag, nameWithTag } from "./names.ts";

/** The routes that list models. */
export const models: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/api/tags", summary: "The models of this server, by Ollama's protocol" },
    handle: ({ server }: RequestContext): Answer => ({ body: { json: { models: server.shelf.list.map(rowOf) } } }),
  }),
  route({
    ...{ method: "GET", path: "/api/ps", summary: "The models that are loaded" },
    handle: ({ server }: RequestContext): Answer => {
      const loaded = server.shelf.list.filter(({ model }) => model !== undefined);
      return { body: { json: { models: loaded.map((one) => ({ ...rowOf(one), size_vram: 0, expires_at: "9999-12-31T23:59:59Z" })) } } };
    },
  }),
  route({
    ...{ method: "GET", path: "/api/version", summary: "The server's version" },
    handle: ({ server: { version } }: RequestContext): Answer => ({ body: { json: { version } } }),
  }),
  route({
    ...{ method: "POST", path: "/api/show", summary: "What a model is", body: showBody },
    async handle({ server, signal }: RequestContext, { model }: ShowBody): Promise<Answer> {
      using lease = await server.shelf.lease(nameWithoutTag(model), signal);
      return { body: { json: shown(lease.model) } };
    },
  }),
];

interface Listed {
  readonly name: string;
  readonly created: number;
  readonly model: ServedModel | undefined;
}

/** Clients tell models apart by a digest, which is that of the name here: files are not read for it. */
function rowOf({ name, created, model }: Listed): object {
  return {
    ...{ name: nameWithTag(name), model: nameWithTag(name), modified_at: new Date(1000 * created).toISOString(), size: 0 },
    ...{ digest: createHash("sha256").update(name).digest("hex"), details: detailsOf(model) },
  };
}

function detailsOf(model: ServedModel | undefined): object {
  const parameters = model === undefined ? "" : sizeOf(parameterCount(model.config));
  return { parent_model: "", format: "", family: "llama", families: ["llama"], parameter_size: parameters, quantization_level: "" };
}

function sizeOf(parameters: number): string {
  return parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)}B` : `${(parameters / 1e6).toFixed(2)}M`;
}

function shown(model: ServedModel): object {
  const { config, contextLength, templateTexts } = model;
  const template = [...templateTexts.values()][0] ?? "";
  return {
    ...{ modelfile: "", parameters: "", template, details: detailsOf(model) },
    model_info: {
      "general.architecture": "llama",
      "general.parameter_count": parameterCount(config),
      "llama.context_length": contextLength,
      "llama.embedding_length": config.dim,
      "llama.block_count": config.nLayers,
      "llama.attention.head_count": config.nHeads,
      "llama.attention.head_count_kv": config.nKvHeads,
      "llama.feed_forward_length": config.hiddenDim,
      "llama.vocab_size": config.vocabSize,
    },
    capabilities: [
      "completion",
      ...(/\btools\b/.test(template) ? ["tools"] : []),
      ...(/thinking|<think>/.test(template) ? ["thinking"] : []),
      "embedding",
    ],
  };
}
