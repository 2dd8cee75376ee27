// POST /api/embed, and /api/embeddings, which older programs ask.
import type { RequestContext } from "../context.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { type EmbedBody, type EmbeddingsBody, embedBody, embeddingsBody } from "./keys.ts";
import { nameWithoutTag, nameWithTag } from "./names.ts";

/** The routes that embed. */
export const embedding: readonly Route[] = [
  route({
    ...{ method: "POST", path: "/api/embed", summary: "Texts as vectors of length 1, by Ollama's protocol", body: embedBody },
    async handle(context: RequestContext, { model, input, dimensions }: EmbedBody): Promise<Answer> {
      const began = performance.now();
      const found = await embed(context, { model, texts: typeof input === "string" ? [input] : input, dimensions });
      const embeddings = found.vectors.map((vector) => [...vector]);
      const total = Math.round((performance.now() - began) * 1e6);
      const told = { total_duration: total, load_duration: 0, prompt_eval_count: found.promptTokens };
      return { body: { json: { model: nameWithTag(found.model), embeddings, ...told } } };
    },
  }),
  route({
    ...{ method: "POST", path: "/api/embeddings", summary: "A text as a vector of length 1", body: embeddingsBody },
    async handle(context: RequestContext, { model, prompt }: EmbeddingsBody): Promise<Answer> {
      const { vectors } = await embed(context, { model, texts: [prompt] });
      return { body: { json: { embedding: [...(vectors[0] ?? [])] } } };
    },
  }),
];

interface Asked {
  readonly model: string;
  readonly texts: readonly string[];
  readonly dimensions?: number | undefined;
}

async function embed(context: RequestContext, { model, texts, dimensions }: Asked) {
  const { key, signal, notes, server } = context;
  notes.prompt = texts;
  const asked = { model: nameWithoutTag(model), texts: texts.map((text) => ({ text })), dimensions };
  const found = await server.engine.embed({ ...asked, key, signal });
  Object.assign(notes, { model: found.model, promptTokens: found.promptTokens });
  return found;
}
