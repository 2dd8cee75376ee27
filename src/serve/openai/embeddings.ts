// POST /v1/embeddings: a vector for each text, as numbers or, as OpenAI's clients ask, as their bytes in base64.
import type { EmbeddingCreateParams } from "openai/resources/embeddings";
import { z } from "zod";
import type { RequestContext } from "../context.ts";
import { bodySchema, harmless, type KeyTable, obeyed, required } from "../keys.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { plainPrompts, textsSchema } from "./prompts.ts";

const embeddingKeys = {
  model: required(z.string()),
  input: required(textsSchema),
  dimensions: obeyed(z.int().min(1)),
  encoding_format: obeyed(z.enum(["float", "base64"])),
  user: harmless(z.string()),
} as const satisfies KeyTable<keyof EmbeddingCreateParams>;

const embeddingBody = bodySchema(embeddingKeys);

/** The route of embeddings. */
export const embeddings: Route = route({
  ...{ method: "POST", path: "/v1/embeddings", summary: "Texts as vectors of length 1", body: embeddingBody },
  async handle(context: RequestContext, body: z.output<typeof embeddingBody>): Promise<Answer> {
    context.notes.prompt = body.input;
    const { key, signal } = context;
    const asked = { model: body.model, texts: plainPrompts(body.input), dimensions: body.dimensions };
    const { model, vectors, promptTokens } = await context.server.engine.embed({ ...asked, key, signal });
    Object.assign(context.notes, { model, promptTokens });
    const encode = body.encoding_format === "base64" ? base64 : (vector: Float32Array) => [...vector];
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    return { body: { json: { object: "list", data, model, usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } } } };
  },
});

/** The bytes of float32 in little-endian order. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString("base64");
}
