// The parameters of Ollama's requests, one row per key of the client's own types.
import type { ChatRequest, EmbeddingsRequest, EmbedRequest, GenerateRequest, ShowRequest } from "ollama";
import { z } from "zod";
import { bodySchema, harmless, type KeyTable, obeyed, refused, required } from "../keys.ts";
import { optionsSchema } from "./options.ts";

const textOnly = "cria's models read and write text only";
const think = obeyed(z.union([z.boolean(), z.enum(["high", "medium", "low"])]));
/** "json", or a JSON Schema. */
const format = obeyed(z.union([z.literal(""), z.literal("json"), z.record(z.string(), z.unknown())]));
/** The server is told when it is started how long a model stays loaded. */
const keepAlive = harmless(z.union([z.string(), z.number()]));

const writingKeys = {
  model: required(z.string()),
  stream: obeyed(z.boolean()),
  format,
  keep_alive: keepAlive,
  think,
  logprobs: obeyed(z.boolean()),
  top_logprobs: obeyed(z.int().min(0).max(20)),
  options: obeyed(optionsSchema),
} as const;

const chatKeys = {
  ...writingKeys,
  messages: obeyed(z.array(z.looseObject({ role: z.string() }))),
  tools: obeyed(z.array(z.looseObject({ type: z.string() }))),
} as const satisfies KeyTable<keyof ChatRequest>;

const generateKeys = {
  ...writingKeys,
  prompt: obeyed(z.string()),
  suffix: refused("no model here fills a gap: leave it out", ""),
  system: obeyed(z.string()),
  template: refused("a model has the template of its files: use raw, or leave it out", ""),
  context: obeyed(z.array(z.int().min(0))),
  raw: obeyed(z.boolean()),
  images: refused(textOnly, []),
  width: refused(textOnly),
  height: refused(textOnly),
  steps: refused(textOnly),
} as const satisfies KeyTable<keyof GenerateRequest>;

const embedKeys = {
  model: required(z.string()),
  input: required(z.union([z.string(), z.array(z.string()).min(1)])),
  /** Texts are never cut off here, whatever is said: one that is too long is refused. */
  truncate: harmless(z.boolean()),
  keep_alive: keepAlive,
  dimensions: obeyed(z.int().min(1)),
  options: obeyed(optionsSchema),
} as const satisfies KeyTable<keyof EmbedRequest>;

const embeddingsKeys = {
  model: required(z.string()),
  prompt: required(z.string()),
  keep_alive: keepAlive,
  options: obeyed(optionsSchema),
} as const satisfies KeyTable<keyof EmbeddingsRequest>;

const showKeys = {
  model: required(z.string()),
  system: harmless(z.string()),
  template: harmless(z.string()),
  options: harmless(z.looseObject({})),
} as const satisfies KeyTable<keyof ShowRequest>;

/** The schema of a chat. */
export const chatBody = bodySchema(chatKeys);
/** A chat after parsing. */
export type ChatBody = z.output<typeof chatBody>;

/** The schema of a text to go on from. */
export const generateBody = bodySchema(generateKeys);
/** A text to go on from after parsing. */
export type GenerateBody = z.output<typeof generateBody>;

/** The schema of texts to embed. */
export const embedBody = bodySchema(embedKeys);
/** Texts to embed after parsing. */
export type EmbedBody = z.output<typeof embedBody>;

/** The schema of one text to embed, by the older route. */
export const embeddingsBody = bodySchema(embeddingsKeys);
/** One text to embed after parsing. */
export type EmbeddingsBody = z.output<typeof embeddingsBody>;

/** The schema of a question about a model. */
export const showBody = bodySchema({ ...showKeys, verbose: harmless(z.boolean()) });
/** A question about a model after parsing. */
export type ShowBody = z.output<typeof showBody>;
